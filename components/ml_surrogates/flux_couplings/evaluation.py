# SPDX-License-Identifier: BSD-3-Clause
"""Every number of the model card: all couplings at the towers, post-refinement at places without one."""

from collections.abc import Callable, Sequence

import numpy as np

from .coupled import MIXED, NAMED, SINGLE, WEATHER_ALONE, Coupling, fit, scaled_error, score
from .series import Tower
from .sites import FLUXES, Months, leave_site_out

Rows = dict[str, list[float]]


def at_a_tower(
    tower: Tower, days: int, seeds: int, couplings: Sequence[Coupling] = tuple(NAMED.values()),
    tell: Callable[[str], None] = lambda text: None,
) -> Rows:  # fmt: skip
    """Scaled errors by coupling, one a seed: each seed has days of its own, spread over the series.

    Parameters
    ----------
    tower : its series
    days : of measurements for training
    seeds : number of trainings
    couplings : to train
    tell : takes a line after each seed
    """
    last = len(tower.weather) // tower.a_day - days
    rows: Rows = {}
    for seed in range(seeds):
        first = round((seed + 0.5) / seeds * last)
        rows.setdefault("mechanism", []).append(scaled_error(tower.fluxes, tower, first, days))
        for coupling in couplings:
            net = fit(tower, coupling, first, days, seed)
            rows.setdefault(coupling.name, []).append(score(net, tower, coupling, first, days))
        tell(f"{tower.name}, {days} days, seed {seed + 1} of {seeds}")
    return rows


def ratios(rows: Rows) -> dict[str, tuple[float, float]]:
    """Ratio of the mean errors to weather's alone, and the largest ratio of a seed.

    Parameters
    ----------
    rows : of `at_a_tower`
    """
    scratch = np.array(rows[WEATHER_ALONE.name])
    return {name: (float(np.mean(v) / scratch.mean()), float(np.max(v / scratch))) for name, v in rows.items()}


def tower_card(towers: Sequence[Tower], days: int, seeds: int, couplings: Sequence[Coupling]) -> str:
    """Table of the couplings at towers, Markdown.

    Parameters
    ----------
    towers : their series
    days, seeds, couplings : of `at_a_tower`
    """
    found = [at_a_tower(t, days, seeds, couplings) for t in towers]
    heads = " | ".join(f"{t.name}: error | of weather alone (worst seed)" for t in towers)
    out = [f"| {days} days of training | {heads} |", "|---" * (2 * len(towers) + 1) + "|"]
    for name in found[0]:
        cells = []
        for rows in found:
            mean, worst = ratios(rows)[name]
            cells += [f"{np.mean(rows[name]):.3f}", f"{mean:.2f} ({worst:.2f})"]
        out.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(out) + "\n"


def sites_card(months: Months, seeds: int) -> str:
    """Table of the post-refinement, Markdown.

    Parameters
    ----------
    months : of all places
    seeds : number of trainings
    """
    out = [
        "| flux | places, months | mechanism | line | refined, mean (worst) | of the mechanism | of the line |",
        "|---|---|---|---|---|---|---|",
    ]
    for flux, (name, units) in enumerate(FLUXES):
        m = months.with_enough(flux)
        rows = [leave_site_out(months, flux, seed) for seed in range(seeds)]
        mine = [r["refined"] for r in rows]
        raw, line = rows[0]["mechanism"], rows[0]["linear"]
        out.append(
            f"| {name}, {units} | {len(np.unique(m.place))}, {len(m.place)} | {raw:.3f} | {line:.3f} |"
            f" {np.mean(mine):.3f} ({max(mine):.3f}) | {np.mean(mine) / raw:.2f} (line {line / raw:.2f}) |"
            f" {np.mean(mine) / line:.2f} |"
        )
    return "\n".join(out) + "\n"


def model_card(towers: Sequence[Tower], months: Months | None, seeds: int) -> str:
    """The whole card.

    Parameters
    ----------
    towers : their series
    months : of places for the post-refinement, if there are any
    seeds : number of trainings
    """
    out = [
        "# Model card: couplings of the land column with networks of its fluxes", "",
        "Half-hourly GPP, LE and H; error: mean of their RMSE / standard deviation on all days not trained on,",
        f"{seeds} seeds, each with days of its own. Numbers are those of Shen & Zhang (2023): 1 initialisation,",
        "2 intermediate variable, 3 post-refinement, 7 input constraint. Written by `evaluate`.", "",
        "## All couplings and all mixtures of 1, 3 and 7 (coupling 10)", "",
        tower_card(towers, 3, seeds, tuple(NAMED.values())),
        tower_card(towers, 7, seeds, (WEATHER_ALONE, *SINGLE.values(), MIXED[-1])),
    ]  # fmt: skip
    if months is not None:
        out += ["## Post-refinement at places that were not trained on", "", sites_card(months, seeds)]
    return "\n".join(out)
