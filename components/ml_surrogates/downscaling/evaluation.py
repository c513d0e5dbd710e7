# SPDX-License-Identifier: BSD-3-Clause
"""Scores of drawn fields beside the regression alone, and beside cubic splines with residuals of other days."""

import numpy as np

from coupler.analysis.ensemble_scores import fair_crps, spread_over_error

from .ideal import FACTOR, FIELDS, SIDE, TESTING, TRAINING, Array, Scene, grids, means, scene
from .projection import Projection
from .two_steps import Downscaling, bicubic, members, train

DAYS, TESTED, MEMBERS = 256, 16, 8
RARE = 0.999


def finest_power(fields: Array) -> float:
    """Power of fields (..., y, x) in the finest octave of wave numbers.

    Parameters
    ----------
    fields : fine fields
    """
    k = np.fft.fftfreq(fields.shape[-1], 1.0 / fields.shape[-1])
    size = np.hypot(np.fft.fftfreq(fields.shape[-2], 1.0 / fields.shape[-2])[:, None], k)
    shell = (size >= fields.shape[-1] / 4) & (size < fields.shape[-1] / 2)
    amplitude = np.abs(np.fft.fft2(fields))
    return float((amplitude * amplitude)[..., shell].mean())


def of_other_days(test: Scene, training: Scene, number: int, seed: int) -> Array:
    """The rival that learns nothing: cubic splines, and the residuals of days of training, (number, n, 2, y, x).

    Parameters
    ----------
    test, training : scenes
    number : of members
    seed : of the days
    """
    rest = training.fields - bicubic(training.coarse)
    pick = np.random.default_rng(seed).integers(len(rest), size=(number, len(test.fields)))
    return np.asarray(bicubic(test.coarse)[None] + rest[pick])


def scores(
    model: Downscaling, test: Scene, training: Scene, seed: int, number: int = MEMBERS
) -> dict[str, dict[str, float]]:
    """The numbers of the card, by field.

    Parameters
    ----------
    model : trained
    test, training : scenes
    seed : of the draws
    number : of members
    """
    drawn, expected = members(model, test.coarse, test.relief, number, seed, projection=Projection(*grids()))
    free, _ = members(model, test.coarse, test.relief, 1, seed)
    rival = of_other_days(test, training, number, seed)
    found = {}
    for k, name in enumerate(FIELDS):
        right, mine = test.fields[:, k], drawn[:, :, k]
        crps = float(fair_crps(mine, right).mean())
        truth = finest_power(right)
        coarse = test.coarse[:, k]
        wrong, loose = (
            float(np.sqrt(np.mean((means(a[0, :, k]) - coarse) ** 2)) / coarse.std()) for a in (drawn, free)
        )
        high = [float(np.quantile(a, RARE)) for a in (mine, right)]
        found[name] = {
            "crps_vs_mean": crps / float(np.abs(expected[:, k] - right).mean()),
            "crps_vs_other_days": crps / float(fair_crps(rival[:, :, k], right).mean()),
            "spectrum": finest_power(mine) / truth, "spectrum_of_mean": finest_power(expected[:, k]) / truth,
            "spread_over_error": spread_over_error(mine, right), "coarse_mean": wrong, "coarse_mean_free": loose,
            "rare": high[0] / high[1],
        }  # fmt: skip
    return found


def run(seed: int, days: int = DAYS, tested: int = TESTED, **steps: int) -> dict[str, dict[str, float]]:
    """Train on one season and score on another.

    Parameters
    ----------
    seed : of everything random but the weather
    days, tested : of the training and the test season
    steps : of `two_steps.train`
    """
    training, test = scene(days, TRAINING, 101), scene(tested, TESTING, 202)
    model, _ = train(training, seed, tell=lambda text: print(text, flush=True), **steps)
    return scores(model, test, training, 1000 * seed)


def as_table(rows: list[dict[str, dict[str, float]]]) -> str:
    """Mean (least to most) over the seeds, Markdown.

    Parameters
    ----------
    rows : of `run`
    """
    keys = list(rows[0][FIELDS[0]])
    head = [
        "# Model card: generative downscaling of an ideal truth", "",
        "Mean (least to most) of some trainings on one season, scored on another; ratios, errors of coarse means in",
        "standard deviations. Written by `evaluate`.", "",
    ]  # fmt: skip
    out = [*head, f"| | {' | '.join(k.replace('_', ' ') for k in keys)} |", "|---" * (len(keys) + 1) + "|"]
    for name in FIELDS:
        cells = []
        for key in keys:
            values = [r[name][key] for r in rows]
            cells.append(f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})")
        out.append(f"| {name} | {' | '.join(cells)} |")
    return (
        "\n".join(out) + f"\n\n{len(rows)} trainings, {SIDE} x {SIDE} cells from {SIDE // FACTOR} x {SIDE // FACTOR}.\n"
    )
