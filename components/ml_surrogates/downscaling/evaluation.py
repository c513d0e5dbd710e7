# SPDX-License-Identifier: BSD-3-Clause
"""Scores of drawn fields beside the regression alone, and beside cubic splines with residuals of other days."""

from collections.abc import Sequence

import numpy as np

from coupler.analysis.ensemble_scores import fair_crps, spread_over_error

from . import ideal
from .projection import Projection
from .scenes import Array, Field, Scene, means
from .training import DIFFUSION, REGRESSION, train
from .two_steps import Downscaling, bicubic, members

DAYS, TESTED, MEMBERS = 256, 16, 8
RIVALS = 64  # members of other days: with eight, which days they are moves the ratio by 5 %
RARE = 0.999
Scores = dict[str, dict[str, float]]


def finest_power(fields: Array) -> float:
    """Power of fields (..., y, x) in the finest octave of wave numbers, under Hann's window: they need not be periodic.

    Parameters
    ----------
    fields : fine fields
    """
    ny, nx = fields.shape[-2:]
    size = np.hypot(np.fft.fftfreq(ny)[:, None], np.fft.fftfreq(nx))
    shell = (size >= 0.25) & (size < 0.5)
    window = np.hanning(ny)[:, None] * np.hanning(nx)
    amplitude = np.abs(np.fft.fft2((fields - fields.mean((-2, -1), keepdims=True)) * window))
    return float((amplitude * amplitude)[..., shell].mean())


def of_other_days(test: Scene, training: Scene, fields: Sequence[Field], number: int, seed: int) -> Array:
    """The rival that learns nothing: cubic splines, and the residuals of days of training, (number, n, fields, y, x).

    Parameters
    ----------
    test, training : scenes of one rectangle
    fields : what they are
    number : of members
    seed : of the days
    """
    rest = training.fields - bicubic(training.coarse, training.factor)
    pick = np.random.default_rng(seed).integers(len(rest), size=(number, len(test.fields)))
    out = np.asarray(bicubic(test.coarse, test.factor)[None] + rest[pick])
    for k, field in enumerate(fields):
        if field.positive:
            out[:, :, k] = np.clip(out[:, :, k], 0.0, None)
    return out


def scores(
    model: Downscaling, tests: Sequence[tuple[Scene, Projection]], training: Scene, seed: int, number: int = MEMBERS
) -> Scores:
    """The numbers of the card, by field.

    Parameters
    ----------
    model : trained
    tests : scenes of one rectangle, each with the projection of its grids
    training : what it learned from
    seed : of the draws
    number : of members
    """
    made = [members(model, s.coarse, s.ground, number, seed, projection=p) for s, p in tests]
    free = np.concatenate([members(model, s.coarse, s.ground, 1, seed)[0] for s, _ in tests], axis=1)
    rival = np.concatenate([of_other_days(s, training, model.fields, RIVALS, seed) for s, _ in tests], axis=1)
    drawn = np.concatenate([d for d, _ in made], axis=1)
    expected = np.concatenate([e for _, e in made])
    truth = np.concatenate([s.fields for s, _ in tests])
    coarse = np.concatenate([s.coarse for s, _ in tests])
    found = {}
    for k, field in enumerate(model.fields):
        right, mine = truth[:, k], drawn[:, :, k]
        crps = float(fair_crps(mine, right).mean())
        power = finest_power(right)
        wrong, loose = (
            float(np.sqrt(np.mean((means(a[0, :, k], model.factor) - coarse[:, k]) ** 2)) / coarse[:, k].std())
            for a in (drawn, free)
        )
        high = [float(np.quantile(a, RARE)) for a in (mine, right)]
        found[field.name] = {
            "crps_vs_mean": crps / float(np.abs(expected[:, k] - right).mean()),
            "crps_vs_other_days": crps / float(fair_crps(rival[:, :, k], right).mean()),
            "spectrum": finest_power(mine) / power, "spectrum_of_mean": finest_power(expected[:, k]) / power,
            "spread_over_error": spread_over_error(mine, right), "coarse_mean": wrong, "coarse_mean_free": loose,
            "rare": high[0] / high[1],
        }  # fmt: skip
    return found


def run(
    seed: int, days: int = DAYS, tested: int = TESTED, regression: int = REGRESSION, draws: int = DIFFUSION
) -> Scores:
    """Train on one season of the ideal truth and score on another.

    Parameters
    ----------
    seed : of everything random but the weather
    days, tested : of the training and the test season
    regression, draws : steps of both networks
    """
    training, test = ideal.scene(days, ideal.TRAINING, 101), ideal.scene(tested, ideal.TESTING, 202)
    model, _ = train(
        training, ideal.FIELDS, seed, tell=lambda text: print(text, flush=True), regression=regression, draws=draws
    )
    return scores(model, [(test, Projection(*ideal.grids()))], training, 1000 * seed)


def as_table(rows: Sequence[Scores], title: str) -> str:
    """Mean (least to most) over the seeds, Markdown.

    Parameters
    ----------
    rows : of trainings
    title : of what, for the heading
    """
    keys = list(next(iter(rows[0].values())))
    head = [
        f"# Model card: generative downscaling of {title}", "",
        f"Mean (least to most) of {len(rows)} trainings on one season, scored on another; ratios, and errors of coarse",
        "means in standard deviations. Written by `evaluate`.", "",
    ]  # fmt: skip
    out = [*head, f"| | {' | '.join(k.replace('_', ' ') for k in keys)} |", "|---" * (len(keys) + 1) + "|"]
    for name in rows[0]:
        cells = []
        for key in keys:
            values = [r[name][key] for r in rows]
            cells.append(f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})")
        out.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(out) + "\n"
