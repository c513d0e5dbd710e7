# SPDX-License-Identifier: BSD-3-Clause
"""Carbon dioxide from stations: errors of inversion and networks beside tuned kriging, and CPU time of an analysis.

python benchmarks/co2.py --osse FILE    (made by python -m components.ml_surrogates.co2_reconstruction simulate)

Where the table of real stations is at hand, `co2_stations.py` comes after it; a clone without it says so.
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from benchmarks import co2_stations
from components.ml_surrogates.co2_reconstruction import osse, reconstruction, systems
from components.ml_surrogates.co2_reconstruction.comparison import Comparison, milliseconds, prior_of
from components.ml_surrogates.co2_reconstruction.scores import rmse
from components.ml_surrogates.co2_reconstruction.training import estimates
from components.ml_surrogates.estimation.analysis import Forcing


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--osse", type=Path, required=True, help="file of simulated flows")
    parser.add_argument(
        "--models",
        type=Path,
        nargs="*",
        default=[p.with_suffix("") for p in sorted(reconstruction.MODELS.glob("*.json"))],
    )
    parser.add_argument("--stations", type=Path, default=co2_stations.STATIONS, help="WDCGG's table of real stations")
    a = parser.parse_args()
    torch.set_num_threads(1)
    flows = osse.load(a.osse)
    past = systems.climate(flows)
    test, other = (Comparison(flows, past, kind) for kind in ("test", "validation"))
    kriging = test.still(test.kriging()[0]).rmse
    inversion = systems.interpolation(flows, past, test.dynamics)
    oi = test.cycled(inversion)[0].rmse
    print(f"{test.truth.shape[0]} flows, {len(flows.places)} stations, one thread; kriging {kriging:.2f} ppm")
    results = {"co2.inversion.vs_kriging": oi / kriging}
    state = inversion.start(torch.zeros(flows.shape))
    forcing = Forcing(flows.winds(0, 0), flows.mean_flux)
    now = test.reports.at(0, 0)
    results["co2.inversion.ms"] = milliseconds(
        lambda: inversion.analyse(inversion.advance(state, forcing, osse.EVERY), now)
    )
    for path in a.models:
        model = reconstruction.load(path)
        word = model.settings.prior
        fields = test.prior(prior_of(model, other))
        sample = test.windows(model.settings.frames, fields)
        error = test.network(model, sample).rmse
        minutes = json.loads(path.with_suffix(".json").read_text())["notes"]["cpu_minutes"]
        print(f"{path.name}: {error:.2f} ppm, {error / kriging:.3f} of kriging, {minutes} CPU minutes of training")
        if model.settings.network == "co2_net":
            results["co2.co2_net.vs_kriging"] = error / kriging
        elif word == "kriging":
            results["co2.network.vs_kriging"] = error / kriging
        else:
            own = float(rmse(fields[:, test.times] - test.truth, test.weights).mean())
            print(f"  on {word}: {own:.2f} ppm, {own / kriging:.3f} of kriging")
            if error / kriging < results.get("co2.hybrid.vs_kriging", float("inf")):  # the better of the shipped ones
                results["co2.hybrid.vs_inversion"] = error / own
                results["co2.hybrid.vs_kriging"] = error / kriging
        one = sample._replace(
            window=type(sample.window)(*(x[:1] for x in sample.window)),
            truth=sample.truth[:1],
            distance=sample.distance[:1],
        )
        each = milliseconds(lambda m=model, s=one: estimates(m, s))
        print(f"  {each:.0f} ms an analysis beside what it adds to")
        results["co2.network.ms"] = max(each, results.get("co2.network.ms", 0.0))
    if a.stations.exists():
        results |= co2_stations.scored(a.stations)
    else:
        print(f"real stations: no {a.stations}")
    for name, value in results.items():
        print(f"RESULT {name} {value:.4g}")


if __name__ == "__main__":
    main()
