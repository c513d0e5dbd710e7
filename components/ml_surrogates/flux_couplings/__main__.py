# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m components.ml_surrogates.flux_couplings train | evaluate``."""

import argparse
import hashlib
import os
from pathlib import Path

from components.ml_surrogates.command_line import SEED, CommandLine, written

os.environ.setdefault("OMP_NUM_THREADS", "1")


def train(a: argparse.Namespace) -> None:
    """One network of one coupling."""
    from components.ml_surrogates import model_file

    from . import coupled, series

    tower, coupling = series.read(a.tower), coupled.NAMED[a.coupling]
    there = len(tower.weather) // tower.a_day
    if a.first_day + a.days > there:
        raise SystemExit(f"{a.tower}: expected {a.days} days from day {a.first_day} on, found {there} days in all")
    net = coupled.fit(tower, coupling, a.first_day, a.days, a.seed)
    error = coupled.score(net, tower, coupling, a.first_day, a.days)
    used = {"weather": series.WEATHER, "inside": series.INSIDE, "fluxes": series.FLUXES}
    parts = ["inside" if coupling.intermediate else "weather", *(["fluxes"] if coupling.constrained else [])]
    ins = tuple(
        model_file.Variable(v.name, v.units, float(low), float(high))
        for part in parts
        for v, low, high in zip(
            used[part], getattr(tower, part).min(axis=0), getattr(tower, part).max(axis=0), strict=True
        )
    )
    digest = hashlib.sha256(tower.weather.tobytes() + tower.column.tobytes() + tower.measured.tobytes()).hexdigest()
    notes = {"tower": tower.name, "first_day": a.first_day, "days": a.days, "error": round(error, 4)}
    scale = dict(zip((v.name for v in series.FLUXES), coupled.SCALE.tolist(), strict=True))
    card = model_file.Sidecar(
        "flux_couplings", coupling.name, {"inputs": net.middle.numel(), "hidden": coupled.HIDDEN}, ins, series.FLUXES,
        scale, digest, a.seed, notes=notes,
    )  # fmt: skip
    model_file.save(a.out, net.state_dict(), card)
    print(f"{a.out}: {coupling.name} at {tower.name}, error {error:.3f} of the standard deviation on the other days")


def evaluate(a: argparse.Namespace) -> None:
    """Every number of the model card."""
    from . import evaluation, series, sites

    months = None if a.months is None else sites.read(a.months)
    written(evaluation.model_card([series.read(path) for path in a.towers], months, a.seeds), a.card)


def main(arguments: list[str] | None = None) -> None:
    """Parse and run."""
    from .coupled import NAMED

    line = CommandLine("components.ml_surrogates.flux_couplings", __doc__)
    p = line.trains("train", train, "train a network on a few days of a tower")
    p.add_argument("tower", type=Path, help="series of benchmarks/tower_series.py")
    p.add_argument("--coupling", choices=list(NAMED), default="1", help="numbers of Shen & Zhang (2023)")
    p.add_argument("--first-day", type=int, default=0, help="of the days trained on")
    p.add_argument("--days", type=int, default=3, help="trained on")
    p.add_argument("--seed", **SEED)
    p = line.scores("evaluate", evaluate, "all couplings at towers; writes the model card")
    p.add_argument("towers", nargs="+", type=Path, help="series of benchmarks/tower_series.py")
    p.add_argument("--months", type=Path, default=None, help="months of benchmarks/tower_series.py")
    p.add_argument("--seeds", type=int, default=5, help="trainings of each")
    line.run(arguments)


if __name__ == "__main__":
    main()
