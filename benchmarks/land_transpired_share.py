# SPDX-License-Identifier: BSD-3-Clause
"""Transpired share of evapotranspiration at three towers, by underlying water-use efficiency and by the model itself.

    .venv/bin/python benchmarks/land_transpired_share.py

Columns: the tower's share; the model's in the same half-hours by the same method; the same with the tower's chance
errors on the model's fluxes (mean of 200 draws, seed 0), which is what compares with the tower; and what leaves have
transpired of all that evaporated. Data: a folder with data/land, given by --shared or TESSERA_SHARED.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from benchmarks.land_sites import TOWERS, half_hourly, site_parameters, site_start
from components.land.column.column import Options, step
from components.land.column.gas_exchange import Stomata
from components.land.column.site import forcing
from components.land.column.structure import cut, join
from components.land.column.water_use import Scatter, scatter, transpired_share, with_scatter

KEPT = ("gross_uptake", "upward_latent", "transpiration", "interception_loss", "ground_evaporation")
DRAWS = 200
LEAST_LATENT = 10.0  # W m-2
DAY = 48  # half-hours


class Share(NamedTuple):
    """Transpired shares in the half-hours that count, and the tower's chance errors."""

    tower: float
    model: float
    as_measured: float
    direct: float
    errors: dict[str, Scatter]


def measured(folder: Path, site: str) -> dict[str, np.ndarray]:
    """Half-hours of a tower by name, with which are ``good`` and which ``dry`` (no rain in the day before)."""
    import rdata

    frame = next(iter(rdata.read_rda(folder / "data" / "land" / "flux_halfhourly" / TOWERS[site]["file"]).values()))
    col = {k: frame[k].to_numpy(dtype=float, na_value=np.nan) for k in frame.columns}
    before = np.concatenate([[0.0], np.cumsum(np.nan_to_num(col["precip"]))])
    i = np.arange(before.size - 1)
    col["dry"] = before[i + 1] - before[np.maximum(i + 1 - DAY, 0)] <= 0.0
    good = (col["PPFD"] > 100.0) & (col["LE"] > LEAST_LATENT) & (col["LE_qc"] <= 1) & (col["NEE_qc"] <= 1)
    col["good"] = good & np.isfinite(col["GPP"]) & np.isfinite(col["VPD"])
    return col


def run(folder: Path, sites: Sequence[str], stomata: str = "medlyn") -> dict[str, dict[str, np.ndarray]]:
    """The column at towers, side by side, by half-hours; a month that is shorter goes on with its last one."""
    data = [half_hourly(folder, site) for site in sites]
    given = [forcing(weather, leaves) for weather, _, leaves, _ in data]
    p = site_parameters(list(sites))
    p = p._replace(thickness=p.thickness.expand(-1, len(sites)))
    state = join([site_start(own, weather) for weather, own, _, _ in data])
    lengths = [g.temperature.shape[0] for g in given]
    rows: dict[str, list[np.ndarray]] = {k: [] for k in KEPT}
    with torch.no_grad():
        for i in range(max(lengths)):
            now: Any = join(
                [cut(g, slice(j, j + 1)) for g, n in zip(given, lengths, strict=True) for j in (min(i, n - 1),)]
            )
            state, out = step(state, now, p, 1800.0, Options(stomata=Stomata(stomata)))
            for k in KEPT:
                rows[k].append(getattr(out, k).numpy())
    return {
        site: {k: np.array([row[j] for row in v])[: lengths[j]] for k, v in rows.items()}
        for j, site in enumerate(sites)
    }


def share_of(tower: dict[str, np.ndarray], ours: dict[str, np.ndarray], draws: int = DRAWS, seed: int = 0) -> Share:
    """Shares at one tower; with its errors on the model's fluxes, the mean over ``draws``."""
    good, dry, deficit = tower["good"], tower["dry"], tower["VPD"]
    gpp, latent = ours["gross_uptake"], ours["upward_latent"]

    def by_method(g: np.ndarray, le: np.ndarray) -> float:
        m = good & (le > LEAST_LATENT)
        return transpired_share(g[m], deficit[m], le[m], dry[m])

    errors = {"GPP": scatter(tower["GPP"], gpp, good), "LE": scatter(tower["LE"], latent, good)}
    gen = np.random.default_rng(seed)
    drawn = [
        by_method(with_scatter(gpp, errors["GPP"], gen), with_scatter(latent, errors["LE"], gen)) for _ in range(draws)
    ]
    m = good & (latent > LEAST_LATENT)
    leaves = ours["transpiration"][m].sum()
    rest = ours["interception_loss"][m].sum() + ours["ground_evaporation"][m].sum()
    return Share(
        by_method(tower["GPP"], tower["LE"]), by_method(gpp, latent), float(np.mean(drawn)),
        float(leaves / (leaves + rest)), errors,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stomata", default="medlyn")
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    o = parser.parse_args()
    torch.set_num_threads(1)
    ours = run(o.shared, list(TOWERS), o.stomata)
    print(f"{'':<8}{'tower':>8}{'model':>8}{'with errors':>13}{'direct':>8}   error of GPP (umol m-2 s-1), LE (W m-2)")
    for site in TOWERS:
        s = share_of(measured(o.shared, site), ours[site])
        said = ", ".join(f"{e.least:.1f} + {e.share:.2f} {k}" for k, e in s.errors.items())
        print(f"{site:<8}{s.tower:>8.3f}{s.model:>8.3f}{s.as_measured:>13.3f}{s.direct:>8.3f}   {said}")
        print(f"RESULT land.transpired_share.{site}.with_errors {s.as_measured:.3f}")


if __name__ == "__main__":
    main()
