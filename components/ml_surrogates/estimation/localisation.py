# SPDX-License-Identifier: BSD-3-Clause
"""Correlations that end at a distance, and their square roots on grids."""

from dataclasses import dataclass

import torch
from torch import Tensor


def gaspari_cohn(distance: Tensor, c: float) -> Tensor:
    """Compactly supported correlation, zero from ``2 c`` on (Gaspari & Cohn 1999, eq. 4.10).

    Parameters
    ----------
    distance : any shape, not negative
    c : half the support, in the distance's unit
    """
    r = distance / c
    r2, r3 = r * r, r * r * r
    near = 1.0 + r2 * (-5.0 / 3.0 + r * 0.625 + r2 * 0.5) - 0.25 * r3 * r2
    safe = torch.clamp(r, min=1.0)
    s2 = safe * safe
    far = 4.0 - 5.0 * safe + s2 * (5.0 / 3.0 + 0.625 * safe - 0.5 * s2 + s2 * safe / 12.0) - 2.0 / (3.0 * safe)
    return torch.where(r < 1.0, near, torch.where(r < 2.0, torch.clamp(far, min=0.0), torch.zeros_like(r)))


def periodic_distance(separation: Tensor, period: float) -> Tensor:
    """The shorter way around.

    Parameters
    ----------
    separation : of any sign
    period : in the same unit
    """
    a = torch.remainder(separation.abs(), period)
    return torch.minimum(a, period - a)


def _check(c: float, spacing: float) -> None:
    if c < spacing:
        raise ValueError(f"expected a localisation radius of at least a cell ({spacing:g} m), found {c:g} m")


class PeriodicRoot:
    """C^1/2 of an isotropic correlation on a doubly periodic grid, by Fourier transforms.

    Parameters
    ----------
    shape : (ny, nx)
    spacing : of the grid, m
    c : radius of Gaspari & Cohn's function, m
    like : a tensor of the precision and device wanted
    """

    def __init__(self, shape: tuple[int, int], spacing: float, c: float, like: Tensor):
        _check(c, spacing)
        ny, nx = shape
        y = periodic_distance(torch.arange(ny, dtype=torch.float64), ny) * spacing
        x = periodic_distance(torch.arange(nx, dtype=torch.float64), nx) * spacing
        correlation = gaspari_cohn(torch.sqrt(y[:, None] * y[:, None] + x * x), c)
        spectrum = torch.clamp(
            torch.fft.rfft2(correlation).real, min=0.0
        )  # where the support wraps, some is below zero
        variance = torch.fft.irfft2(spectrum, s=shape)[0, 0]
        self.filter = torch.sqrt(spectrum / variance).to(like)
        self.shape = shape

    def __call__(self, v: Tensor) -> Tensor:
        """C^1/2 v along the last two dimensions."""
        out: Tensor = torch.fft.irfft2(torch.fft.rfft2(v) * self.filter, s=self.shape)
        return out


@dataclass(frozen=True)
class SeparableRoot:
    """C^1/2 of the product of two correlations along the axes of a bounded grid: R_y v R_x.

    Parameters
    ----------
    along_y, along_x : (ny, ny) and (nx, nx) symmetric square roots
    """

    along_y: Tensor
    along_x: Tensor

    @classmethod
    def of(cls, shape: tuple[int, int], spacing: tuple[float, float], c: float, like: Tensor) -> "SeparableRoot":
        """The roots of Gaspari & Cohn's correlation along each axis.

        Parameters
        ----------
        shape : (ny, nx)
        spacing : of the grid along y and x, m
        c : radius, m
        like : a tensor of the precision and device wanted
        """
        roots = []
        for n, d in zip(shape, spacing, strict=True):
            _check(c, d)
            at = torch.arange(n, dtype=torch.float64) * d
            roots.append(symmetric_root(gaspari_cohn((at[:, None] - at).abs(), c)).to(like))
        return cls(*roots)

    def __call__(self, v: Tensor) -> Tensor:
        """C^1/2 v along the last two dimensions."""
        return self.along_y @ v @ self.along_x


def leading_root(covariance: Tensor, share: float = 0.999) -> Tensor:
    """Root (n, r) of a covariance (n, n) by its largest eigenvalues, as few as hold a share of the variance.

    Parameters
    ----------
    covariance : symmetric
    share : of the trace, up to 1
    """
    values, vectors = torch.linalg.eigh(covariance)
    held = torch.cumsum(values.flip(0).clamp(min=0.0), 0)
    r = int((held < share * held[-1]).sum()) + 1
    root: Tensor = (vectors[:, -r:] * torch.sqrt(values[-r:].clamp(min=0.0))).contiguous()
    return root


def symmetric_root(matrix: Tensor) -> Tensor:
    """The symmetric square root of a covariance (..., n, n); what rounding makes negative counts as zero."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * torch.sqrt(torch.clamp(values, min=0.0))[..., None, :]) @ vectors.transpose(-1, -2)
    return root
