# SPDX-License-Identifier: BSD-3-Clause
"""What surrounds a run may be closed, full, unnamed, small or know ASCII only: it runs, or says what is missing."""

import os
import subprocess
import sys

import pytest

from tests.toys.cases import ROOT, environment, toy_case

RUN = [sys.executable, str(ROOT / "run_case.py")]


def shell(line, case, without=(), **more):
    """A line of shell in which RUN is the command and CASE the folder."""
    env = {k: v for k, v in (environment() | more).items() if k not in without}
    words = {"RUN": f"{RUN[0]} {RUN[1]}", "CASE": f"'{case}'"}
    for word, meaning in words.items():
        line = line.replace(word, meaning)
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=env, errors="replace", check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def toy(tmp_path):
    return toy_case(tmp_path / "toy", duration="PT3H", restart="PT3H")


@pytest.mark.parametrize(
    ("words", "said"),
    [("2,1", ""), ("auto", "'auto' is not a number of threads"), ("", ""), ("-1", "'-1' is not a number of threads")],
)
def test_thread_counts_may_be_lists_and_words_are_said(toy, words, said):
    code, out, err = shell("RUN run CASE --serial", toy, OMP_NUM_THREADS=words)
    assert code == 0 and "finished" in out and said in out and "Traceback" not in err


@pytest.mark.parametrize("where", [">&-", "> /dev/full", ">&- 2>&-", "> /dev/full 2>/dev/full", "<&- | true"])
def test_a_run_goes_on_whatever_becomes_of_its_output(toy, where):
    code, _, err = shell(f"set -o pipefail; RUN run CASE --serial {where}", toy)
    assert code == 0 and "Traceback" not in err
    assert '"state": "finished"' in (toy / "run" / "status.json").read_text()


@pytest.mark.ranks
def test_ranks_go_on_whatever_becomes_of_their_output(toy):
    code, _, err = shell("RUN run CASE > /dev/full", toy)
    assert code == 0 and "Traceback" not in err
    assert '"state": "finished"' in (toy / "run" / "status.json").read_text()


@pytest.mark.ranks
@pytest.mark.parametrize("where", [">&- 2>&-", "2>&1 | true"])
def test_ranks_go_on_when_nobody_listens(toy, where):
    """Both outputs closed, or a pipe whose reader has gone."""
    code, _, _ = shell(f"set -o pipefail; RUN run CASE {where}", toy)
    assert code == 0
    assert '"state": "finished"' in (toy / "run" / "status.json").read_text()


def read_only(line, folder, **more):
    """A line of shell while the installation is mounted read-only; skips where nobody may mount."""
    mount = f"mount --bind '{ROOT}' '{ROOT}' && mount -o remount,bind,ro '{ROOT}' && cd '{ROOT}'"
    if subprocess.run(["unshare", "-m", "bash", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    return shell(f'unshare -m bash -c "{mount} && {line}"', folder, TESSERA_CACHE=str(folder.parent / "kept"), **more)


def test_a_read_only_installation_compiles_into_the_cache_of_the_user(toy):
    say = "from coupler.exact_sum import exact_bins as b; import numpy; b(numpy.ones(3))"
    code, _, err = read_only(f"{sys.executable} -c '{say}'", toy, PYTHONPATH=str(ROOT))
    assert code == 0, err
    assert any((toy.parent / "kept" / "kernels").rglob("*.nbc"))
    assert read_only("RUN check CASE", toy)[0] == 0


@pytest.mark.slow
def test_a_read_only_installation_runs(toy):
    """It compiles everything anew: a minute."""
    code, out, err = read_only("RUN run CASE --serial", toy)
    assert code == 0 and "finished" in out, err
    assert any((toy.parent / "kept" / "kernels").rglob("*.nbc"))


def test_a_full_disk_under_what_is_printed_is_said(toy):
    code, _, err = shell("RUN check CASE > /dev/full", toy)
    assert code == 1 and err == "error: what is printed: no space left on device\n"
    assert shell("set -o pipefail; RUN check CASE | true", toy)[0] == 0


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_any_letter_under_a_locale_of_ascii(tmp_path, locale):
    case = toy_case(tmp_path / "über α", duration="PT3H", restart="PT3H")
    code, _, err = shell("RUN run CASE --serial && RUN status CASE", case, LC_ALL="C", **locale)
    assert code == 0, err


def test_a_folder_that_is_not_utf8_is_refused(tmp_path):
    case = toy_case(tmp_path / "toy")
    case.rename(os.fsdecode(os.fsencode(tmp_path) + b"/w\xfcst"))
    code, _, err = shell(f"cd '{tmp_path}' && RUN check w*", case)
    assert code == 2 and "this path is not UTF-8" in err and "rename it" in err


def test_no_home_and_no_temporary_folder(toy):
    code, out, err = shell("RUN run CASE", toy, without=("HOME",), TMPDIR="/proc/nowhere")
    assert code == 0 and "finished" in out, err


@pytest.mark.parametrize(
    "line",
    ["60000; RUN check CASE", "60000; RUN run CASE", *(f"{n}000; RUN run CASE --serial" for n in (100, 125, 150)),
     "600000; RUN run CASE"],
)  # fmt: skip
def test_too_little_memory_is_said_in_a_line(toy, line):
    code, _, err = shell(f"ulimit -v {line}", toy)
    assert code in (1, 2) and err.startswith("error: ") and "ulimit -v unlimited" in err and "Traceback" not in err
