# SPDX-License-Identifier: BSD-3-Clause
"""What choosing columns by their predicted error is worth: beside a random choice, the cloudiest, and the oracle's."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from components.ml_surrogates import drawn_columns
from components.ml_surrogates.drawn_columns import Array
from components.ml_surrogates.model_file import Sidecar
from components.radiation.full_columns import FullColumns
from components.radiation.rrtmgp_scheme import sized_ice

from . import dataset, networks
from .adaptive import PHYSICAL, RECURRENT, Order, tiers
from .augmentation import varied
from .dataset import Batch
from .error_predictor import ErrorPredictor, as_emulated, mean_square, train
from .evaluation import unseen
from .inputs import RadiationNetwork
from .scores import predict
from .streams import streamed

PLAIN, VALIDATED, VARIED = 12000, 4000, 8000
"""Columns for training: of training and of validation places as drawn, and varied ones."""
DRAWS = 128
"""Of the cloudy layers: the noise of the labels must be less than the errors that are learned."""
NUMBER = 3000
SHARES = (0.05, 0.1, 0.2, 0.4)


def training_columns(base: dict[str, Array], seed: int, part: float = 1.0) -> Batch:
    """Labelled columns from which the error is learned; none of a test place or day.

    Parameters
    ----------
    base : drawn columns by name, (nz, n) or (n,)
    seed : of suns and variations
    part : of the usual numbers
    """
    n = [max(int(part * number), 10) for number in (PLAIN, VALIDATED, VARIED)]
    changed = varied(drawn_columns.of_split(base, "train"), n[2], None, np.random.default_rng(seed + 42))
    splits = ((n[0], seed + 40, "train"), (n[1], seed + 41, "validation"))
    parts = [unseen(base, *split, draws=DRAWS) for split in splits]
    return dataset.together([*parts, dataset.labelled(changed, DRAWS)])


@dataclass(frozen=True)
class Found:
    """Errors of columns, and what was predicted of them: mean squares (n,), (K/day)2."""

    right: torch.Tensor
    predicted: torch.Tensor

    def left(self, by: torch.Tensor, share: float) -> float:
        """Root mean square heating error, K/day, where the ``share`` of columns with the largest ``by`` is right."""
        kept = tiers(by, Order(share)) != PHYSICAL
        return float(torch.sqrt((self.right * kept).mean()))

    def at_random(self, share: float) -> float:
        """The same where the columns are drawn, in the mean over all draws."""
        return float(torch.sqrt((1.0 - share) * self.right.mean()))

    def scores(self, share: float) -> dict[str, float]:
        """Errors left (K/day) by the predictor, a random choice and the oracle; their ratios; the rank correlation."""
        mine, random, oracle = self.left(self.predicted, share), self.at_random(share), self.left(self.right, share)
        order = [torch.argsort(torch.argsort(a)).double() for a in (self.predicted, self.right)]
        return {
            "predicted": mine, "random": random, "oracle": oracle, "vs_random": mine / random,
            "vs_oracle": mine / oracle, "rank_correlation": float(torch.corrcoef(torch.stack(order))[0, 1]),
        }  # fmt: skip


def found(net: RadiationNetwork, predictor: ErrorPredictor, b: Batch) -> Found:
    """Errors of a network on columns, right and predicted.

    Parameters
    ----------
    net : the emulator's
    predictor : of its errors
    b : labelled columns
    """
    got = predict(net, b)
    with torch.inference_mode():
        e = predictor(b.x, as_emulated(got, b)).double()
    return Found(mean_square(got, b), e * e)


def model_card(base: dict[str, Array], shipped: dict[str, tuple[Path, ErrorPredictor, Sidecar]], seed: int) -> str:
    """Every number of the card.

    Parameters
    ----------
    base : drawn columns
    shipped : predictors by network: the emulator's files, the predictor and its sidecar
    seed : of the test columns; predictors are trained anew with this seed and the next two
    """
    test = unseen(base, NUMBER, seed + 10)
    rng = np.random.default_rng(seed + 11)
    other = dataset.labelled(varied(drawn_columns.of_split(base, "test"), NUMBER, None, rng))
    data = training_columns(base, seed)
    lines = [
        "# Model card: predicted error of the radiation emulator", "",
        f"Trained on {data.lw_up.shape[1]} columns labelled by RRTMGP, places and days of `MODEL_CARD.md`.",
        "Written by `evaluate-error`.", "",
        "Heating error of the set, K/day, where the columns chosen are right; random: the mean over all draws.", "",
        "| network, columns | share | error, none chosen | predicted | random | oracle | cloudiest | to random |"
        " to oracle | rank correlation |",
        "|---" * 10 + "|",
    ]  # fmt: skip
    for name, (emulator, predictor, _) in shipped.items():
        net = networks.load(emulator)[0]
        for what, b in {"other places and days": test, "the same, varied": other}.items():
            cloud = (b.x.columns.liquid + b.x.columns.ice).sum(0)
            f = found(net, predictor, b)
            for share in SHARES:
                s = f.scores(share)
                values = (
                    f.left(f.right, 0.0),
                    *(s[k] for k in ("predicted", "random", "oracle")),
                    f.left(cloud, share),
                )
                cells = [*(f"{v:.3f}" for v in values), *(f"{s[k]:.3f}" for k in ("vs_random", "vs_oracle"))]
                lines.append(f"| {name}, {what} | {share:g} | {' | '.join(cells)} | {s['rank_correlation']:.3f} |")
    lines += ["", *_seeds(data, test, shipped, seed), "", *_tiers(test, shipped)]
    return "\n".join(lines) + "\n"


def _seeds(data: Batch, test: Batch, shipped: dict[str, tuple[Path, ErrorPredictor, Sidecar]], seed: int) -> list[str]:
    """Predictors trained anew with three seeds."""
    out = [
        "## Three seeds", "", "A fifth chosen, other places and days; mean (worst).", "",
        "| network | to random | to oracle | rank correlation | seconds of training |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, (emulator, _, _) in shipped.items():
        net = networks.load(emulator)[0]
        rows, seconds = [], []
        for n in range(3):
            predictor, took = train(net, data, seed + n)
            rows.append(found(net, predictor, test).scores(0.2))
            seconds.append(took)
        cells = []
        for key, worst in (("vs_random", max), ("vs_oracle", max), ("rank_correlation", min)):
            values = [r[key] for r in rows]
            cells.append(f"{np.mean(values):.3f} ({worst(values):.3f})")
        cells.append(f"{np.mean(seconds):.1f} ({max(seconds):.1f})")
        out.append(f"| {name} | {' | '.join(cells)} |")
    return out


def _tiers(test: Batch, shipped: dict[str, tuple[Path, ErrorPredictor, Sidecar]]) -> list[str]:
    """Error beside cost of one, two and three tiers."""
    nets = {name: networks.load(networks.path_of(name))[0] for name in ("mlp", "recurrent")}
    n = test.lw_up.shape[1]
    cost = {name: _seconds(partial(predict, streamed(net), test)) for name, net in nets.items()}
    columns = FullColumns(*(a.double() for a in test.x.columns))
    scheme = sized_ice()
    scheme.of_full(columns)  # the kernels are loaded
    cost["rrtmgp"] = _seconds(lambda: scheme.of_full(columns))
    wrong = {name: mean_square(predict(net, test), test) for name, net in nets.items()}
    predictor = shipped["mlp"][1]
    f = found(nets["mlp"], predictor, test)
    guess = _seconds(lambda: predictor(test.x, as_emulated(predict(nets["mlp"], test), test))) - cost["mlp"]
    out = [
        "## Where tiers pay", "",
        "Shares by the predicted error of the perceptron; cost as part of RRTMGP's for all columns, on one thread, the"
        " predictor counted.", "",
        "| RRTMGP | recurrent | perceptron | heating error, K/day | cost |", "|---|---|---|---|---|",
    ]  # fmt: skip
    rows = [(p, r) for p in (0.0, 0.05, 0.2, 0.4) for r in (0.0, 0.2, 0.4, 1.0 - p) if p + r <= 1.0]
    for physical, recurrent in rows:
        who = tiers(f.predicted, Order(physical, recurrent))
        left = torch.where(who == RECURRENT, wrong["recurrent"], wrong["mlp"]) * (who != PHYSICAL)
        alone = physical == 0.0 and recurrent == 1.0
        first = 0.0 if alone else cost["mlp"] + (guess if physical + recurrent > 0.0 else 0.0)
        whole = (first + physical * cost["rrtmgp"] + recurrent * cost["recurrent"]) / cost["rrtmgp"]
        rest = max(1.0 - physical - recurrent, 0.0)
        out.append(f"| {physical:g} | {recurrent:g} | {rest:g} | {float(torch.sqrt(left.mean())):.3f} | {whole:.3f} |")
    out += [
        "",
        f"Columns: {n}. A column that RRTMGP computes has its expected fluxes here; in a run it has one draw of them.",
    ]
    return out


def _seconds(call: Callable[[], object]) -> float:
    """Seconds of CPU that a call takes, the least of three."""
    times = []
    for _ in range(3):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return min(times)
