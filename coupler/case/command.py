# SPDX-License-Identifier: BSD-3-Clause
"""The command line: from new and prepare over check and run to plot and score; COMMANDS lists all."""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coupler import __version__
from coupler.paths import COMMAND, typed

COMMANDS = (
    "new",
    "prepare",
    "data",
    "check",
    "run",
    "resubmit",
    "spinup",
    "status",
    "timing",
    "plot",
    "score",
    "downscale",
    "graph",
    "list",
    "options",
    "weights",
    "script",
)
EXAMPLES = """examples:
  ./run_case.py new winter --template east_asia       make a case (list: the templates there are)
  ./run_case.py prepare cases/winter era5_*.nc        make a component's inputs from data of your own
  ./run_case.py prepare cases/winter cmip6_*.nc --reference era5_*.nc --method mean_variance
  ./run_case.py data list                             maps known by a tag; prepare takes tags as well as files
  ./run_case.py check cases/winter                    everything that can be wrong, before anything runs
  ./run_case.py cases/winter                          run it; starts mpirun with the ranks it needs
  mpirun -n 8 ./run_case.py cases/winter              run it on 8 processes
  ./run_case.py cases/winter --serial                 run it on one process, without MPI: the same bits
  ./run_case.py cases/winter --continue               go on from the newest complete restart
  ./run_case.py resubmit cases/winter --every P1M     run it month by month; again to go on
  ./run_case.py spinup cases/land                     carbon of wood and soil at rest, without the centuries
  ./run_case.py plot cases/winter sea_surface_temperature
  ./run_case.py score cases/winter                    how far the run is from COADS: run/score/score.html
  ./run_case.py downscale cases/winter                precipitation and temperature on 25 km: docs/surrogates.md
  ./run_case.py options ocean.slab                    the options of a model, with their defaults
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    p = argparse.ArgumentParser(
        prog=COMMAND.removeprefix("./"),
        description="Tessera, a regional Earth-system model: make, check, run and look at cases.",
        epilog=EXAMPLES.replace("./run_case.py", COMMAND),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--version", action="version", version=f"tessera {__version__}")
    sub = p.add_subparsers(dest="command", metavar="command")

    def add(name: str, text: str, **kwargs: Any) -> argparse.ArgumentParser:
        return sub.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", **kwargs)

    new = add("new", "make a case from a template")
    new.add_argument("name", help="name or path of the case; a bare name goes into cases/")
    new.add_argument("--template", default="east_asia", help="template (default: east_asia)")
    prepare = add("prepare", "make the input files of a component from data of your own")
    prepare.add_argument("case", type=Path)
    prepare.add_argument(
        "files", nargs="+", type=Path, help="data, such as analyses on pressure levels for an atmosphere, or tags"
    )
    prepare.add_argument("--component", help="whose inputs (default: the only one that can prepare some)")
    prepare.add_argument(
        "--reference", nargs="+", type=Path, metavar="FILE", help="a reanalysis by whose months the data are corrected"
    )
    prepare.add_argument(
        "--method",
        choices=("mean", "mean_variance", "quantile"),
        help="with --reference: the mean by month, the variance of years too (default), or their quantiles",
    )
    prepare.add_argument("--daily", action="store_true", help="with --reference: the variance from day to day too")
    from coupler.catalogue.words import EXAMPLES as DATA_EXAMPLES
    from coupler.catalogue.words import describe_arguments

    raw = {"epilog": DATA_EXAMPLES, "formatter_class": argparse.RawDescriptionHelpFormatter}
    describe_arguments(add("data", "maps known by a tag: list, add, show, get", **raw))
    check = add("check", "find everything that is wrong with a case, without running it")
    check.add_argument("case", type=Path)
    check.add_argument("-n", "--ranks", type=int, help="as if run on this many processes")
    run = add("run", "run a case (also: a bare path)")
    run.add_argument("case", type=Path)
    run.add_argument("-n", "--ranks", type=int, help="number of processes (default: what the namelist asks for)")
    run.add_argument("--serial", action="store_true", help="one process, without MPI")
    run.add_argument("--continue", dest="resume", action="store_true", help="from the newest complete restart")
    run.add_argument(
        "--accept-changes",
        nargs="+",
        default=[],
        metavar="WORD",
        help="with --continue: go on although these have changed since the restart was written, such as ocean.mask, "
        "or all of a kind: start, calendar, grid, mask, options",
    )
    again = add("resubmit", "run a long case by pieces of calendar months, from where it stopped")
    again.add_argument("case", type=Path)
    again.add_argument("--every", default="P1M", metavar="LENGTH", help="of a piece: P1M (default), P3M, P1Y, P10D")
    again.add_argument("--pieces", type=int, metavar="N", help="run at most N now; exit code 75 if some are left")
    again.add_argument("-n", "--ranks", type=int, help="number of processes (default: what the namelist asks for)")
    again.add_argument("--serial", action="store_true", help="one process, without MPI")
    from coupler.case.spin_up_help import HELP

    rest = add(
        "spinup",
        "set what takes centuries, such as carbon in the soil, to rest in the newest restart",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    rest.add_argument("case", type=Path)
    rest.add_argument("--component", help="whose stores (default: the only one that has such)")
    rest.add_argument("--years", type=float, metavar="N", help="as in N years of such weather (default: at rest)")
    for name, text in (
        ("status", "how far a run is, and the command to resume it"),
        ("timing", "where the time of a finished run went"),
        ("graph", "who sends what to whom, when"),
    ):
        add(name, text).add_argument("case", type=Path)
    plot = add("plot", "draw a field of a run: maps with coastline, a time series")
    plot.add_argument("case", type=Path)
    plot.add_argument("field", nargs="?", help="field; without it all fields of the output, and the budget")
    plot.add_argument("--day", metavar="DATE", help="one map of that day's mean, such as 2001-01-05")
    plot.add_argument(
        "--box", nargs=4, type=float, metavar=("WEST", "EAST", "SOUTH", "NORTH"), help="part of a day's map, degrees"
    )
    plot.add_argument("--wind", action="store_true", help="arrows of the lowest level's wind on a day's map")
    plot.add_argument("--lines", metavar="FIELD", help="a second field as contours on a day's map")
    from coupler.analysis.score_command import EXAMPLES as SCORE_EXAMPLES
    from coupler.analysis.score_command import describe_score

    score_raw = {"epilog": SCORE_EXAMPLES, "formatter_class": argparse.RawDescriptionHelpFormatter}
    describe_score(add("score", "compare a run with observations: tables, maps and one HTML page", **score_raw))
    from coupler.analysis.downscaling_command import EXAMPLES as DOWNSCALING_EXAMPLES
    from coupler.analysis.downscaling_command import describe_downscale

    finer = {"epilog": DOWNSCALING_EXAMPLES, "formatter_class": argparse.RawDescriptionHelpFormatter}
    describe_downscale(add("downscale", "draw fields of a run on a finer grid, by a learned model", **finer))
    listing = add("list", "list templates, models and cases")
    listing.add_argument("what", nargs="?", choices=("templates", "models", "cases"), help="only these")
    options = add("options", "the documented options of a model, or of case.yaml ('case')")
    options.add_argument("model", help="realm.model, such as ocean.slab; or case")
    script = add("script", "write a batch script of a case for a machine")
    script.add_argument("case", type=Path)
    script.add_argument("--machine", default="slurm", help="a file in namelists/machines, or a path (default: slurm)")
    script.add_argument("-n", "--ranks", type=int, help="number of processes (default: what the namelist asks for)")
    weights = add("weights", "make, inspect and check a file of remapping weights")
    weights.add_argument("arguments", nargs=argparse.REMAINDER, help="SOURCE TARGET METHOD; see weights --help")
    return p


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    arguments = list(argv)
    _steady_ground(running="run" in arguments[:1] or not {*arguments[:1]} & {*COMMANDS})
    try:
        os.getcwd()
    except OSError:
        print("error: the folder that this shell works in has been removed; cd to another one", file=sys.stderr)
        return 2
    if arguments and arguments[0] not in COMMANDS and not arguments[0].startswith("-"):
        near = _mistyped(arguments[0])
        if near:
            print(f"error: {near}", file=sys.stderr)
            return 2
        arguments.insert(0, "run")
    if arguments[:1] == ["weights"]:
        from coupler.remap.inspect import main as weights_main

        return int(weights_main(arguments[1:]))
    p = parser()
    options = p.parse_args(arguments)
    if options.command is None:
        p.print_help()
        return 2
    from coupler.case.launched import under_mpi
    from coupler.errors import TesseraError
    from coupler.watch import address_space

    try:
        if options.command in ("check", "prepare", "run", "spinup") and not under_mpi():
            address_space.refuse_small(alone=True)  # before a library ends for want of memory
        code = int(globals()[f"_{options.command}"](options))
        if options.command != "run":
            sys.stdout.flush()
        return code
    except (MemoryError, ImportError) as error:
        if not address_space.is_lack(error):
            raise
        said = (str(error).strip() or "nothing was left").splitlines()[-1]
        print(f"error: out of memory{address_space.hint()}: {said}", file=sys.stderr)
        return 1
    except OSError as error:
        if options.command == "run" or error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.ENOMEM):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more goes there at the end
        if error.errno == errno.EPIPE:
            return 0  # who reads (head, less) has seen enough
        print(f"error: {error.filename or 'what is printed'}: {os.strerror(error.errno).lower()}", file=sys.stderr)
        return 1
    except TesseraError as error:
        print(f"error: {error}" if "\n" not in str(error) else f"errors:\n{error}", file=sys.stderr)
        return error.exit_code


def _steady_ground(*, running: bool) -> None:
    """Let neither a closed descriptor, nor a reader that leaves, nor a locale that knows ASCII only end a command."""
    from coupler.watch import console, processes

    processes.with_all_descriptors()
    if running or sys.stdout is None or sys.stderr is None:
        console.keep()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _mistyped(word: str) -> str:
    """What to say about a first word that is neither a command nor a folder."""
    if Path(word).exists() or "/" in word:
        return ""
    if (Path("cases") / word).is_dir():
        return f"{word!r} is neither a command nor a folder here; did you mean  {COMMAND} cases/{word} ?"
    import difflib

    near = difflib.get_close_matches(word, COMMANDS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{word!r} is neither a command ({', '.join(COMMANDS)}) nor a case{hint}"


def _new(options: argparse.Namespace) -> int:
    from coupler.case.templates import new_case

    return new_case(options.name, options.template)


def _prepare(options: argparse.Namespace) -> int:
    from coupler.case.preparation import prepare
    from coupler.component import Bias
    from coupler.errors import CaseError

    if not options.reference:
        if options.method or options.daily:
            raise CaseError("--method and --daily go with --reference: a correction needs data to correct by")
        return prepare(options.case, options.files, options.component)
    bias = Bias([p.resolve() for p in options.reference], options.method or "mean_variance", options.daily)
    code = prepare(options.case, options.files, options.component, bias)
    from coupler.analysis.bias_maps import draw_all

    for path in draw_all(options.case):
        print(f"what was changed: {path}")
    return code


def _data(options: argparse.Namespace) -> int:
    from coupler.catalogue.words import obey

    return obey(options)


def _check(options: argparse.Namespace) -> int:
    import time

    began = time.perf_counter()
    from coupler.case.case import make_plan
    from coupler.case.explain import explain
    from coupler.case.inputs import files_opened
    from coupler.case.reading import read_case

    plan = make_plan(options.case, options.ranks, offline_checks=True)
    print(explain(plan))
    case = read_case(options.case)
    if case.options.instances is not None:
        from coupler.case.ensemble import Ensemble

        print(Ensemble(case, plan).checked())
    print("files:")
    for who, path in files_opened(case, plan):
        print(f"  {who}: {path}")
    print(f"nothing is wrong (checked in {time.perf_counter() - began:.1f} s). Run it:  {typed(options.case)}")
    return 0


def _run(options: argparse.Namespace) -> int:
    from coupler.case.launch import start
    from coupler.case.members import ensemble_of
    from coupler.errors import CaseError

    if options.accept_changes and not options.resume:
        raise CaseError("--accept-changes goes with --continue: a new run takes everything as it is now")
    accepted = tuple(options.accept_changes)
    ensemble = ensemble_of(options.case)
    if ensemble is not None:
        from coupler.case.ensemble import run_ensemble

        return run_ensemble(
            ensemble, serial=options.serial, resume=options.resume, ranks=options.ranks, accepted=accepted
        )
    return start(options.case, serial=options.serial, resume=options.resume, ranks=options.ranks, accepted=accepted)


def _resubmit(options: argparse.Namespace) -> int:
    from coupler.case.launch import start
    from coupler.case.resubmission import resubmit
    from coupler.errors import CaseError

    if options.pieces is not None and options.pieces < 1:
        raise CaseError(f"--pieces {options.pieces}: expected at least 1")

    def run(resume: bool) -> int:
        return start(options.case, serial=options.serial, resume=resume, ranks=options.ranks)

    return resubmit(options.case, options.every, run, at_most=options.pieces)


def _spinup(options: argparse.Namespace) -> int:
    from coupler.case.spin_up import spin_up

    return spin_up(options.case, options.component, options.years)


def _status(options: argparse.Namespace) -> int:
    from coupler.case.case import read_case
    from coupler.watch.status import describe

    case = read_case(options.case)
    if case.options.instances is not None:
        from coupler.case.ensemble import table

        print(table(case))
        return 0
    print(describe(options.case))
    return 0


def _timing(options: argparse.Namespace) -> int:
    import json

    from coupler.errors import CaseError
    from coupler.watch.timing import text

    path = options.case / "run" / "timing.json"
    if not path.is_file():
        raise CaseError(f"{path} does not exist: only a finished run has a timing table")
    print(text(json.loads(path.read_text(encoding="utf-8"))))
    return 0


def _plot(options: argparse.Namespace) -> int:
    from coupler.analysis.figures import plot

    if options.day or options.box or options.wind or options.lines:
        from coupler.analysis.day_map import draw_day
        from coupler.errors import CaseError

        if options.field is None:
            raise CaseError(f"a day's map needs a field:  {COMMAND} plot CASE FIELD --day DATE")
        extra = {"box": options.box, "wind": options.wind, "contours": options.lines}
        print(draw_day(options.case, options.field, day=options.day, **extra))
        return 0
    for path in plot(options.case, options.field):
        print(path)
    return 0


def _score(options: argparse.Namespace) -> int:
    from coupler.analysis.score_command import score

    return score(options)


def _downscale(options: argparse.Namespace) -> int:
    from coupler.analysis.downscaling import downscale

    return downscale(options)


def _graph(options: argparse.Namespace) -> int:
    from coupler.case.case import make_plan
    from coupler.case.explain import graph

    print(graph(make_plan(options.case)))
    return 0


def _script(options: argparse.Namespace) -> int:
    from coupler.case.machines import write_script

    print(write_script(options.case, options.machine, options.ranks))
    return 0


def _list(options: argparse.Namespace) -> int:
    from coupler.case.templates import listing

    print(listing(options.what))
    return 0


def _options(options: argparse.Namespace) -> int:
    from coupler.case.documentation import describe_options

    print(describe_options(options.model))
    return 0
