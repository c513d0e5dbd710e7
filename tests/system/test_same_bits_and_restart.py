# SPDX-License-Identifier: BSD-3-Clause
"""SMS, SER, PEM, ERS, ERP on the toy case: any layout and any restart give the same bits."""

import json
import re

import pytest

from coupler.fields import FieldSpec
from tests.toys.cases import differences, started, tessera, toy_case, wait_for
from tests.toys.models import Air


class ListeningAir(Air):
    """Takes the soil's temperature too, and does nothing with it."""

    imports = (FieldSpec("surface_temperature", required=False, partial=True),)


def budget(case):
    return (case / "run" / "budget.csv").read_bytes()


@pytest.mark.ranks
@pytest.mark.parametrize(
    "layout",
    [
        {"coupler": 1, "air": 1, "sea": 1},
        {"coupler": 1, "air": 2, "sea": 1, "soil": 1},
        {"coupler": 2, "air": 3, "sea": 2, "soil": 1},
    ],
    ids=["3_ranks_soil_shares", "5_ranks", "8_ranks_2_couplers"],
)
def test_any_layout_gives_the_bits_of_the_serial_run(serial_toy, tmp_path, layout):
    if "soil" not in layout:
        layout = {**layout, "soil": {"ranks": 1, "with": "air"}}
    case = toy_case(tmp_path / "toy", layout=layout)
    tessera(case)
    assert differences(serial_toy, case) == []
    assert budget(case) == budget(serial_toy)


@pytest.mark.ranks
def test_messages_over_mpi_alone_give_the_same_bits(serial_toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TESSERA_SHARED_MEMORY", "0")
    case = toy_case(tmp_path / "toy")
    tessera(case)
    assert differences(serial_toy, case) == []


@pytest.mark.ranks
def test_a_restart_inside_a_mean_window_continues_to_the_same_bits_on_another_rank_count(serial_toy, tmp_path):
    """21 h is 3 h into the 6-h window: run to 21 h, go on to 48 h with other ranks (ERS and ERP)."""
    case = toy_case(tmp_path / "toy", duration="PT21H")
    tessera(case)
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("duration: PT21H", "duration: P2D"))
    done = tessera(case, "--continue", "-n", 5)
    assert "continues from" in done.stdout and "2001-01-01T210000" in done.stdout
    assert differences(serial_toy, case) == []
    assert budget(case) == budget(serial_toy), "as if there had been no restart"


@pytest.mark.ranks
def test_a_restart_on_ranks_survives_rules_in_another_order_and_one_more(serial_toy, tmp_path):
    """The soil's temperature is brought to a new sea from 21 h on; nothing of the old ones changes."""
    case = toy_case(tmp_path / "toy", duration="PT21H")
    listening = "tests.system.test_same_bits_and_restart:ListeningAir"
    text = (case / "case.yaml").read_text().replace("tests.toys.models:Air", listening)
    (case / "case.yaml").write_text(text)
    tessera(case)
    first, second = (
        "- from: air\n  to: sea\n  period: PT6H\n  lag: PT6H\n",
        "- from: air\n  to: soil\n  period: PT1H\n",
    )
    assert first + second in text
    new = "- from: soil\n  to: air\n  period: PT6H\n  lag: PT6H\n"
    text = text.replace(first + second, new + second + first).replace("duration: PT21H", "duration: P2D")
    (case / "case.yaml").write_text(text)
    done = tessera(case, "--continue")
    assert "soil -> air is new since the restart: it starts from the initial exports" in done.stdout
    assert budget(case) == budget(serial_toy)
    names = {n for d in differences(serial_toy, case) for n in re.findall(r"'([^']+)'", d)}
    assert names and all(n.startswith(("window.soil-to-air-instant.", "held.soil-to-air-instant.")) for n in names)


@pytest.mark.ranks
@pytest.mark.parametrize("how", [(), ("--serial",)], ids=["on_ranks", "on_one_process"])
def test_a_run_asked_to_stop_says_it_is_resumable_and_goes_on_to_the_same_bits(serial_toy, tmp_path, how):
    case = toy_case(tmp_path / "toy", air={"sleep": 0.03})
    process = started(case, *how)
    wait_for(case, 0.1)
    process.terminate()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 75, out
    assert "stopped, resumable" in out
    assert 0 < json.loads((case / "run" / "timing.json").read_text())["simulated"] < 2 * 86400
    status = tessera("status", case).stdout
    assert "stopped" in status and "--continue" in status
    done = tessera(case, "--continue", "--serial")
    assert "continues from" in done.stdout
    assert differences(serial_toy, case) == []


def test_a_finished_run_is_not_continued_and_a_new_run_keeps_the_old_output(serial_toy, tmp_path):
    case = toy_case(tmp_path / "toy", duration="PT6H", restart="PT6H")
    tessera(case, "--serial")
    again = tessera(case, "--continue", "--serial", check=False)
    assert again.returncode and "at the end of the run already" in again.stderr
    tessera(case, "--serial")
    assert len(list(case.glob("run.*"))) == 1 and (case / "run" / "status.json").exists()
