# SPDX-License-Identifier: BSD-3-Clause
"""Training of the learned first guess, and what it is worth: evaluations of the optimality condition.

python -m components.land.column.first_guess_training train --out OUT
python -m components.land.column.first_guess_training evaluate
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor

from components.land.column.first_guess import KINDS, SHIPPED, FirstGuess, features, guessed, load, save
from components.land.column.hydraulics import Plant, Weibull
from components.land.column.optimality import LOWEST_DEFICIT, Model, Scene, balance, optimise
from components.land.column.photosynthesis import assimilation, c3_leaf
from components.land.column.roots import falling_root
from components.land.column.structure import gather

LEAVES, STEPS, RATE, BATCH = 40_000, 4000, 4.0e-3, 512
ENDS = 8.0  # of the log odds: nearer to an end of the curve all roots are alike
RANGES = {
    "temperature": (273.0, 315.0), "par": (5.0, 2200.0), "vcmax25": (3.0, 120.0), "ca": (250.0, 1100.0),
    "vpd": (60.0, 5000.0), "kmax": (0.0008, 0.02), "b": (0.8, 6.0), "c": (1.5, 6.0), "tension": (0.003, 2.5),
}  # fmt: skip
LOGARITHMIC = {"par", "vcmax25", "ca", "vpd", "kmax", "b", "tension"}


def leaves(n: int, seed: int) -> Scene:
    """Leaves of all climates that would assimilate, all C3 (fewer than ``n``, as some would not).

    Parameters
    ----------
    n : number drawn
    seed : of the draw
    """
    generator = torch.Generator().manual_seed(seed)
    v = {}
    for name, (low, high) in RANGES.items():
        u = torch.rand(n, generator=generator, dtype=torch.float64)
        v[name] = (
            low * torch.exp(u * torch.log(torch.tensor(high / low))) if name in LOGARITHMIC else low + u * (high - low)
        )
    tension = torch.minimum(v["tension"], 0.8 * v["b"])
    leaf = c3_leaf(v["temperature"], v["par"], v["vcmax25"], 1.8 * v["vcmax25"], 0.015 * v["vcmax25"])
    plant = Plant(v["kmax"], Weibull(v["b"], v["c"]), tension)
    scene = Scene(leaf, v["ca"], v["vpd"] / 1e5, plant, v["temperature"])
    live = torch.nonzero(assimilation(leaf, v["ca"]) > 0.0)[:, 0]
    return gather((scene,), v["ca"].shape, live)[0]


def log_odds(s: Tensor) -> Tensor:
    """Logarithm of s / (1 - s), held where roots are alike."""
    held = torch.clamp(s, 1e-4, 1.0 - 1e-4)
    return torch.clamp(torch.log(held / (1.0 - held)), -ENDS, ENDS)


def train(seed: int = 1, n: int = LEAVES, steps: int = STEPS) -> tuple[FirstGuess, str, float]:
    """A trained network, the SHA-256 of its training data, and the seconds it took.

    Parameters
    ----------
    seed : of leaves, weights and order
    n : leaves drawn
    steps : of Adam
    """
    started = time.process_time()
    scene = leaves(n, seed)
    x = features(scene)
    with torch.no_grad():
        y = torch.stack([log_odds(optimise(kind(), scene).s) for kind in KINDS], dim=-1).float()
    torch.manual_seed(seed)
    net = FirstGuess()
    net.middle.copy_(x.mean(0))
    net.width.copy_(x.std(0))
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1)
    for _ in range(steps):
        some = torch.randint(len(x), (BATCH,))
        wrong = net(x[some]) - y[some]
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.smooth_l1_loss(wrong, torch.zeros_like(wrong), beta=0.5).backward()
        optimiser.step()
        schedule.step()
    digest = hashlib.sha256(x.numpy().tobytes() + y.numpy().tobytes()).hexdigest()
    return net.eval(), digest, time.process_time() - started


def evaluations(model: Model, scene: Scene, guess: Tensor | None, tolerance: float = 1e-8) -> Tensor:
    """How often the condition is evaluated for each leaf until its root is found, (n,); leaves must assimilate.

    Parameters
    ----------
    model, scene : of `optimality.optimise`
    guess : conductance to start from, mol m-2 s-1; None: the middle of the supply curve
    tolerance : of the condition; a run has 1e-8
    """
    deficit = torch.clamp(scene.deficit, min=LOWEST_DEFICIT)
    start = torch.full_like(scene.ca, 0.5) if guess is None else guess * deficit / scene.plant.e_crit
    seen: list[Tensor] = []

    def condition(s: Tensor) -> Tensor:
        seen.append(balance(model, scene, s))
        return seen[-1]

    with torch.no_grad():
        falling_root(condition, start, 26, tolerance)
    done = torch.cumsum(torch.stack([f.abs() <= tolerance for f in seen]).long(), dim=0) > 0
    return 1.0 + (~done[:-1]).sum(0).double() if len(seen) > 1 else torch.ones_like(start)


def reached(model: Model, scene: Scene) -> Scene:
    """The leaves whose root is no end of the curve: where there is something to find.

    Parameters
    ----------
    model, scene : of `optimality.optimise`
    """
    with torch.no_grad():
        inside = torch.abs(optimise(model, scene, 40).residual) < 1e-8
    return gather((scene,), scene.ca.shape, torch.nonzero(inside)[:, 0])[0]


def table(net: FirstGuess, n: int = 4000, seed: int = 77) -> dict[str, dict[str, float]]:
    """By model: mean evaluations from the middle, from the last step's value where it is 5 or 20 % off, and learned.

    Parameters
    ----------
    net : trained
    n, seed : of leaves not trained on
    """
    rows = {}
    generator = torch.Generator().manual_seed(seed)
    everything = leaves(n, seed)
    for kind in KINDS:
        model = kind()
        scene = reached(model, everything)
        with torch.no_grad():
            right = optimise(model, scene, 40).conductance
            mine = optimise(model, scene, 40, guess=guessed(net, model, scene)).conductance
        noise = torch.randn(len(right), generator=generator, dtype=torch.float64)
        starts: dict[str, Tensor | None] = {"middle": None}
        starts |= {f"last, {100 * off:.0f} % off": right * torch.exp(off * noise) for off in (0.05, 0.2)}
        starts["learned"] = guessed(net, model, scene)
        rows[kind.__name__] = {k: float(evaluations(model, scene, start).mean()) for k, start in starts.items()}
        rows[kind.__name__]["root"] = float((torch.abs(mine - right) / torch.clamp(right, min=1e-6)).max())
    return rows


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(required=True, dest="what")
    p = sub.add_parser("train")
    p.add_argument("--out", type=Path, default=SHIPPED, help="files to write, without ending")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--steps", type=int, default=STEPS)
    p = sub.add_parser("evaluate")
    p.add_argument("--model", type=Path, default=SHIPPED, help="files of the network, without ending")
    a: Any = parser.parse_args()
    torch.set_num_threads(1)
    if a.what == "train":
        net, digest, seconds = train(a.seed, steps=a.steps)
        save(a.out, net, a.seed, digest, {"seconds": round(seconds, 1), "steps": a.steps})
        print(f"{a.out}: {seconds:.1f} s")
        return
    rows = table(load(a.model))
    names = list(next(iter(rows.values())))
    print(f"| model | {' | '.join(names[:-1])} | fewer than from the middle | largest difference of the root |")
    print("|---" * (len(names) + 2) + "|")
    for name, row in rows.items():
        cells = " | ".join(f"{row[k]:.2f}" for k in names[:-1])
        print(f"| {name} | {cells} | {100.0 * (1.0 - row['learned'] / row['middle']):.0f} % | {row['root']:.1e} |")


if __name__ == "__main__":
    main()
