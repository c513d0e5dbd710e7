# SPDX-License-Identifier: BSD-3-Clause
"""The 55-term polynomial (Roquet et al. 2015) against TEOS-10 itself (gsw) over the oceanographic range."""

import numpy as np
import pytest
import torch

from components.ocean.primitive.equation_of_state import teos10_density

gsw = pytest.importorskip("gsw")


def density(salinity, temperature, depth):
    return teos10_density(*(torch.tensor(np.asarray(a, float)) for a in (salinity, temperature, depth))).numpy()


def test_check_value_of_teos10():
    """rho(35.7 g/kg, 22 degC, 500 dbar) = 1026.75028 kg/m3."""
    assert density(35.7, 22.0, 500.0) == pytest.approx(1026.75028, abs=1e-3)


@pytest.mark.parametrize(
    ("salinity", "temperature", "pressure"),
    [((30, 40), (-2, 33), (0, 1000)), ((33, 37), (-2, 12), (1000, 7000)), ((5, 42), (0, 30), (0, 100))],
    ids=["upper", "deep", "marginal seas"],
)
def test_agrees_with_gsw(salinity, temperature, pressure):
    """To 1e-2 kg/m3; the fit takes a metre for a decibar."""
    s, t, p = np.meshgrid(*(np.linspace(*r, 17) for r in (salinity, temperature, pressure)), indexing="ij")
    assert np.abs(density(s, t, p) - gsw.rho(s, t, p)).max() < 1e-2
