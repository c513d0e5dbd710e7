# SPDX-License-Identifier: BSD-3-Clause
"""What ``./run_case.py spinup --help`` teaches."""

from coupler.paths import COMMAND

HELP = f"""what it does:
  Carbon in wood, debris and the soil takes centuries to come to rest. It need not be run: under the means of a year
  these stores are a linear system. This command takes them out of the newest complete restart, solves the system, and
  writes the restart again, whole; the one before is kept in run/before_spin_up. Leaves, roots, water and heat stay.

how to use it:
  1  {COMMAND} cases/land              run the case for a year at least, so that its means know all seasons;
                                       of a longer case one year:  {COMMAND} resubmit cases/land --every P1Y --pieces 1
  2  {COMMAND} spinup cases/land       look at what has changed
  3  {COMMAND} cases/land --continue   another year (raise duration): what falls as litter has changed with it
  4  2 and 3 again, until 2 changes little: two or three times

  --years 300 gives the stores as they are after 300 years of such weather instead of at rest.
  Stands that were felled, burnt or planted become as old as the namelist says (disturbance, of the column land).
"""
