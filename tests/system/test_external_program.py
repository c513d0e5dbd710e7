# SPDX-License-Identifier: BSD-3-Clause
"""A program with its own main loop takes part: put, get, what happened, wrong times, restart."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coupler.files.restart import newest, read_part
from tests.toys import forked
from tests.toys.cases import ROOT, TOYS, box, environment, tessera, toy_case

pytestmark = pytest.mark.ranks
PROGRAM = Path(__file__).with_name("external_sea.py")


def external_case(folder, **changes):
    """Air as a component, the sea as an external program."""
    components = {
        "air": {"model": TOYS + "Air", "step": "PT30M", "grid": box(100, 140, 0, 40, 2.0)},
        "sea": {
            "model": "external", "step": "PT1H", "grid": box(102, 138, 2, 38, 1.5),
            "imports": ["surface_downwelling_shortwave_flux_in_air", "air_temperature"],
            "exports": ["sea_surface_temperature"], **changes.pop("sea", {}),
        },
        "soil": {"model": "external_free", "step": "PT1H", "grid": box(102, 138, 2, 38, 1.5)},
    }  # fmt: skip
    del components["soil"]
    rules = [{"from": "air", "to": "sea", "period": "PT3H", "lag": "PT3H", "statistic": "mean"}]
    return toy_case(folder, components=components, coupling=rules, layout=changes.pop("layout", {"air": 1, "sea": 1}),
                    duration=changes.pop("duration", "P1D"), restart="PT30H", **changes)  # fmt: skip


def together(case, n_case, n_sea, how, *more, check=True):
    """mpirun -n N ./run_case.py CASE : -n M python external_sea.py."""
    python = forked.python()
    command = [Path(sys.executable).with_name("mpirun"), "--allow-run-as-root", "--oversubscribe"]
    command += ["-n", n_case, *python, ROOT / "run_case.py", case, *more, ":", "-n", n_sea, *python, PROGRAM, how]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, cwd=ROOT,
                          env=environment(), check=False)  # fmt: skip
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def final_temperature(case):
    return read_part(newest(case / "run" / "restart"), "sea")["state.temperature"]


@pytest.fixture(scope="module")
def strips(tmp_path_factory):
    case = external_case(tmp_path_factory.mktemp("external") / "toy")
    done = together(case, 2, 1, "strips")
    return case, done.stdout


def test_actions_say_what_happened(strips):
    _, out = strips
    assert "actions of put: accumulated nothing due" not in out
    assert "first get: received" in out and "second get: nothing due" in out


@pytest.mark.parametrize(("ranks", "how"), [(3, "strips"), (4, "boxes"), (2, "points"), (2, "serial")])
def test_any_partition_gives_the_same_bits(strips, tmp_path, ranks, how):
    case = external_case(tmp_path / "toy", layout={"air": 2, "sea": ranks})
    together(case, 3, ranks, how)
    np.testing.assert_array_equal(final_temperature(case), final_temperature(strips[0]))


def test_a_restart_of_an_external_program_continues_to_the_same_bits(strips, tmp_path):
    case = external_case(tmp_path / "toy", duration="PT10H")
    together(case, 2, 1, "strips")
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("PT10H", "P1D"))
    together(case, 2, 2, "boxes", "--continue")
    np.testing.assert_array_equal(final_temperature(case), final_temperature(strips[0]))


@pytest.mark.parametrize(("how", "words"), [("late_put", ("7200 s", "3600 s")), ("late_get", ("7200 s", "0 s"))])
def test_a_time_off_the_schedule_is_an_error_that_says_both_times(tmp_path, how, words):
    case = external_case(tmp_path / "toy")
    done = together(case, 2, 1, how, check=False)
    assert done.returncode
    for word in words:
        assert word in done.stderr


def test_a_missing_program_is_asked_for_with_the_command_and_program_starts_it(tmp_path):
    case = external_case(tmp_path / "toy")
    done = tessera(case, check=False)
    assert done.returncode == 2 and "program:" in done.stderr
    own = external_case(tmp_path / "own", sea={"program": f"{sys.executable} {PROGRAM} strips"}, duration="PT6H")
    tessera(own)
    assert final_temperature(own).shape == (1, 24, 24)


def test_a_grid_of_another_shape_is_told_with_both_fingerprints(tmp_path):
    case = external_case(tmp_path / "toy")
    done = together(case, 2, 1, "wrong_grid", check=False)
    assert done.returncode and done.stderr.count("fingerprint") == 2 and "(24, 24)" in done.stderr
