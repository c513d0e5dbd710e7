# SPDX-License-Identifier: BSD-3-Clause
"""What is known of a long run by pieces: ``experiment.json`` beside the namelists, and its line of the status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

KEYS = {"start", "end", "every", "pieces", "done", "until", "piece"}


def path_of(folder: Path) -> Path:
    """Where it stands.

    Parameters
    ----------
    folder : of the case
    """
    return folder / "experiment.json"


def read_experiment(folder: Path) -> dict[str, Any] | None:
    """What is known; None of a case that is not run by pieces.

    Parameters
    ----------
    folder : of the case
    """
    try:
        found = json.loads(path_of(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {*found} >= KEYS else None


def describe_experiment(folder: Path, command: str) -> list[str]:
    """Lines of the status: how many pieces are done, and the command that goes on; none of a run in one piece.

    Parameters
    ----------
    folder : of the case
    command : that goes on with the pieces
    """
    e = read_experiment(folder)
    if e is None:
        return []
    done = len(e["done"])
    lines = [f"experiment: {done} of {e['pieces']} pieces of {e['every']} done, {e['start']} .. {e['end']}"]
    if done < e["pieces"]:
        lines += [f"  piece: {e['piece']}, until {e['until']}", f"  to go on with the pieces:  {command}"]
    return lines


def between_pieces(folder: Path) -> bool:
    """Whether pieces of a run are left.

    Parameters
    ----------
    folder : of the case
    """
    e = read_experiment(folder)
    return e is not None and len(e["done"]) < e["pieces"]
