# SPDX-License-Identifier: BSD-3-Clause
"""What learned components are worth beside what needs no learning.

    .venv/bin/python benchmarks/learned.py adaptive solution downscaling da ens forecast

Data: a folder with data/land, given by --shared or TESSERA_SHARED (solution).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

Results = dict[str, float]


def adaptive(folder: Path) -> Results:
    """Heating error left where a fifth of 3000 unseen columns is right, chosen by the predicted error."""
    from components.ml_surrogates import drawn_columns
    from components.ml_surrogates.radiation_emulator import error_evaluation, error_predictor, networks
    from components.ml_surrogates.radiation_emulator.__main__ import COLUMNS
    from components.ml_surrogates.radiation_emulator.evaluation import unseen

    path = networks.path_of("mlp")
    net, card = networks.load(path)
    predictor = error_predictor.load(path.with_name("mlp_error"), card)
    test = unseen(drawn_columns.read(COLUMNS), error_evaluation.NUMBER, 11)
    s = error_evaluation.found(net, predictor, test).scores(0.2)
    print(", ".join(f"{k} {v:.3f}" for k, v in s.items()))
    return {"vs_random": s["vs_random"], "vs_oracle": s["vs_oracle"], "rank_correlation": s["rank_correlation"]}


def solution(folder: Path) -> Results:
    """Evaluations of the stomatal optimum over a day of DE-Tha, by where the search starts; mean a leaf and call."""
    found: Results = {}
    for name in ("wang", "sperry"):
        mean, worst = over_a_day(folder, name)
        print(f"{name}: " + ", ".join(f"{k} {v:.2f}" for k, v in mean.items()))
        print(f"largest difference of the root, relative: {worst:.1e}")
        of = "evaluations" if name == "wang" else f"evaluations.{name}"
        found |= {of if start == "learned" else f"{of}.{start}": value for start, value in mean.items()}
    return found


def over_a_day(folder: Path, name: str) -> tuple[Results, float]:
    """Evaluations by the start of the search on the second day of a run, and the largest difference of the roots."""
    from benchmarks.land_sites import half_hourly, site_start
    from components.land.column.column import Options
    from components.land.column.first_guess import guessed, load
    from components.land.column.first_guess_training import evaluations
    from components.land.column.gas_exchange import Stomata
    from components.land.column.optimality import Scene, optimise
    from components.land.column.photosynthesis import assimilation
    from components.land.column.site import run
    from components.land.column.structure import gather

    calls: list[tuple[Scene, torch.Tensor]] = []

    class Recording(Stomata):
        def __call__(self, leaf, ca, vpd, humidity, pressure, plant, temperature, guess=None):  # type: ignore[no-untyped-def]
            calls.append((Scene(leaf, ca, vpd / pressure, plant, temperature), guess))
            return super().__call__(leaf, ca, vpd, humidity, pressure, plant, temperature, guess)

    weather, p, leaves, _ = half_hourly(folder, "DE-Tha")
    for part in ("temperature", "humidity", "pressure", "wind", "shortwave", "longwave", "precipitation", "co2"):
        setattr(weather, part, getattr(weather, part)[:96])
    stomata = Recording(name)
    run(weather, p, Options(stomata=stomata), leaves, site_start(p, weather))
    net, model, turns, worst = load(), stomata.model, 5, 0.0
    counts: dict[str, list[float]] = {}
    for n, (scene, last) in enumerate(calls[len(calls) // 2 :]):
        shape = scene.leaf.respiration.shape
        live = torch.nonzero((assimilation(scene.leaf, scene.ca) > 0.0).expand(shape).flatten())[:, 0]
        if not len(live):
            continue
        few, before = gather((scene, last), shape, live)
        starts = {"from_middle": None, "from_last": before, "learned": guessed(net, model, few)}
        of = {start: evaluations(model, few, guess) for start, guess in starts.items()}
        of["learned_then_last"] = of["from_last"] if n % turns else of["learned"]
        for start, values in of.items():
            counts.setdefault(start, []).extend(values.tolist())
        a, b = (optimise(model, few, 40, guess=starts[k]).conductance for k in ("from_last", "learned"))
        worst = max(worst, float((torch.abs(a - b) / torch.clamp(a, min=1e-6)).max()))
    return {start: float(np.mean(v)) for start, v in counts.items()}, worst


def downscaling(folder: Path) -> Results:
    """Fields of an ideal truth drawn from coarse ones, beside the regression alone: two minutes of training."""
    from components.ml_surrogates.downscaling.evaluation import run

    by_field = run(1)
    for name, scores in by_field.items():
        print(f"{name}: " + ", ".join(f"{k} {v:.3f}" for k, v in scores.items()))
    return {k: float(np.mean([s[k] for s in by_field.values()])) for k in ("crps_vs_mean", "spectrum")}


def da(folder: Path) -> Results:
    """Errors of analyses of Lorenz's model by a network, over those of its twin without observations and of 3DVar."""
    from components.ml_surrogates.data_assimilation.learned import evaluation, training

    found = {}
    for name in ("all", "none"):
        net, course = training.train(training.Settings(observations=name))
        found[name] = evaluation.scores(net, 1, number=1)
        print(f"observations {name}: {course.cpu_seconds:.0f} CPU s, {found[name]}")
    analysis = found["all"].analysis
    return {
        "vs_corr": analysis / found["none"].analysis,
        "vs_3dvar": analysis / evaluation.rivals(1)["3DVar"],
    }


def ens(folder: Path) -> Results:
    """CRPS of a learned ensemble over that of tuned noise at start and steps; its spread over error furthest from 1."""
    from components.ml_surrogates.ensemble import evaluation, training
    from components.ml_surrogates.ensemble.toys import Case

    found: Results = {}
    cases: tuple[Case, ...] = ("alike", "flow")
    for case in cases:  # flow: the error depends on the flow
        single = training.train(training.Settings(case, loss="deterministic"))[0]
        net = training.train(training.Settings(case, rate=2e-3), start=single)[0]
        c = evaluation.compare(net, single, case, 1)
        for lead in c.learned:
            print(f"{case}, lead {lead.time:.1f}: spread over error {lead.spread:.2f}, CRPS {lead.crps:.4f}")
        of = "" if case == "alike" else f"{case}."
        found[f"{of}crps_vs_noise"] = c.vs_noise
        found[f"{of}ssr"] = max((a.spread for a in c.learned), key=lambda s: abs(s - 1.0))
    return found


def forecast(folder: Path) -> Results:
    """CPU seconds of six hours at 295 km by the atmosphere's core, over those of the shipped forecast; one thread."""
    from components.ml_surrogates.forecast import evaluation, files

    s = evaluation.speed(files.load(files.SHIPPED).net)
    print(", ".join(f"{k} {v:.4g}" for k, v in s.items()))
    return {"speedup": s["speedup"]}


PARTS: dict[str, Callable[[Path], Results]] = {
    "adaptive": adaptive, "solution": solution, "downscaling": downscaling, "da": da, "ens": ens,
    "forecast": forecast,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=f"of {', '.join(PARTS)}; none: all")
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = []
    for part in options.parts or PARTS:
        print(f"{part}: {PARTS[part].__doc__}")
        lines += [f"RESULT learned.{part}.{name} {value:.3f}" for name, value in PARTS[part](options.shared).items()]
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
