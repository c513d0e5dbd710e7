# SPDX-License-Identifier: BSD-3-Clause
"""Monthly GPP, NEE and leaf area at the FLUXNET2015 sites of China and Japan with leaves out of the plants' pools.

    .venv/bin/python benchmarks/land_monthly_leaves.py --years 3 --first 2004 --last 2006

Weather as in land_monthly.py, with days that differ in their light. Every year of every site is a column that repeats
its own weather: `--years` of growth, wood and organic matter set to rest after each (planted stands: to what has grown
on cleared ground since), and a last year that is compared. What is at rest is so under the growth that the carbon
dioxide of its time allowed (`past_growth`); `--steady`: under the last year's for ever.
With `--keep` the state after each year is written to a file, and a run that finds it goes on from there.
`--leaves prescribed` is the same with the table's leaf area, `--nitrogen` none, fun or demand.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from benchmarks.land_monthly import SITES, as_tensor, load, month_of, scores, with_measured_light
from components.land.column.column import Options, State, initial_state
from components.land.column.cycles import disturbance, spin_up
from components.land.column.cycles.disturbance import Past
from components.land.column.cycles.pools import Traits
from components.land.column.gas_exchange import Stomata
from components.land.column.options import ColumnOptions
from components.land.column.parameters import leaf_area, parameters
from components.land.column.richards import Bottom
from components.land.column.start import with_plants
from components.land.column.structure import named, rebuild

DEPOSITION = ColumnOptions().nitrogen_deposition  # kg N m-2 s-1
# What replaced a stand, and when. CN-Qia: ChinaFLUX's page of the site (planted in 1983); the soil under it is taken as
# at rest. At rest: CN-Cha, uneven-aged, trees of 300 years (CTFS-ForestGEO, Changbaishan), meadows, steppe and tundra.
Stands = Mapping[str, tuple[int, disturbance.Kind]]
STANDS: Stands = {"CN-Qia": (1983, "planting")}
# Carbon dioxide (ppm) in the mean of the years until one, rounded: Law Dome's ice (MacFarling Meure et al. 2006), from
# 1960 on Mauna Loa (Keeling et al. 1976).
CARBON_DIOXIDE = {
    1800: 280, 1850: 284, 1900: 291, 1925: 301, 1950: 308, 1960: 314, 1970: 321, 1980: 332, 1990: 347, 2000: 362,
    2005: 374,
}  # fmt: skip
NOW = 379.0  # ppm in 2005
RESPONSE = 0.6  # growth of four forests per ln of the carbon dioxide (Norby et al. 2005: 23 % from 376 to 550 ppm)
BOOKS = ("fixed", "leached", "DOC")  # of the cycles, beside what towers see


def past_growth() -> list[Past]:
    """Growth over that of 2005 under the carbon dioxide of earlier times."""
    return [Past(until=y, growth=1.0 + RESPONSE * math.log(c / NOW)) for y, c in CARBON_DIOXIDE.items()]


def at_age(state: State, traits: Traits, span: list[int], stands: Stands, past: Sequence[Past] = ()) -> State:
    """Wood, debris and organic matter at rest; those of stands that were replaced as old as they are."""
    assert state.cycles is not None
    now, spans = float(np.mean(span)), disturbance.spans_of
    rest = state._replace(cycles=spin_up.through(state.cycles, traits, spans(past, None, now)))
    for name, (year, kind) in stands.items():
        before, since = spans(past, None, float(year)), spans(past, float(year), now)
        young, _ = disturbance.regrown(state.cycles, traits, kind, now - year, 1.0, before, since)
        there = torch.tensor([k == name for k in SITES] * len(span))
        found = dict(named(rest._replace(cycles=young)))
        rest = rebuild(rest, {k: torch.where(there, found[k], v) for k, v in named(rest)})
    return rest


def simulate(
    folder: Path, first: int, last: int, years: int, leaves: str, nitrogen: str, hydraulics: str, stomata: str,
    keep: Path | None = None, stands: Stands = STANDS, measured_light: bool = False, steady: bool = False,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:  # fmt: skip
    """Monthly fluxes of the last year, observations, and leaf area by month, year and site."""
    latitude, longitude, drivers, observed = load(folder)
    drivers = with_measured_light(drivers) if measured_light else drivers
    span = list(range(first, last + 1))
    heights = np.tile([v[0] for v in SITES.values()], len(span)).astype(float)
    plants = [v[1] for v in SITES.values()] * len(span)
    pressure = 101325.0 * np.exp(-heights / 8400.0)
    p = parameters(plants, ["loam"] * len(plants), cycles=True, continuum=hydraulics == "continuum")
    lat, lon = (as_tensor(np.tile(v, len(span))) for v in (latitude, longitude))
    soil = p.texture
    wetness = (soil.field_capacity - soil.wilting) / (soil.theta_s - soil.wilting)
    mean = drivers[:, :, 1:3].mean((0, 2)) + 273.15
    state = initial_state(p, as_tensor(np.tile(mean, len(span))), wetness)
    state = with_plants(state, p, as_tensor(leaf_area(plants, 0.0)[0]))
    options = Options(
        stomata=Stomata(stomata), bottom=Bottom("free_drainage", slope=0.1), nitrogen=nitrogen,
        prognostic_leaves=leaves == "prognostic",
    )  # fmt: skip
    found = {k: np.full((192, len(SITES)), np.nan) for k in (*observed, *BOOKS)}
    area = np.zeros((12, len(span), len(SITES)))
    begin = 0
    if keep is not None and keep.exists():
        before = torch.load(keep)
        begin, state = int(before.pop("years")), rebuild(state, before)
        print(f"{begin} years before this one from {keep}")
    for turn in range(begin, max(years, begin) + 1):
        for month in range(12):
            rows = np.stack([drivers[12 * (y - 2001) + month, :, 1:] for y in span])
            given = rows.reshape(-1, rows.shape[-1]).T
            state, sums, _ = month_of(state, p, options, given, pressure, lat, lon, plants, month, True, DEPOSITION)
            area[month] = (p.cycles.sla * state.cycles.carbon.plant.leaf).numpy().reshape(len(span), -1)
            for k, values in sums.items():
                for j, year in enumerate(span):
                    found[k][12 * (year - 2001) + month] = values.reshape(len(span), -1)[j]
        for k in ("GPP", "NEE"):
            rmse, bias, _, _ = scores(found[k], observed[k])
            print(f"year {turn + 1}: {k} RMSE {rmse:.2f} bias {bias:.2f}", flush=True)
        state = at_age(state, p.cycles, span, stands, () if steady else past_growth())
        if keep is not None:
            torch.save({**dict(named(state)), "years": torch.tensor(turn + 1)}, keep)
    return found, observed, area


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=2004)
    parser.add_argument("--last", type=int, default=2006)
    parser.add_argument("--years", type=int, default=3)
    parser.add_argument("--leaves", choices=["prescribed", "prognostic"], default="prognostic")
    parser.add_argument("--nitrogen", choices=["none", "fun", "demand"], default="fun")
    parser.add_argument("--hydraulics", choices=["simple", "continuum"], default="simple")
    parser.add_argument("--stomata", default="medlyn")
    parser.add_argument("--at-rest", action="store_true", help="all stands, however old they are")
    parser.add_argument("--steady", action="store_true", help="growth has been the last year's for ever")
    parser.add_argument("--measured-light", action="store_true", help="as measured where land_monthly knows it")
    parser.add_argument("--keep", type=Path, help="file for the state after each year")
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    o = parser.parse_args()
    torch.set_num_threads(1)
    ours, theirs, area = simulate(
        o.shared,
        o.first,
        o.last,
        o.years,
        o.leaves,
        o.nitrogen,
        o.hydraulics,
        o.stomata,
        o.keep,
        {} if o.at_rest else STANDS,
        o.measured_light,
        o.steady,
    )
    print(
        f"\n{'site':<8}{'type':<30}{'GPP RMSE':>9}{'bias':>7}{'NEE RMSE':>9}{'bias':>7}"
        f"{'N fixed':>9}{'leached':>8}{'DOC':>6}   leaf area by month; g N, g C m-2 a-1"
    )
    for j, name in enumerate(SITES):
        text = "".join(
            f"{v:9.2f}{b:7.2f}" for k in ("GPP", "NEE") for v, b in [scores(ours[k][:, j], theirs[k][:, j])[:2]]
        )
        years = [365.0 * float(np.nanmean(ours[k][:, j])) for k in BOOKS]
        text += f"{years[0]:9.2f}{years[1]:8.2f}{years[2]:6.2f}"
        print(f"{name:<8}{SITES[name][1]:<30}{text}   " + " ".join(f"{v:.1f}" for v in area.mean(1)[:, j]))
    for k in theirs:
        rmse, bias, r, months = scores(ours[k], theirs[k])
        print(f"all sites {k}: RMSE {rmse:.2f}, bias {bias:.2f}, correlation {r:.2f}, {months} site months")
        print(f"RESULT land.leaves.{k}.rmse {rmse:.3f}\nRESULT land.leaves.{k}.bias {bias:.3f}")


if __name__ == "__main__":
    main()
