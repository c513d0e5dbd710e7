# SPDX-License-Identifier: BSD-3-Clause
"""What ``./run_case.py score --help`` says below its options."""

EXAMPLES = """Pages lie in CASE/run/score, each with its numbers as CSV; they open without a server.
What is compared is what the run has written: add fields to  output:  of a component and run it again.

  page           needs of the output                                        beside
  score          any field that observations have                           --against FILE ...
  added_value    such fields; winds or rain for spectra                     --driver [FILE ...]
  cyclones       air_pressure_at_mean_sea_level, eastward_wind_at_850hPa,   --cyclones [BEST TRACKS ...]
                 northward_wind_at_850hPa, air_temperature_at_300hPa, and
                 air_temperature_at_500hPa, every 6 h or more often
  monsoon        winds at 850, 500 and 200 hPa, geopotential_height_at_500hPa, precipitation_flux
  stations       what the list names, every hour                            --stations stations.yaml

examples:
  ./run_case.py score cases/june                                    beside COADS and Esbensen-Kushnir
  ./run_case.py score cases/june --against era5_2001-06.nc          beside a file of your own
  ./run_case.py score cases/june --driver                           also beside the analyses that drive it
  ./run_case.py score cases/june --cyclones bst_all.txt --monsoon
  ./run_case.py score cases/june --stations stations.yaml           the list: docs/long_runs.md

Files of --against and --driver may be monthly means, climatologies, or times of a reanalysis, of which those within
the run count. Variables are found by standard name or
the short names of ERA5, NCEP and CMIP6; units are converted, or refused.
"""
