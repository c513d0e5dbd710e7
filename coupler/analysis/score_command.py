# SPDX-License-Identifier: BSD-3-Clause
"""The command ``score``: its options, what its help teaches, and the pages that it makes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from coupler.errors import CaseError, TesseraError
from coupler.paths import COMMAND, DATA, NAMELISTS

if TYPE_CHECKING:
    from coupler.case.reading import Case

EXAMPLES = f"""Pages lie in CASE/run/score, each with its numbers as CSV; they open without a server.
What is compared is what the run has written: add fields to  output:  of a component and run it again.

  page           needs of the output                                        beside
  score          any field that observations have                           --against FILE ...
  added_value    such fields; winds or rain for spectra                     --driver [FILE ...]
  cyclones       air_pressure_at_mean_sea_level, eastward_wind_at_850hPa,   --cyclones [BEST TRACKS ...]
                 northward_wind_at_850hPa, air_temperature_at_300hPa, and
                 air_temperature_at_500hPa, every 6 h or more often
  monsoon        winds at 850, 500 and 200 hPa, geopotential_height_at_500hPa, precipitation_flux
  stations       what the list names, every hour                            --stations stations.yaml
  ensemble       of a case with  instances: any field that observations     --against FILE ...
                 have; a member by itself: {COMMAND} score CASE/run/member_000

examples:
  {COMMAND} score cases/june                                    beside COADS and Esbensen-Kushnir
  {COMMAND} score cases/june --against era5_2001-06.nc          beside a file of your own
  {COMMAND} score cases/june --driver                           also beside the analyses that drive it
  {COMMAND} score cases/june --cyclones bst_all.txt --monsoon
  {COMMAND} score cases/june --stations stations.yaml           the list: docs/long_runs.md

Files of --against and --driver may be monthly means, climatologies, or times of a reanalysis, of which those within
the run count. Variables are found by standard name or the short names of ERA5, NCEP and CMIP6; units are converted,
or refused.
"""


OF_ONE_RUN = ("driver", "cyclones", "monsoon", "stations")
"""Options that an ensemble does not take."""


def describe_score(scores: argparse.ArgumentParser) -> None:
    """Add the options of the command.

    Parameters
    ----------
    scores : parser of the command
    """
    scores.add_argument("case", type=Path, help="a case that has run")
    scores.add_argument(
        "--against", type=Path, nargs="+", metavar="FILE", help="CF netCDF (default: COADS and ESKU of East Asia)"
    )
    scores.add_argument(
        "--regions", type=Path, metavar="FILE", help="boxes (default: namelists/regions/east_asia.yaml)"
    )
    scores.add_argument(
        "--driver",
        type=Path,
        nargs="*",
        metavar="FILE",
        help="also what the run adds to its driver, or to that of these analyses: added_value.html",
    )
    scores.add_argument(
        "--cyclones",
        type=Path,
        nargs="*",
        metavar="FILE",
        help="also tropical cyclones, beside best tracks (RSMC, IBTrACS) if some are given: cyclones.html",
    )
    scores.add_argument("--monsoon", action="store_true", help="also indices of the East Asian monsoon: monsoon.html")
    scores.add_argument(
        "--stations", type=Path, metavar="FILE", help="also hourly stations, listed in this YAML: stations.html"
    )


def score(options: argparse.Namespace) -> int:
    """Make the pages asked for; those that can be made do not wait for those that cannot.

    Parameters
    ----------
    options : of `describe_score`

    Raises
    ------
    CaseError
        All that is wrong with pages that could not be made.
    """
    from coupler.analysis.score_card import make_score_card
    from coupler.case.case import make_plan
    from coupler.case.members import ensemble_of

    against = options.against or sorted(DATA.glob("*_observed_*.nc"))
    regions = options.regions or NAMELISTS / "regions" / "east_asia.yaml"
    ensemble = ensemble_of(options.case)
    if ensemble is not None:
        return _score_ensemble(ensemble, options, against, regions)
    plan = make_plan(options.case)

    def card() -> list[Path]:
        from coupler.analysis.added_value import driver_of

        driver = None if options.driver is None else options.driver or driver_of(plan)
        return make_score_card(plan, against, regions, driver)

    def cyclones() -> list[Path]:
        from coupler.analysis.cyclones.card import make_cyclone_card

        return make_cyclone_card(plan.folder, options.cyclones)

    def monsoon() -> list[Path]:
        from coupler.analysis.monsoon_card import make_monsoon_card

        return make_monsoon_card(plan.folder)

    def stations() -> list[Path]:
        from coupler.analysis.station_card import make_station_card

        return make_station_card(plan.folder, options.stations)

    wanted = [(True, card), (options.cyclones is not None, cyclones), (options.monsoon, monsoon)]
    wrong = []
    for chosen, make in [*wanted, (bool(options.stations), stations)]:
        if not chosen:
            continue
        try:
            for path in make():
                print(path)
        except TesseraError as error:  # the other pages do not wait for it
            wrong.append(str(error))
    if wrong:
        raise CaseError("\n".join(wrong))
    return 0


def _score_ensemble(case: Case, options: argparse.Namespace, against: list[Path], regions: Path) -> int:
    """The page of members together; the other pages are those of one run."""
    from coupler.analysis.ensemble_card import make_ensemble_card

    asked = [f"--{name}" for name in OF_ONE_RUN if getattr(options, name) not in (None, False)]
    if asked:
        raise CaseError(
            f"{', '.join(asked)}: expected one run, found an ensemble; score a member:"
            f" {COMMAND} score {options.case}/run/member_000 {' '.join(asked)}"
        )
    for path in make_ensemble_card(case, against, regions):
        print(path)
    return 0
