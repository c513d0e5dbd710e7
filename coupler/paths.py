# SPDX-License-Identifier: BSD-3-Clause
"""Where the project's own files lie and how its command is called: in a checkout, and where pip installed it."""

from __future__ import annotations

import contextlib
import glob
import os
import shlex
import stat
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path


def _home(packages: Path) -> Path:
    """Folder with ``namelists/`` and ``data/``: the checkout, or ``share/tessera`` of the installation around it."""
    if (packages / "namelists").is_dir():
        return packages
    places = [parent / "share" / "tessera" for parent in packages.parents]
    return next((p for p in places if p.is_dir()), Path(sys.prefix) / "share" / "tessera")


PACKAGES = Path(__file__).resolve().parents[1]
"""Folder with the packages ``coupler`` and ``components``."""
HOME = _home(PACKAGES)
"""Folder with ``namelists/`` and ``data/``."""
CHECKOUT = HOME == PACKAGES
"""Whether this is a checkout: the command is ``run_case.py`` then, and git knows the state of the code."""
NAMELISTS = HOME / "namelists"
DATA = HOME / "data"
COMMAND = os.environ.get("TESSERA_COMMAND") or ("./run_case.py" if CHECKOUT else "tessera")
"""The command as the user types it."""


def input_file(name: str, folder: Path) -> Path:
    """Path of an input: absolute, in the case, its folder ``inputs`` or the project's ``data/``; else in the case.

    Parameters
    ----------
    name : as it stands in the namelist
    folder : of the case
    """
    path = expanded(name)
    if path.is_absolute():
        return path
    return next((place / path for place in _places(folder) if (place / path).exists()), folder / path)


def input_files(names: Iterable[str], folder: Path) -> list[Path]:
    """Paths of inputs; a name with wildcards stands for all files that fit it, in the first place that has any.

    Parameters
    ----------
    names : as they stand in the namelist
    folder : of the case
    """
    found: list[Path] = []
    for name in names:
        many = (sorted(glob.glob(str(place / expanded(name)))) for place in _places(folder) if glob.has_magic(name))
        found += [Path(path) for path in next(filter(None, many), [])] or [input_file(name, folder)]
    return found


def _places(folder: Path) -> tuple[Path, ...]:
    """Where inputs may lie; the ``inputs`` of a member of an ensemble is a link to its case, which may have one too."""
    inputs = folder / "inputs"
    return folder, inputs, inputs / "inputs", DATA


def typed(*words: object) -> str:
    """A command of this project as it can be typed where the user stands, quoted for the shell.

    Parameters
    ----------
    *words : object
        What follows the command's name, such as the folder of a case.
    """
    name = COMMAND
    with contextlib.suppress(OSError):  # a working folder that was deleted
        if name == "./run_case.py" and Path(name).resolve() != HOME / name:  # a link to it will do
            name = shlex.quote(str(HOME / "run_case.py"))
    return " ".join([name, *(shlex.quote(str(w)) for w in words)])


def program() -> list[str]:
    """Words that start the command in a process of its own, from any folder."""
    if CHECKOUT:
        return [sys.executable, str(HOME / "run_case.py")]
    return [sys.executable, "-P", "-m", "coupler"]  # -P: a folder of the user's may be called coupler, too


def user_cache() -> Path:
    """The user's folder of what is computed once: ``TESSERA_CACHE``, one in the home, or a temporary one without."""
    if os.environ.get("TESSERA_CACHE"):
        return Path(os.environ["TESSERA_CACHE"])
    home = home_folder()
    around = os.environ.get("XDG_CACHE_HOME") or (home and home / ".cache")
    if around and _writable(Path(around) / "tessera"):
        return Path(around) / "tessera"
    return _ours_alone(Path(tempfile.gettempdir()) / f"tessera-{os.getuid()}")


def home_folder() -> Path | None:
    """The user's home; None for a user without one, as in many containers."""
    with contextlib.suppress(RuntimeError, OSError):
        return Path.home()
    return None


def expanded(name: str) -> Path:
    """A path with ``~`` and ``~user`` replaced, where there is such a home.

    Parameters
    ----------
    name : str
        As it stands in a namelist.
    """
    with contextlib.suppress(RuntimeError):
        return Path(name).expanduser()
    return Path(name)


def _ours_alone(folder: Path) -> Path:
    """A temporary folder, or another one where somebody else has made that: compiled code is run without a question."""
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
            return folder
    return Path(tempfile.mkdtemp(prefix="tessera-"))


def _writable(folder: Path) -> bool:
    """Whether a file can be made in a folder (which is made where it is missing)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
