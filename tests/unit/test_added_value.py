# SPDX-License-Identifier: BSD-3-Clause
"""What a region adds to its driver: numbers by hand, and a variance spectrum whose sum is the variance."""

import numpy as np
import pytest

from coupler.analysis.added_value import added_value
from coupler.analysis.driver_spectra import draw
from coupler.analysis.scores import score
from coupler.analysis.spectra import kinetic_energy, spectrum
from coupler.analysis.taylor import draw_taylor
from coupler.errors import CaseError


def test_added_value_by_hand():
    seen, area = np.array([1.0, 2.0, 3.0, np.nan]), np.ones(4)
    cells, own, theirs, value = added_value(seen + 1.0, seen - 2.0, seen, area)
    assert (cells, own, theirs, value) == (3, 1.0, 2.0, 0.75)
    assert added_value(seen - 2.0, seen + 1.0, seen, area)[3] == -0.75
    gap = np.array([np.nan, 3.0, 4.0, 0.0])  # cells that the driver lacks count for neither
    assert added_value(seen + 1.0, gap, seen, area)[:2] == (2, 1.0)


def test_spectra_hold_the_variance_and_know_the_scale():
    rng = np.random.default_rng(0)
    field = rng.standard_normal((3, 40, 60))
    s = spectrum(field, 10e3)
    np.testing.assert_allclose(s.variance.sum(), field.var(axis=(1, 2)).mean(), rtol=1e-12)
    x = np.mgrid[0:40, 0:60][1] + 0.5
    wave = 3.0 * np.cos(np.pi * 12 * x / 60)  # 12 half waves in 600 km: 100 km
    k = kinetic_energy(wave, 0.0 * wave, 10e3)
    assert abs(k.wavelength[k.variance.argmax()] / 100e3 - 1.0) < 0.01
    np.testing.assert_allclose(k.variance.sum(), 0.25 * 9.0, rtol=1e-12)
    assert k.below(90e3) < 1e-20 < k.below(110e3)
    smooth = field.copy()
    smooth[:, 1:-1] = (field[:, 2:] + field[:, :-2] + 2 * field[:, 1:-1]) / 4
    assert spectrum(smooth, 10e3).below(40e3) < 0.6 * s.below(40e3)
    with pytest.raises(CaseError, match="1 gaps"):
        spectrum(np.where(np.arange(16).reshape(4, 4) == 3, np.nan, 0.0), 1.0)


def test_figures_are_drawn():
    assert draw_taylor({}) is None
    model = np.array([1.0, 2.0, 4.0, 3.0])
    figure = draw_taylor(
        {"sea": score(model, model[::-1].copy(), np.ones(4)), "land": score(model, model**2, np.ones(4))}
    )
    assert {t.get_text() for t in figure.axes[0].get_legend().get_texts()} == {"observed", "sea", "land"}
    assert draw({"run: rain": spectrum(np.random.default_rng(1).standard_normal((8, 8)), 1e4)}) is not None
