# SPDX-License-Identifier: BSD-3-Clause
"""The first failure of a run: told once for all its processes, and kept whatever is written later.

The process that fails first leaves a mark beside ``case.yaml``; the status takes its text in. So the coupler, which
goes on writing until it is ended too, cannot write the cause over.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any

BEGAN = time.time()
PREFIX = ".failed."
FRESH = 60.0
"""Seconds for which a mark may be that of a run that is ending now; process numbers come again later."""


def mark_path(folder: Path, run: str) -> Path:
    """Where the mark of a run stands."""
    return folder / (PREFIX + re.sub(r"[^A-Za-z0-9]+", "-", run)[-100:])


def first(folder: Path, run: str, error: str, **where: Any) -> bool:
    """Whether no other process of the run has failed yet; then the mark is left with `error` and `where`."""
    path = mark_path(folder, run)
    with contextlib.suppress(OSError):
        if path.stat().st_mtime < BEGAN - FRESH:  # left by an earlier job of the same name
            path.unlink()
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps({"error": error, **where}), encoding="utf-8")
        os.link(part, path)  # whole or not at all, and by one process only
    except FileExistsError:
        return False
    except OSError:
        return True
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return True


def found(folder: Path, run: str) -> dict[str, Any] | None:
    """What failed first in a run; None if nothing has."""
    try:
        content = json.loads(mark_path(folder, run).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def clear(folder: Path, *, keep: str = "") -> None:
    """Remove old marks of other runs than `keep`; a fresh one may be that of a start that is just being refused."""
    kept = mark_path(folder, keep).name if keep else ""
    for path in folder.glob(f"{PREFIX}*"):
        if path.name != kept:
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - FRESH:
                    path.unlink()
