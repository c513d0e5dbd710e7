# SPDX-License-Identifier: BSD-3-Clause
"""Calls the checks of a script on all ranks; one rank's failure ends them all with its traceback."""

import sys
import traceback

from mpi4py import MPI


def run_checks(namespace):
    """Call every function whose name begins with ``check_`` with the world communicator."""
    comm = MPI.COMM_WORLD
    names = [n for n in namespace if n.startswith("check_")]
    for name in names:
        try:
            namespace[name](comm)
        except BaseException:
            print(f"{name} on rank {comm.Get_rank()} of {comm.Get_size()}:", file=sys.stderr)
            traceback.print_exc()
            sys.stderr.flush()
            comm.Abort(1)
        comm.Barrier()
        if comm.Get_rank() == 0:
            print(f"passed {name}", flush=True)
