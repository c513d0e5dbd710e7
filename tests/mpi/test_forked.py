# SPDX-License-Identifier: BSD-3-Clause
"""Forked processes stand in for real ones: words, streams, folder, environment, exit code, signals, and their end."""

import signal
import subprocess
import time

import pytest

from tests.toys import forked

pytestmark = pytest.mark.ranks
SAYS = """
import os, sys
print(*sys.argv[1:], os.getcwd(), os.environ["COLOUR"], __name__, sys.stdin.read())
print("worse", file=sys.stderr)
sys.exit(7)
"""
SLEEPS = """
import os, signal, sys, time
signal.signal(signal.SIGUSR1, lambda n, frame: sys.exit(75))
print(os.getpid(), flush=True)
time.sleep(60)
"""


def start(folder, text, *words, **how):
    """A forked process that runs a script."""
    (folder / "script.py").write_text(text)
    command = [*forked.python(), str(folder / "script.py"), *words]
    assert len(command) > 2 + len(words), "the environment is not the server's"
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, text=True, cwd=folder, **pipes, **how)


def test_it_gets_what_a_process_gets_and_ends_with_its_code(tmp_path):
    done = start(tmp_path, SAYS, "one", "two words", env={"COLOUR": "green"})
    assert done.communicate("asked") == (f"one two words {tmp_path} green __main__ asked\n", "worse\n")
    assert done.returncode == 7


def test_signals_reach_it_and_how_it_died_is_seen(tmp_path):
    for sent, code in ((signal.SIGUSR1, 75), (signal.SIGTERM, -signal.SIGTERM)):
        process = start(tmp_path, SLEEPS)
        process.stdout.readline()
        process.send_signal(sent)
        process.communicate(timeout=30)
        assert process.returncode == code


def test_it_does_not_outlive_who_stands_for_it(tmp_path):
    process = start(tmp_path, SLEEPS)
    child = int(process.stdout.readline())
    assert child != process.pid
    process.kill()
    process.communicate(timeout=30)
    end = time.monotonic() + 30.0
    while alive(child):
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
