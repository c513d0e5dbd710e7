# SPDX-License-Identifier: BSD-3-Clause
"""Temperatures of sea water against TEOS-10 (gsw): conservative, potential, and that of freezing."""

import numpy as np
import pytest
import torch

from components.ocean.primitive.conservative_temperature import conservative_temperature, potential_temperature
from components.ocean.primitive.surface import freezing_point

gsw = pytest.importorskip("gsw")
S, T = np.meshgrid(np.linspace(0.0, 42.0, 43), np.linspace(-2.0, 33.0, 36))


def test_both_temperatures_are_those_of_teos10():
    s, t = torch.tensor(S), torch.tensor(T)
    np.testing.assert_allclose(conservative_temperature(s, t).numpy(), gsw.CT_from_pt(S, T), rtol=0, atol=1e-12)
    np.testing.assert_allclose(potential_temperature(s, t).numpy(), gsw.pt_from_CT(S, T), rtol=0, atol=1e-12)


def test_the_inverse_has_a_gradient_also_without_salt():
    s, t = torch.tensor(S).requires_grad_(), torch.tensor(T).requires_grad_()
    by_s, by_t = torch.autograd.grad(potential_temperature(s, t).sum(), (s, t))
    step = 1e-4
    slope = (gsw.pt_from_CT(S, T + step) - gsw.pt_from_CT(S, T - step)) / (2.0 * step)
    np.testing.assert_allclose(by_t.numpy(), slope, rtol=1e-7)
    assert bool(torch.isfinite(by_s).all())


def test_water_freezes_where_teos10_says():
    """In contact with air, from rivers to brine; -1.9184 degC of conservative temperature where it is 35.165 g kg-1."""
    s = np.linspace(0.0, 42.0, 85)
    np.testing.assert_allclose(freezing_point(torch.tensor(s)).numpy(), gsw.CT_freezing(s, 0.0, 1.0), rtol=0, atol=1e-4)
