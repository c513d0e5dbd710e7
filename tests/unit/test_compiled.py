"""Kernels compiled by numba: what one file of a folder says outdates the machine code of all of them on disk."""

import os
import subprocess
import sys

from tests.toys.cases import ROOT

INNER = """
from coupler.compiled import compiler
from pathlib import Path

compiled = compiler(Path(__file__).parent)


@compiled
def inner(x):
    return {value}
"""
OUTER = """
from inner import compiled, inner


@compiled
def outer(x):
    return inner(x) + 1.0


print(outer(1.0))
print(sum(outer.stats.cache_hits.values()))
"""


def run(folder):
    """What the outer kernel gives, and whether its machine code came from the disk."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, folder / "outer.py"], env=environment, capture_output=True, text=True,
                          check=True)  # fmt: skip
    value, hits = done.stdout.split()
    return float(value), int(hits)


def test_a_kernel_is_made_again_when_one_that_it_inlines_has_changed(tmp_path):
    (tmp_path / "outer.py").write_text(OUTER)
    (tmp_path / "inner.py").write_text(INNER.format(value="10.0 * x"))
    assert run(tmp_path) == (11.0, 0)
    assert run(tmp_path) == (11.0, 1), "the second time from the disk"
    (tmp_path / "inner.py").write_text(INNER.format(value="200.0 * x"))
    assert run(tmp_path) == (201.0, 0)
