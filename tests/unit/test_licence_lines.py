# SPDX-License-Identifier: BSD-3-Clause
"""Every Python file says its licence in its first line, for those who take one file out of the project."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINE = "# SPDX-License-Identifier: BSD-3-Clause"
FOLDERS = ("coupler", "components", "benchmarks", "tests", "data", "docs", "run_case.py")


def says_its_licence(text):
    """Whether the line is the first, or the second after a shebang, and stands once."""
    lines = text.splitlines()
    first = next(iter(lines[1:] if text.startswith("#!") else lines), "")
    return first == LINE and lines.count(LINE) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f'{LINE}\n"""A module."""\n', True),
        (f"#!/usr/bin/env python3\n{LINE}\n", True),
        ('"""A module."""\n', False),
        (f'"""A module."""\n{LINE}\n', False),
        (f"{LINE}\n{LINE}\n", False),
        (f"{LINE} OR MIT\n", False),
        ("", False),
    ],
)
def test_the_line_is_looked_for_where_it_belongs(text, wanted):
    assert says_its_licence(text) is wanted


def test_every_python_file_says_its_licence():
    command = ["git", "ls-files", "-z", "--", *FOLDERS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no git here")
    paths = [ROOT / name for name in done.stdout.split("\0") if name.endswith(".py") and (ROOT / name).is_file()]
    assert len(paths) > 500
    without = [str(p.relative_to(ROOT)) for p in paths if not says_its_licence(p.read_text(encoding="utf-8"))]
    assert without == [], f"put {LINE!r} as the first line (after a shebang) of these"
