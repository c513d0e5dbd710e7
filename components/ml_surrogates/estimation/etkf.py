# SPDX-License-Identifier: BSD-3-Clause
"""Ensemble transform Kalman filter, global and local (Bishop et al. 2001; Hunt, Kostelich & Szunyogh 2007).

Observations of several times enter one analysis by their equivalents from each member's trajectory (4D).
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.controls import perturbations


class Transform(NamedTuple):
    """An analysis as combinations of members, for one or many columns.

    Attributes
    ----------
    mean : (..., N) weights w of the perturbations X for the mean
    spread : (..., N, N) symmetric matrix W; X W are the analysis' perturbations
    """

    mean: Tensor
    spread: Tensor


def transform(c: Tensor, right: Tensor) -> Transform:
    """Weights w = (I + C)^-1 b and W = (I + C)^-1/2.

    Parameters
    ----------
    c : (..., N, N) Y R^-1 Y^T, with Y (N, p) the perturbations of equivalents over sqrt(N - 1)
    right : (..., N) b = Y R^-1 d, with d the departures of the mean
    """
    values, vectors = torch.linalg.eigh(c)
    lam = 1.0 + torch.clamp(values, min=0.0)
    back = vectors.transpose(-1, -2)
    mean = (vectors @ ((back @ right[..., None]) / lam[..., None]))[..., 0]
    return Transform(mean, (vectors / torch.sqrt(lam)[..., None, :]) @ back)


def mean_preserving_rotation(n: int, generator: torch.Generator) -> Tensor:
    """A random orthogonal (n, n) matrix that keeps the vector of ones (Sakov & Oke 2008).

    Parameters
    ----------
    n : members
    generator : of the random numbers
    """
    like: dict[str, Any] = {"dtype": torch.float64}
    basis = torch.eye(n, **like)
    basis[:, 0] = 1.0
    basis = torch.linalg.qr(basis)[0]
    q, r = torch.linalg.qr(torch.randn((n - 1, n - 1), generator=generator, **like))
    inner = torch.eye(n, **like)
    inner[1:, 1:] = q * torch.sign(torch.diagonal(r))
    turned: Tensor = basis @ inner @ basis.T
    return turned


def etkf(ensemble: Tensor, equivalents: Tensor, value: Tensor, error: Tensor, rotation: Tensor | None = None) -> Tensor:
    """The analysis ensemble (N, ...), all observations acting everywhere.

    Parameters
    ----------
    ensemble : (N, ...) members
    equivalents : (N, p) what each gives for the observations
    value, error : (p,) observations and their standard deviations
    rotation : (N, N) orthogonal, keeping the mean, or None
    """
    n = ensemble.shape[0]
    mean_y = equivalents.mean(0)
    y = perturbations(equivalents) / error
    t = transform(y @ y.T, y @ ((value - mean_y) / error))
    return combined(ensemble.reshape(n, -1), t, rotation).reshape(ensemble.shape)


def combined(ensemble: Tensor, t: Transform, rotation: Tensor | None = None) -> Tensor:
    """Members mean + X (w 1^T + sqrt(N - 1) W) for members (N, ..., n) of one transform, or of one a column (n,).

    Parameters
    ----------
    ensemble : (N, n), or (N, fields, n) where the transform is by column
    t : of all, or with a leading dimension n
    rotation : (N, N) orthogonal, keeping the mean, or None
    """
    n = ensemble.shape[0]
    mean, x = ensemble.mean(0), perturbations(ensemble)
    spread = t.spread if rotation is None else t.spread @ rotation.to(t.spread)
    weights = t.mean[..., :, None] + math.sqrt(n - 1) * spread  # (..., from N, to N)
    if weights.ndim == 2:
        moved: Tensor = torch.tensordot(weights.T, x, 1)
    else:
        moved = torch.einsum("gkm,kfg->mfg", weights, x)
    return mean + moved


def letkf(
    ensemble: Tensor,
    equivalents: Tensor,
    value: Tensor,
    error: Tensor,
    weight: Tensor,
    *,
    block: int = 512,
) -> tuple[Tensor, Tensor]:
    """The analysis ensemble (N, fields, n), column by column, and where observations acted (n,).

    Parameters
    ----------
    ensemble : (N, fields, n) members, columns last
    equivalents : (N, p)
    value, error : (p,) observations and their standard deviations
    weight : (n, p) localisation of R^-1, 0 to 1, such as Gaspari & Cohn's function of the distance
    block : columns at a time
    """
    members = ensemble.shape[0]
    mean_y = equivalents.mean(0)
    y = perturbations(equivalents) / error
    d = (value - mean_y) / error
    products = (y[:, None] * y[None]).reshape(members * members, -1)
    right = y * d
    acted = (weight > 0.0).any(1)
    out = ensemble.clone()
    columns = torch.nonzero(acted)[:, 0]
    for start in range(0, columns.numel(), block):
        at = columns[start : start + block]
        w = weight[at]
        c = (w @ products.T).reshape(-1, members, members)
        out[..., at] = combined(ensemble[..., at], transform(0.5 * (c + c.transpose(1, 2)), w @ right.T))
    return out, acted
