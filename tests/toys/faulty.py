# SPDX-License-Identifier: BSD-3-Clause
"""Faults at certain moments: when one process of a run calls a function for the n-th time, something happens to it.

No sleeps and no luck: the moment is a call, so a fault falls where a test says. The run is started with `environment`;
every process of it then reads the fault before anything else (``faults/sitecustomize.py``).
"""

import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from coupler.case.launched import LAUNCHER, rank_here
from tests.toys import cases

VARIABLE = "TOY_FAULT"
FOLDER = Path(__file__).with_name("faults")


def environment(call, act, *, rank, count=1):
    """Environment of a run with a fault.

    Parameters
    ----------
    call : ``module:name`` or ``module:Class.name`` of the function at whose call it happens
    act : what happens, a name of `ACTS`, or ``self``, ``launcher`` or ``group`` and a signal's name; several by commas
    rank : world rank of the process, or None for the one that starts mpirun or runs serially
    count : which of the calls
    """
    fault = json.dumps({"call": call, "act": act, "rank": rank, "count": count})
    return {**cases.environment(), VARIABLE: fault, "PYTHONPATH": os.pathsep.join([str(FOLDER), str(cases.ROOT)])}


def arm():
    """Put the fault of the environment in place, in the process it is meant for."""
    if VARIABLE not in os.environ:
        return
    fault = json.loads(os.environ[VARIABLE])
    ranked = any(k in os.environ for k in ("PMIX_RANK", "OMPI_COMM_WORLD_RANK"))
    if (rank_here() if ranked else None) == fault["rank"]:
        put_in_place(**fault)


def put_in_place(call, act, count, rank=None):
    """Let `act` happen at the `count`-th call of a function."""
    module, _, path = call.partition(":")
    owner = importlib.import_module(module)
    *inner, name = path.split(".")
    for part in inner:
        owner = getattr(owner, part)
    real = getattr(owner, name)
    calls = []

    def faulty(*args, **kwargs):
        calls.append(1)
        if len(calls) == count:
            for each in act.split(", "):
                do(each)
        return real(*args, **kwargs)

    setattr(owner, name, faulty)


def do(act):
    """What befalls this process, or the launcher."""
    who, _, name = act.partition(" ")
    if name and who in ("launcher", "group", "self"):
        pid = os.getpid() if who == "self" else int(os.environ[LAUNCHER].split()[1])
        number = getattr(signal, name)
        (os.killpg if who == "group" else os.kill)(os.getpgid(pid) if who == "group" else pid, number)
    else:
        ACTS[act]()


def _raise(error):
    raise error


ACTS = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "hang": lambda: time.sleep(3600),
    "exit": lambda: sys.exit(0),
    "leave": lambda: os._exit(0),
    "raise": lambda: _raise(RuntimeError("the toy was told to fail")),
    "memory": lambda: _raise(MemoryError("the toy was told to be greedy")),
}
