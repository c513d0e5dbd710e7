# SPDX-License-Identifier: BSD-3-Clause
"""Kernels compiled by numba: what one file of a folder, or of its constants, says outdates all machine code on disk."""

import os
import subprocess
import sys

import pytest

from coupler.compiled import _CacheFile, compiler
from coupler.made_once import kept_versions
from tests.toys.cases import ROOT

INNER = """
from coupler.compiled import compiler
from numbers_elsewhere import ADDED
from pathlib import Path

compiled = compiler(Path(__file__).parent, Path(__file__).with_name("numbers_elsewhere.py"))


@compiled
def inner(x):
    return {value} + ADDED
"""
OUTER = """
from inner import compiled, inner


@compiled
def outer(x):
    return inner(x) + 1.0


print(outer(1.0))
print(sum(outer.stats.cache_hits.values()))
"""


def run(folder, kept=None):
    """What the outer kernel gives, and whether its machine code came from the disk."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TESSERA_CACHE": str(kept or folder / "kept"),
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, folder / "outer.py"], env=environment, capture_output=True, text=True,
                          check=True)  # fmt: skip
    value, hits = done.stdout.split()
    return float(value), int(hits)


def test_a_kernel_is_made_again_when_one_that_it_inlines_has_changed(tmp_path):
    (tmp_path / "outer.py").write_text(OUTER)
    (tmp_path / "inner.py").write_text(INNER.format(value="10.0 * x"))
    (tmp_path / "numbers_elsewhere.py").write_text("ADDED = 0.0")
    assert run(tmp_path) == (11.0, 0)
    assert run(tmp_path) == (11.0, 1), "the second time from the disk"
    (tmp_path / "inner.py").write_text(INNER.format(value="200.0 * x"))
    assert run(tmp_path) == (201.0, 0)
    (tmp_path / "numbers_elsewhere.py").write_text("ADDED = 3000.0")
    assert run(tmp_path) == (3201.0, 0), "the machine code held the old constant"


def test_two_checkouts_with_the_same_kernels_share_their_machine_code_and_unused_code_goes(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "outer.py").write_text(OUTER)
        (tmp_path / name / "inner.py").write_text(INNER.format(value="10.0 * x"))
        (tmp_path / name / "numbers_elsewhere.py").write_text("ADDED = 0.0")
    kept = tmp_path / "kept"
    assert run(tmp_path / "one", kept) == (11.0, 0)
    assert run(tmp_path / "other", kept) == (11.0, 1)
    (made,) = (kept / "kernels").iterdir()
    os.utime(made, (0, 0))
    assert run(tmp_path / "one", kept) == (11.0, 1), "old, and used again"
    assert made.stat().st_mtime > 0
    os.utime(made, (0, 0))
    (tmp_path / "other" / "numbers_elsewhere.py").write_text("ADDED = 7.0")
    assert run(tmp_path / "other", kept) == (18.0, 0)
    assert not made.exists()


ACROSS = """
from coupler.compiled import compiler
from pathlib import Path
from inner import inner

compiled = compiler(Path(__file__).parent, Path(__file__).parent / "lower")


@compiled
def outer(x):
    return inner(x) + 1.0


print(outer(1.0))
print(sum(outer.stats.cache_hits.values()))
"""


def test_a_kernel_is_made_again_when_one_of_another_folder_that_it_inlines_has_changed(tmp_path):
    lower = tmp_path / "lower"
    lower.mkdir()
    (tmp_path / "outer.py").write_text(f"import sys\nsys.path.append({str(lower)!r})\n" + ACROSS)
    (lower / "inner.py").write_text(INNER.format(value="10.0 * x"))
    (lower / "numbers_elsewhere.py").write_text("ADDED = 0.0")
    assert run(tmp_path) == (11.0, 0)
    assert run(tmp_path) == (11.0, 1), "the second time from the disk"
    (lower / "inner.py").write_text(INNER.format(value="200.0 * x"))
    assert run(tmp_path) == (201.0, 0)


TYPED = """
from coupler.compiled import compiler
from pathlib import Path
from typing import NamedTuple
from {module} import Point

compiled = compiler(Path(__file__).parent)


@compiled
def outer(point):
    return point.x + 1.0


print(outer(Point(1.0)))
print(sum(outer.stats.cache_hits.values()))
"""
POINT = "from typing import NamedTuple\n\n\nclass Point(NamedTuple):\n    x: float\n"


def test_machine_code_of_types_whose_module_has_moved_is_made_again(tmp_path):
    """numba's index on disk names the module of each type: reading it fails once the module is elsewhere."""
    (tmp_path / "before.py").write_text(POINT)
    (tmp_path / "outer.py").write_text(TYPED.format(module="before"))
    assert run(tmp_path) == (2.0, 0)
    assert run(tmp_path) == (2.0, 1)
    (tmp_path / "before.py").rename(tmp_path / "after.py")
    (tmp_path / "outer.py").write_text(TYPED.format(module="after"))
    assert run(tmp_path) == (2.0, 0)
    assert run(tmp_path) == (2.0, 1), "and kept anew"


def test_a_damaged_file_of_machine_code_is_made_again(tmp_path):
    (tmp_path / "outer.py").write_text(OUTER)
    (tmp_path / "inner.py").write_text(INNER.format(value="10.0 * x"))
    (tmp_path / "numbers_elsewhere.py").write_text("ADDED = 0.0")
    run(tmp_path)
    for kept in (tmp_path / "kept" / "kernels").rglob("outer.outer-*.nb?"):
        kept.write_bytes(kept.read_bytes()[:-9])
    assert run(tmp_path) == (11.0, 0)
    assert run(tmp_path) == (11.0, 1)


APART = """
from pathlib import Path
from coupler.made_once import compile_once
from inner import inner

def compile_all():
    inner(1.0)
    Path(__file__).with_name("made").open("a").write("x")

def answer():
    compile_once((inner,), compile_all, "the inner loop", 1, versions=1)
    return inner(1.0)
"""


def test_of_processes_that_want_the_same_kernels_one_has_them_compiled(tmp_path):
    (tmp_path / "apart.py").write_text(APART)
    (tmp_path / "inner.py").write_text(INNER.format(value="10.0 * x"))
    (tmp_path / "numbers_elsewhere.py").write_text("ADDED = 0.0")
    paths = os.pathsep.join([str(ROOT), str(tmp_path)])
    environment = {**os.environ, "PYTHONPATH": paths, "TESSERA_CACHE": str(tmp_path / "kept")}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", "import apart; print(apart.answer())"],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [p.communicate()[0].split() for p in both] == [["10.0"], ["10.0"]]
    assert (tmp_path / "made").read_text() == "x"


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A kernel of its own folder and cache, not compiled yet."""
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "kept"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return compiler(tmp_path)(lambda x: x + 1.0)


def test_processes_that_keep_two_versions_at_once_do_not_take_one_for_the_other(kernel, monkeypatch):
    """Where a disk knows no locks, one may write the index that it read before the other came."""
    files = [_CacheFile(kernel._cache.cache_path, "a_kernel", "stamp") for _ in range(2)]
    files[0].save("single", "code of single")
    monkeypatch.setattr(files[1], "_load_index", dict)
    files[1].save("double", "code of double")
    monkeypatch.undo()
    assert files[0].load("double") == "code of double"
    assert files[0].load("single") is None, "the index does not know it any more: it is made again"
    files[0].save("single", "code of single")
    assert [files[1].load(key) for key in ("single", "double")] == ["code of single", "code of double"]


def test_versions_for_another_processor_do_not_count(kernel):
    """A home that computers of several kinds share."""
    kernel._cache._cache_file.save(("signature", ("triple", "another processor", ""), "hash"), "code")
    assert kept_versions(kernel) == 0
    kernel(1.0)
    assert kept_versions(kernel) == 1


def test_without_compilation_kernels_are_plain_functions():
    words = "from components.science.advection import _kernel; print(_kernel().__name__)"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", words], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "converge\n"), done.stderr
