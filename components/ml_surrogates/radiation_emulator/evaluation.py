# SPDX-License-Identifier: BSD-3-Clause
"""Every number of the model card: both networks on columns never seen, beside ridge regression, the mean and RRTMGP."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from components.ml_surrogates import drawn_columns
from components.ml_surrogates.drawn_columns import Array
from components.ml_surrogates.model_file import SIDECAR, Sidecar, beside
from components.radiation import particles
from components.radiation.rrtmgp_scheme import FLUXES, sized_ice
from components.radiation.scheme import heating_rate
from components.science.constants import SOLAR_CONSTANT

from . import dataset, networks, rfmip
from .augmentation import Sample, plain, varied
from .dataset import FOR_SCORES, Batch
from .inputs import RadiationNetwork, inputs
from .scores import Prediction, Ridge, forcing, mean_profile_errors, predict, rms, scores
from .training import BOTH

Models = dict[str, tuple[RadiationNetwork, Sidecar]]
COLUMNS = {
    "heating": "heating, K/day", "heating_bias": "its bias", "olr": "OLR", "olr_bias": "its bias",
    "surface_longwave": "longwave down, ground", "surface_shortwave": "shortwave down, ground",
    "surface_shortwave_bias": "its bias", "reflected": "reflected, top",
}  # fmt: skip


def drawn(base: dict[str, Array], number: int, seed: int, split: str = "test") -> Sample:
    """Columns as drawn from places and days that were not trained on, under random suns (three tenths at night).

    More columns than there are come twice or more, each time under another sun.

    Parameters
    ----------
    base : drawn columns by name, (nz, n) or (n,)
    number : of columns
    seed : of the choice and of the suns
    split : whose columns are drawn, of `drawn_columns.SPLITS`
    """
    test = drawn_columns.of_split(base, split)
    rng = np.random.default_rng(seed)
    there = test["t"].shape[1]
    pick = np.concatenate([rng.permutation(there) for _ in range(-(-number // there))])[:number]
    mu = np.clip(rng.uniform(-0.43, 1.0, len(pick)), 0.0, 1.0)
    return plain({part: a[..., pick] for part, a in test.items()}, mu)


def unseen(base: dict[str, Array], number: int, seed: int, split: str = "test", draws: int = FOR_SCORES) -> Batch:
    """The columns of `drawn` with their fluxes.

    Parameters
    ----------
    base, number, seed, split : as of `drawn`
    draws : of RRTMGP's cloudy layers, over which the right fluxes are means
    """
    return dataset.labelled(drawn(base, number, seed, split), draws)


def model_card(a: argparse.Namespace) -> str:
    """Score the models; the card as Markdown."""
    base = drawn_columns.read(a.columns)
    models = {name: networks.load(path) for name, path in (("recurrent", a.recurrent), ("mlp", a.mlp)) if _there(path)}
    sample = drawn(base, a.columns_each, a.seed + 10)
    plain_set = dataset.labelled(sample, a.draws)
    test = drawn_columns.of_split(base, "test")
    rng = np.random.default_rng(a.seed + 11)
    own = dataset.labelled(varied(test, a.columns_each, None, rng))
    other = dataset.labelled(varied(test, a.columns_each, 44, rng))
    lines = ["# Model card: radiation emulator", "", *_origin(models), ""]
    lines += [
        "## Columns never seen",
        "",
        "Root mean squares against RRTMGP, W m-2 unless said; heating at pressures above 4 hPa. Where clouds fill a",
        f"part of a layer the right fluxes are means of {a.draws} draws of the cloudy layers (McICA), of the varied",
        f"columns of {FOR_SCORES}: their own noise is 1/{a.draws**0.5:.0f} and 1/{FOR_SCORES**0.5:.0f} of that of one",
        "draw, which is what a run with RRTMGP sees.",
        "Partly cloudy: columns with a layer that clouds fill in part.",
        "",
    ]
    lines += [f"| columns | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, (net, card) in models.items():
        sets = {"other places and days": plain_set, "the same, varied": own}
        if card.network == "recurrent":
            sets["varied, 44 other layers"] = other
        for what, b in sets.items():
            got = predict(net, b)
            for which, some in _kinds(b).items():
                lines.append(_row(f"{name}, {what}, {which}", scores(got, b, some)))
    one = Prediction(*(torch.tensor(a) for a in dataset.of_draws(sample, 1, first=a.draws).values()))
    for which, some in _kinds(plain_set).items():
        lines.append(_row(f"one draw of RRTMGP, other places and days, {which}", scores(one, plain_set, some)))
    lines += ["", *_rivals(base, models, plain_set, a.seed), "", *_four_times(base, models, a)]
    if a.rfmip is not None:
        lines += ["", *_rfmip(models, a.rfmip)]
    return "\n".join(lines) + "\n"


def _kinds(b: Batch) -> dict[str, torch.Tensor | None]:
    """Which columns are clear, and which have clouds in parts of layers."""
    fraction = b.x.columns.fraction
    partly = ((fraction > 0.0) & (fraction < 1.0)).any(0)
    return {"all": None, "clear": (fraction == 0.0).all(0), "partly cloudy": partly}


def _there(path: Path) -> bool:
    return beside(path, SIDECAR).exists()


def _row(name: str, values: dict[str, float]) -> str:
    return f"| {name} | " + " | ".join(f"{values[k]:.3f}" for k in COLUMNS) + " |"


def _origin(models: Models) -> list[str]:
    out = [
        "Trained on columns of this project's own atmosphere, started from an analytic jet on public-domain relief,",
        "varied widely and labelled by RRTMGP with clouds in parts of layers. RFMIP columns are for evaluation only.",
        "Written by `evaluate`.",
        "",
        "| network | sizes | columns | epochs (best) | CPU minutes of training | seed | training data SHA-256 |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, (_, card) in models.items():
        sizes = ", ".join(f"{k} {v}" for k, v in card.sizes.items())
        out += [
            f"| {stage} | {sizes} | {n['columns']} | {n['epochs']} ({n['best_epoch']}) | {n['cpu_minutes']} |"
            f" {card.seed} | {card.data_hash[:16]} |"
            for stage, n in _stages(name, card.notes)
        ]
    return out


def _stages(name: str, notes: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Trainings of a network, the first first: its name with what was trained then, and the notes of each."""
    told = name if len(notes.get("bands", BOTH)) == len(BOTH) else f"{name}, {notes['bands'][0]} again"
    return [*(_stages(name, notes["before"]) if "before" in notes else []), (told, notes)]


def _rivals(base: dict[str, Array], models: Models, b: Batch, seed: int) -> list[str]:
    """The networks beside ridge regression on the MLP's features, and beside the mean of the training columns."""
    training = dataset.together(dataset.batches(drawn_columns.of_split(base, "train"), 40, 128, seed + 20, (None,)))
    rows = {name: scores(predict(net, b), b) for name, (net, _) in models.items()}
    rows["ridge regression"] = Ridge(training).errors(b)
    rows["mean profile"] = mean_profile_errors(training, b)
    keys = ("heating", "olr", "surface_longwave", "surface_shortwave")
    out = [
        "## Beside simple rivals", "",
        "Ridge regression: the features of the MLP, and times the height of the sun.",
        "", f"| | {' | '.join(COLUMNS[k] for k in keys)} |", "|---|---|---|---|---|",
    ]  # fmt: skip
    return out + [f"| {name} | " + " | ".join(f"{v[k]:.3f}" for k in keys) + " |" for name, v in rows.items()]


def _net_down(f: Prediction | Batch) -> torch.Tensor:
    """Net downward flux at the top, W m-2."""
    return f.sw_down[-1] - f.sw_up[-1] - f.lw_up[-1]


def _four_times(base: dict[str, Array], models: Models, a: argparse.Namespace) -> list[str]:
    """Forcing by more carbon dioxide."""
    test = drawn_columns.of_split(base, "test")
    mu = np.clip(np.random.default_rng(a.seed + 30).uniform(-0.43, 1.0, test["t"].shape[1]), 0.0, 1.0)
    number = min(500, test["t"].shape[1])
    now = plain({part: v[..., :number] for part, v in test.items()}, mu[:number])
    out = [
        "## Forcing by carbon dioxide", "",
        f"Net downward flux at 0.1 hPa, temperatures held, {number} columns never seen.", "",
        "| network | times CO2 | forcing, W m-2 | RRTMGP's | ratio | RMSE by column | same sign |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    first = dataset.labelled(now)
    for times in (0.5, 2.0, 4.0, 8.0):
        more = replace(now, carbon_dioxide=times * now.carbon_dioxide)
        then = dataset.labelled(more)
        for name, (net, _) in models.items():
            f = forcing(*(_net_down(p) for p in (predict(net, first), predict(net, then), first, then)))
            out.append(
                f"| {name} | {times:g} | {f['forcing']:.3f} | {f['reference']:.3f} | {f['ratio']:.3f} |"
                f" {f['rmse']:.3f} | {100.0 * f['same_sign']:.1f} % |"
            )
    return out


def _rfmip(models: Models, folder: Path) -> list[str]:
    """Clear columns of RFMIP against RTE+RRTMGP, RRTMGP's own difference beside."""
    columns, gases, sun = rfmip.columns(folder)
    reference = {k: torch.tensor(v) for k, v in rfmip.references(folder).items()}
    scale = torch.tensor(sun / SOLAR_CONSTANT)
    scheme = sized_ice(gases)
    got = {"RRTMGP": {k: torch.tensor(v) for k, v in scheme.of_full(columns).items()}}
    clear = particles.uniform(columns)
    x = inputs(columns, (gases.carbon_dioxide, gases.methane, gases.nitrous_oxide), clear)
    empty = torch.zeros((columns.p.shape[0] + 1, columns.p.shape[1]))
    for name, (net, card) in models.items():
        if card.network == "recurrent":
            p = predict(net, Batch(x, empty, empty, empty, empty))
            got[name] = {k: getattr(p, k).double() for k in FLUXES}
    out = [
        "## RFMIP", "",
        "100 clear columns of 60 layers against RTE+RRTMGP (Pincus et al. 2016), root mean square (mean), W m-2.", "",
        "| | longwave up, top | longwave down, ground | shortwave up, top | shortwave down, ground | heating, K/day |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    p_i = columns.p_interface
    counted = columns.p > 400.0
    heat = {}
    for name, f in {"RTE+RRTMGP": reference, **got}.items():
        part = {k: v * (scale if k.startswith("sw") and name != "RTE+RRTMGP" else 1.0) for k, v in f.items()}
        got[name] = part
        net_up = part["lw_up"] - part["lw_down"] + part["sw_up"] - part["sw_down"]
        heat[name] = 86400.0 * heating_rate(net_up, p_i)
    pairs = [("RRTMGP", "RTE+RRTMGP"), ("recurrent", "RTE+RRTMGP"), ("recurrent", "RRTMGP")]
    for one, two in pairs:
        if one not in got:
            continue
        d = [
            got[one][k][level] - got[two][k][level]
            for k, level in (("lw_up", -1), ("lw_down", 0), ("sw_up", -1), ("sw_down", 0))
        ]
        cells = " | ".join(f"{rms(v):.2f} ({float(v.mean()):+.2f})" for v in d)
        out.append(f"| {one} - {two} | {cells} | {rms((heat[one] - heat[two])[counted]):.3f} |")
    return out
