# SPDX-License-Identifier: BSD-3-Clause
"""All stomatal models at flux towers, uncalibrated: one table, one figure.

Half-hourly GPP, LE and H at DE-Tha (June 2014) and FR-Pue (May 2012); monthly GPP and ET at eleven FLUXNET2015 sites of
China and Japan. Leaf traits are the plant type's, at FR-Pue those of holm oak (land_sites.SITES). Shortwave is
PPFD / 2.02; LE is also compared with towers whose balance is closed (Twine et al. 2000).

    .venv/bin/python benchmarks/land_stomatal_models.py --figure docs/figures/land_stomatal_models.png
    .venv/bin/python benchmarks/land_stomatal_models.py --models medlyn wang

Data: a folder with data/land, given by --shared or TESSERA_SHARED.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from benchmarks import land_monthly
from benchmarks.land_side_by_side import MODELS, SideBySide, groups, repeat
from benchmarks.land_sites import NAMES, SITES, closed_towers, half_hourly, scores, site_parameters, site_start
from components.land.column.column import Options, step
from components.land.column.gas_exchange import Stomata
from components.land.column.site import FOLLOWED, forcing
from components.land.column.structure import cut, join

KEPT = [*NAMES.values(), "energy_residual", "ground_residual", "unsolved"]
assert set(KEPT) <= set(FOLLOWED)


def run_sites(folder: Path, models: Sequence[str]) -> dict[str, tuple[dict[str, dict[str, np.ndarray]], dict]]:
    """Series by model, and observations, by site; the sites are columns side by side, the shorter month is padded."""
    data = {site: half_hourly(folder, site) for site in SITES}
    given = [forcing(weather, leaves) for weather, _, leaves, _ in data.values()]
    p = site_parameters(list(SITES))
    p = p._replace(thickness=p.thickness.expand(-1, len(SITES)))
    start = join([site_start(own, weather) for weather, own, _, _ in data.values()])
    length = max(g.temperature.shape[0] for g in given)
    series: dict[str, dict[str, dict[str, np.ndarray]]] = {site: {} for site in SITES}
    for group in groups(models):
        n = len(group)
        many, state = repeat(p, n), repeat(start, n)
        options = Options(stomata=SideBySide(group, len(SITES)) if n > 1 else Stomata(group[0]))
        rows: dict[str, list[np.ndarray]] = {k: [] for k in KEPT}
        with torch.no_grad():
            for i in range(length):
                now = join([cut(g, slice(j, j + 1)) for g in given for j in (min(i, g.temperature.shape[0] - 1),)])
                state, out = step(state, repeat(now, n), many, 1800.0, options)
                for k in KEPT:
                    rows[k].append(getattr(out, k).numpy())
        for j, model in enumerate(group):
            for i, site in enumerate(SITES):
                series[site][model] = {k: np.array([row[j * len(SITES) + i] for row in v]) for k, v in rows.items()}
    return {site: (series[site], data[site][3]) for site in SITES}


def kept(folder: Path | None, name: str, run: Callable[[], Any]) -> Any:
    """Result of ``run``, from ``folder`` where it is there."""
    path = None if folder is None else folder / f"{name}.pickle"
    if path is not None and path.exists():
        return pickle.loads(path.read_bytes())
    result = run()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(result))
    return result


def _joined(parts: Sequence[Any]) -> Any:
    """Results of the groups as one."""
    ours = {m: v for part in parts for m, v in part[0].items()}
    return ours, parts[0][1], max(part[2] for part in parts)


def print_table(sites: dict[str, Any], monthly: Any, models: Sequence[str]) -> list[str]:
    """The table; returns the RESULT lines."""
    lines, header = [], f"{'':<22}"
    for site in SITES:
        header += f"{site + ' GPP':>16}{'LE':>13}{'LE, closed':>13}{'H':>13} |"
    print(header + f"{'monthly GPP':>15}{'ET':>13}")
    ours, theirs, _ = monthly
    for model in models:
        text = f"{model:<22}"
        for site, (series, observed) in sites.items():
            plain, closed = scores(series[model], observed), scores(series[model], closed_towers(observed))
            columns = {"GPP": plain["GPP"], "LE": plain["LE"], "LE_closed": closed["LE"], "H": plain["H"]}
            text += "".join(
                f"{rmse:>{8 if k == 'GPP' else 6}.{2 if k == 'GPP' else 0}f}{bias:>+7.{2 if k == 'GPP' else 0}f}"
                f"{' ' if k == 'GPP' else ''}" for k, (rmse, bias, _) in columns.items()
            ) + " |"  # fmt: skip
            lines += [f"RESULT land.{site}.{model}.{k}.rmse {v[0]:.3f}" for k, v in columns.items()]
            lines += [f"RESULT land.{site}.{model}.{k}.bias {v[1]:.3f}" for k, v in columns.items()]
        for k in ("GPP", "ET"):
            rmse, bias, _, _ = land_monthly.scores(ours[model][k], theirs[k])
            text += f"{rmse:>7.2f}{bias:>+6.2f}"
            lines += [
                f"RESULT land.monthly.{model}.{k}.rmse {rmse:.3f}",
                f"RESULT land.monthly.{model}.{k}.bias {bias:.3f}",
            ]
        print(text)
    return lines


def draw(sites: dict[str, Any], monthly: Any, models: Sequence[str], path: Path) -> None:
    """Mean day of GPP, LE, H at the two towers, mean year of GPP and ET over the monthly sites."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(13, 6.5), layout="constrained")
    colour = {m: plt.cm.tab20(i / 20) for i, m in enumerate(models)}
    units = {"GPP": "umol m$^{-2}$ s$^{-1}$", "LE": "W m$^{-2}$", "H": "W m$^{-2}$"}
    for row, site in zip(axes, sites, strict=True):
        series, observed = sites[site]
        for panel, k in zip(row, ("GPP", "LE", "H"), strict=False):
            n = len(observed[k]) // 48 * 48
            hour, there = np.arange(48) / 2, np.isfinite(observed[k][:n])
            for m in models:
                mean = np.where(there, series[m][NAMES[k]][:n], np.nan).reshape(-1, 48)
                panel.plot(hour, np.nanmean(mean, axis=0), color=colour[m], lw=1, label=m.replace("_", " "))
            panel.plot(hour, np.nanmean(observed[k][:n].reshape(-1, 48), axis=0), "k.", ms=4, label="tower")
            if k != "GPP":
                closed = closed_towers(observed)[k][:n].reshape(-1, 48)
                panel.plot(hour, np.nanmean(closed, axis=0), "k+", ms=4, label="tower, closed")
            panel.set(title=f"{site} {k}", ylabel=units[k], xlabel="hour of the day")
    ours, theirs, _ = monthly
    for panel, k in zip(axes[:, 3], ("GPP", "ET"), strict=True):
        there = np.isfinite(theirs[k]) & (theirs[k] > -9000) & np.isfinite(ours[models[0]][k])
        month = np.broadcast_to(np.arange(192)[:, None] % 12, there.shape)
        for m in models:
            panel.plot(range(1, 13), _by_month(ours[m][k], there, month), color=colour[m], lw=1)
        panel.plot(range(1, 13), _by_month(theirs[k], there, month), "k.")
        unit = "gC m$^{-2}$ d$^{-1}$" if k == "GPP" else "mm d$^{-1}$"
        panel.set(title=f"China, Japan: {k}", ylabel=unit, xlabel="month")
    figure.legend(*axes[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=7, fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=70)
    from PIL import Image

    Image.open(path).convert("RGB").quantize(160).save(path, optimize=True)  # under 100 kB
    print(f"figure: {path}")


def _by_month(values: np.ndarray, there: np.ndarray, month: np.ndarray) -> list[float]:
    return [values[w].mean() if (w := there & (month == i)).any() else np.nan for i in range(12)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS, help="stomatal models")
    parser.add_argument("--first", type=int, default=2004, help="first year of the monthly sites")
    parser.add_argument("--last", type=int, default=2006)
    parser.add_argument(
        "--season", type=int, nargs=2, default=(1, 12), help="first and last month of the monthly sites"
    )
    parser.add_argument("--figure", type=Path, help="file to draw to")
    parser.add_argument("--keep", type=Path, help="folder that keeps each part's result: a second call reads it there")
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    options = parser.parse_args()
    torch.set_num_threads(1)
    sites = kept(options.keep, "half_hourly", lambda: run_sites(options.shared, options.models))
    years, season = (options.first, options.last), tuple(options.season)
    monthly = _joined([
        kept(options.keep, f"monthly_{g[0]}", lambda g=g: land_monthly.simulate(options.shared, g, *years, season))
        for g in groups(options.models)
    ])  # fmt: skip
    print("RMSE and bias; half-hourly GPP in umol m-2 s-1, LE and H in W m-2; monthly GPP in gC m-2 d-1, ET in mm d-1")
    lines = print_table(sites, monthly, options.models)
    worst = max(float(np.abs(s["energy_residual"]).max()) for series, _ in sites.values() for s in series.values())
    print(f"largest energy residual: half-hourly {worst:.1e}, monthly {monthly[2]:.1e} W m-2\n")
    if options.figure:
        draw(sites, monthly, options.models, options.figure)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
