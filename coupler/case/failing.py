# SPDX-License-Identifier: BSD-3-Clause
"""A run that fails: one message for all its processes, the cause kept, the processes that died named."""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coupler.case.launched import rank_here, run_name
from coupler.errors import ComponentError, DeadlineError, TesseraError, words_of
from coupler.watch import address_space, busy, failure, processes
from coupler.watch.status import mark_failed


def tell(folder: Path | None, message: str, detail: str = "", *, run: str = "", **where: Any) -> bool:
    """Tell a failure, once for the whole run: the message first, then what belongs to it; False if another was told.

    Parameters
    ----------
    folder : Path or None
        The case; None where it is not known yet.
    message : str
        What happened; its first line goes into the status.
    detail : str
        A traceback, for instance.
    run : str, optional
        Name of the run; by default that of this process.
    where : any
        ``component``, ``rank``, ``date`` ... for the status.
    """
    run = run or run_name()
    if folder is not None and folder.is_dir():
        if not failure.first(folder, run, message.split("\n")[0], **where):
            return False
    elif folder is not None and rank_here() > 0:
        return False  # a case that is not there: all say the same
    print(f"\nerror: {message}" + (f"\n{detail.rstrip()}" if detail else ""), file=sys.stderr, flush=True)
    if folder is not None:
        mark_failed(folder, run, message.split("\n")[0], **where)
    return True


def explain(error: BaseException) -> tuple[str, str, dict[str, Any]]:
    """Message, traceback (where it is the program's or the component's fault) and place of an exception."""
    from coupler.exchange.member import Failure

    where: dict[str, Any] = {}
    place, cause, inside = "", error, ""
    if isinstance(error, Failure):
        where = {"component": error.component, "rank": error.rank, "date": error.date}
        place = f"{error.component}, rank {error.rank}, at {error.date}: "
        assert error.__cause__ is not None
        cause = error.__cause__
        inside = f" (in {error.call})" if error.call else ""
    if isinstance(cause, TesseraError):
        words = str(cause)
        if isinstance(cause, ComponentError):  # begins with component and call itself
            return f"{words} (rank {where.get('rank', 0)}, at {where.get('date', 'the start')})", "", where
        return place + words, "", where
    if isinstance(cause, SystemExit):
        said = f"sys.exit({cause.code!r}) was called{inside}; return, or raise an error that says what is wrong"
        return place + said, "".join(traceback.format_exception(cause)), where
    if address_space.is_lack(cause):
        said = f"out of memory{inside}{_line_of(cause)}: {words_of(cause) or 'nothing was left'}"
        return place + said + (address_space.hint() or "; see the memory that the job asks for"), "", where
    first, *more = words_of(cause).split("\n")
    text = f"{type(cause).__name__}: {first}" if first else type(cause).__name__
    return "\n".join([f"{place}{text}{inside}", *more]), "".join(traceback.format_exception(cause)), where


def _line_of(error: BaseException) -> str:
    """Where in a program an error came up."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def whole_story(error: BaseException, folder: Path | None) -> tuple[str, str, Mapping[str, Any]]:
    """As `explain`; where somebody has waited in vain, with those who stand still, or of the one to blame.

    Parameters
    ----------
    error : what ended the run
    folder : of the case; None where it is not known yet
    """
    text, detail, where = explain(error)
    if not isinstance(error, DeadlineError) and not isinstance(error.__cause__, DeadlineError):
        return text, detail, where
    return blame(folder, text, detail, where)


def blame(
    folder: Path | None, message: str, detail: str, where: Mapping[str, Any]
) -> tuple[str, str, Mapping[str, Any]]:
    """Message, detail and place of a wait in vain: of the process that stands still or is at something for long.

    Parameters
    ----------
    folder : of the case; None where it is not known yet
    message, detail : of who waited
    where : its component, rank and date
    """
    accused = standing_still(people_of(folder))
    notes = [] if folder is None else busy.found(folder)
    if not accused and notes:
        accused = [f"{b.what}, for {b.seconds:.0f} s" for b in notes]
        accused.insert(1, f"it is at:\n{notes[0].where.rstrip()}")
    if not accused:
        return message, detail, where
    lines = [*accused[1:], f"found out by this: {message}", detail]
    return accused[0], "\n".join(t for t in lines if t), place_of(accused[0])


def place_of(what: str) -> dict[str, Any]:
    """Component and rank in words such as ``ocean, rank 1, at 2001-01-01: ...``, for the status.

    >>> place_of("ocean, rank 1, at 2001-01-01T00:00:00: step has not returned")
    {'component': 'ocean', 'rank': 1}
    """
    name, _, rest = what.partition(", rank ")
    own = re.match(r"\d+", rest)
    return {"component": name, "rank": int(own[0])} if own and ":" not in name else {}


def people_of(folder: Path | None) -> list[Mapping[str, Any]]:
    """Who lives on which process of the run that is under way, as it has written it itself."""
    if folder is None:
        return []
    try:
        return list(json.loads((folder / "run" / "processes.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return []


def early_deadline() -> float:
    """The case's deadline, s, before it is read: what the launcher says, or the default."""
    try:
        return max(0.1, float(os.environ["TESSERA_DEADLINE"]))
    except (KeyError, ValueError):
        return 600.0


def standing_still(people: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each process of this machine that has ended or stands still."""
    lines = []
    for p in people:
        if p["host"] == processes.host():
            letter = processes.state(p["pid"])
            if letter in processes.STOPPED:
                lines.append(f"{p['who']} (process {p['pid']}) {processes.STOPPED[letter]}")
    return lines


def how_it_died(notes: str) -> tuple[int, dict[str, Any], str] | None:
    r"""World rank, facts and words of the process whose death mpirun noted; None if it noted none.

    >>> how_it_died("prterun noticed that process rank 1 with PID 70 on node vm exited on\nsignal 9 (Killed).")[2]
    'was killed by signal 9 (Killed)'
    """
    found = re.search(r"process rank (\d+) with PID (\d+) on node \S+ exited on\s+signal (\d+) \(([^)]*)\)", notes)
    if found:
        facts = {"pid": int(found[2]), "signal": int(found[3])}
        return int(found[1]), facts, f"was killed by signal {found[3]} ({found[4]})"
    found = re.search(r"Process name:\s+\[[^\]]*,(\d+)\]\s+Exit code:\s+(\d+)", notes)
    if found:
        return int(found[1]), {"exit_code": int(found[2])}, f"ended with exit code {found[2]}"
    found = re.search(r"process rank (\d+) with PID (\d+) on node \S+ exiting\s+improperly", notes)
    if found:
        return int(found[1]), {"pid": int(found[2])}, "ended before the run did, without an error code"
    return None


def who_is(rank: int, layout: Mapping[str, Sequence[int]]) -> tuple[str, dict[str, Any]]:
    """Who lives on a process of the run, in words and for the status.

    Parameters
    ----------
    rank : in the world
    layout : world ranks by component
    """
    for name, ranks in layout.items():
        if rank in ranks:
            own = list(ranks).index(rank)
            return f"{name}, rank {own}", {"component": name, "rank": own}
    return f"process {rank} of the run", {"rank": rank}


def exit_at_once(code: int) -> None:
    """End this process without waiting for anybody; mpirun then ends the others."""
    sys.stderr.flush()
    os._exit(code)
