# SPDX-License-Identifier: BSD-3-Clause
"""Batch scripts for machines: ``run_case.py script CASE --machine slurm``.

A machine is a file in ``namelists/machines``; a site copies one and edits it. Nothing in the case needs to be edited.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from pydantic import field_validator, model_validator

from coupler.case.case import make_plan
from coupler.case.members import ensemble_of
from coupler.clock import format_duration
from coupler.errors import CaseError
from coupler.fields import did_you_mean
from coupler.files.atomic import write_text
from coupler.namelist import Duration, Namelist, Positive, read_file
from coupler.paths import CHECKOUT, HOME, NAMELISTS, program

MACHINES = NAMELISTS / "machines"
WORDS = ("name", "processes", "nodes", "walltime", "warning", "script")
_WORD = re.compile(r"(?<!\$)\{(\w+)\}")


class Machine(Namelist):
    """One machine: how jobs are asked for and started."""

    description: str = ""
    """One line about it."""
    directives: list[str] = []
    """Lines for the batch system; ``{name}``, ``{processes}``, ``{nodes}``, ``{walltime}`` and ``{warning}`` are
    filled in."""
    setup: list[str] = []
    """Commands before the run, such as loading modules."""
    launch: str = "mpirun -n {processes}"
    """How ``./run_case.py`` is started on all processes."""
    resubmit: str = ""
    """Command that submits the script again while the run is not finished; empty: none."""
    processes_per_node: Positive = 64
    """Processes a node takes."""
    walltime: Duration = 12 * 3600
    """Time asked for."""
    warning: Duration = 300
    """Time before the end at which the run is asked to stop with a restart."""

    @field_validator("directives", "launch", "resubmit")
    @classmethod
    def _known_words(cls, value: Any) -> Any:
        for text in value if isinstance(value, list) else [value]:
            if "\n" in text:
                raise ValueError("expected one line in each entry")
            for word in _WORD.findall(text):
                if word not in WORDS:
                    known = ", ".join("{" + w + "}" for w in WORDS)
                    raise ValueError(f"unknown word {{{word}}}{did_you_mean(word, WORDS)}; known words: {known}")
        return value

    @model_validator(mode="after")
    def _warned_in_time(self) -> Machine:
        if self.warning >= self.walltime:
            raise ValueError(
                f"warning: {format_duration(self.warning)} before the end is not within the walltime of "
                f"{format_duration(self.walltime)}"
            )
        return self


def script_name(case: Path) -> str:
    """Name of a case in its batch script: that of its folder, with letters, digits and ``._-`` only.

    Parameters
    ----------
    case : folder of the case

    Examples
    --------
    >>> script_name(Path("cases/warm; rm -rf ~"))
    'warm-rm-rf'
    """
    return re.sub(r"[^\w.]+", "-", case.resolve().name, flags=re.ASCII).strip("-.") or "case"


def machine_names() -> list[str]:
    """Machines there are files for."""
    return sorted(p.stem for p in MACHINES.glob("*.yaml"))


def script(case: Path, machine: str, ranks: int | None) -> str:
    """Batch script of a case for a machine.

    Parameters
    ----------
    case : folder of the case
    machine : name of a file in ``namelists/machines``
    ranks : number of processes, or None for the case's layout

    Raises
    ------
    CaseError
        No such machine.
    """
    path = Path(machine) if machine.endswith(".yaml") else MACHINES / f"{machine}.yaml"
    if not path.is_file():
        names = machine_names()
        if "/" in machine:
            raise CaseError(f"there is no machine file {machine}; known machines: {', '.join(names)}")
        raise CaseError(
            f"unknown machine {machine!r}{did_you_mean(machine, names)}; known machines: {', '.join(names)}"
        )
    m = read_file(path).parse(Machine)
    plan = make_plan(case, ranks)
    ensemble = ensemble_of(case)
    at_once = 1 if ensemble is None else min(ensemble.options.at_once or 1, ensemble.options.instances or 1)
    processes = at_once * plan.size
    hours, rest = divmod(m.walltime, 3600)
    name = script_name(case)
    words = {
        "name": name,
        "processes": processes,
        "nodes": -(-processes // m.processes_per_node),
        "walltime": f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}",
        "warning": m.warning,
        "script": f"{name}.sh",
    }

    def filled(text: str) -> str:
        return _WORD.sub(lambda found: str(words[found[1]]), text)

    lines = ["#!/bin/bash", *map(filled, m.directives), "", *m.setup]
    command = "./run_case.py" if CHECKOUT else shlex.join(program())
    lines += [
        "export OMP_NUM_THREADS=1",
        *([f"cd {shlex.quote(str(HOME))}"] if CHECKOUT else []),
        f"case={shlex.quote(str(case.resolve()))}",
        "more=",
        "# go on where an earlier job was stopped",
        f'if ls "$case"/run/{"restart/*/manifest.json" if ensemble is None else "member_*/case.yaml"} >/dev/null 2>&1; '
        "then more=--continue; fi",
        f'{filled(m.launch)} {command} "$case" $more &',
        "run=$!",
        "# the batch system's warning becomes a wish to stop: a restart at the next exchange",
        "trap 'kill -USR1 $run' USR1 TERM",
        "wait $run; code=$?",
        "while [ $code -gt 128 ] && kill -0 $run 2>/dev/null; do wait $run; code=$?; done",
    ]
    if m.resubmit:
        lines += [
            "# 75: stopped with a restart, can go on",
            f"if [ $code -eq 75 ]; then {filled(m.resubmit)}; fi",
        ]
    lines += ["exit $code", ""]
    return "\n".join(lines)


def write_script(case: Path, machine: str, ranks: int | None) -> Path:
    """Write the script beside the case's namelists.

    Parameters
    ----------
    case : folder of the case
    machine : name of a file in ``namelists/machines``
    ranks : number of processes, or None for the case's layout
    """
    target = case / f"{script_name(case)}.sh"
    if target.exists():
        raise CaseError(f"{target} exists already and is left as it is; remove it yourself")
    write_text(target, script(case, machine, ranks))
    target.chmod(0o755)
    return target
