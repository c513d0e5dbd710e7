# SPDX-License-Identifier: BSD-3-Clause
"""The LETKF of columns that are observed one by one, such as land: an ensemble is more columns of the same model.

What a column has not observed is not a number. Water that an analysis adds or takes is for the caller to book: it is
the analysis less the background.
"""

import torch
from torch import Tensor

from components.ml_surrogates.estimation.controls import perturbations
from components.ml_surrogates.estimation.etkf import combined, transform
from components.ml_surrogates.estimation.inflation import relax_to_prior_spread


def column_letkf(
    ensemble: Tensor,
    equivalents: Tensor,
    value: Tensor,
    error: Tensor,
    low: Tensor | None = None,
    high: Tensor | None = None,
    relaxation: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """The analysis ensemble (N, fields, n), within bounds, and where observations acted (n,).

    Parameters
    ----------
    ensemble : (N, fields, n) members, columns last
    equivalents : (N, k, n) what each gives for the column's observations
    value : (k, n) observations; not a number where there is none
    error : (k, n) or (k, 1) standard deviations
    low, high : bounds of the fields, of shapes that go with a member's
    relaxation : of the spread to that before, see `relax_to_prior_spread`
    """
    there = torch.isfinite(value)
    acted = there.any(0)
    if not bool(acted.any()):
        return ensemble, acted
    at = torch.nonzero(acted)[:, 0]
    seen = there[:, at]
    mean = equivalents[..., at].mean(0)
    scale = torch.where(seen, 1.0 / error.expand_as(value)[:, at], 0.0)
    y = torch.where(seen, perturbations(equivalents[..., at]), 0.0) * scale  # what no one sees may be no number
    d = torch.where(seen, value[:, at] - mean, 0.0) * scale
    by_column = y.permute(2, 0, 1)
    t = transform(by_column @ by_column.transpose(1, 2), (by_column @ d.T[..., None])[..., 0])
    out = ensemble.clone()
    out[..., at] = relax_to_prior_spread(ensemble[..., at], combined(ensemble[..., at], t), relaxation)
    if low is not None or high is not None:
        out[..., at] = torch.clamp(out, low, high)[..., at]
    return out, acted
