# SPDX-License-Identifier: BSD-3-Clause
"""Muon: its steps are nearly orthogonal, and it trains beside Adam."""

import pytest
import torch

from components.ml_surrogates.course import fit
from components.ml_surrogates.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 40), (40, 8)])
def test_a_step_keeps_the_singular_vectors_and_makes_their_values_alike(shape):
    g = torch.Generator().manual_seed(1)
    u, s, vt = torch.linalg.svd(torch.randn(shape, generator=g), full_matrices=False)
    values = torch.logspace(0, -1.5, len(s))  # of a gradient that points mostly one way
    found = u.T @ orthogonal(u @ torch.diag(values) @ vt) @ vt.T
    assert float(torch.diag(found).min()) > 0.6 and float(torch.diag(found).max()) < 1.3
    torch.testing.assert_close(found, torch.diag(torch.diag(found)), rtol=0.0, atol=1e-5)


def test_kernels_by_muon_and_the_rest_by_adam_learn_a_convolution():
    """Without Muon's part the kernel stays as it was drawn; with it, both it and the offsets come to the truth's."""
    torch.manual_seed(1)
    truth, net = (torch.nn.Conv2d(8, 8, 3, padding=1) for _ in range(2))
    truth.requires_grad_(False)

    def loss(n):
        x = torch.randn((4, 8, 8, 8))
        return (net(x) - truth(x)).square().mean()

    with torch.no_grad():
        begun = float(loss(0))
    fit(net, loss, 200, 0.03, 1.0, lambda text: None, beside=(Muon([net.weight], 0.02),))
    with torch.no_grad():
        assert float(loss(0)) < 0.01 * begun
        torch.testing.assert_close(net.weight, truth.weight, rtol=0.0, atol=0.02)
        torch.testing.assert_close(net.bias, truth.bias, rtol=0.0, atol=0.02)
