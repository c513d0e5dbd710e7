# SPDX-License-Identifier: BSD-3-Clause
"""The radiation emulator in a case: one word in the namelist, the same bits on any ranks and over a restart."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml

from components.ml_surrogates.radiation_emulator import error_predictor, networks
from coupler.files.restart import newest, read_part
from tests.toys.cases import box, differences, edit, tessera, toy_case

GRID = box(100, 124, 20, 40, 2.0)
AIR = {
    "levels": 10, "relief": "", "boundary_layer": "none", "radiation": "imported", "radiation_interval": "PT20M",
}  # fmt: skip


def case(folder, model="radiation_emulator", ranks=(1, 1), duration="PT1H", device="cpu", **options):
    """An atmosphere beside radiation with a lag of one period."""
    rule = {"period": "PT20M", "lag": "PT20M", "statistic": "instant", "route": "direct"}
    return toy_case(
        folder,
        components={
            "atmosphere": {"model": "nonhydrostatic", "step": "PT400S", "grid": GRID, "nonhydrostatic": AIR},
            "radiation": {
                "model": model, "step": "PT20M", "grid": GRID, "device": device,
                model: {"levels": 10, "precision": "single", **options},
            },
        },
        coupling=[{"from": "atmosphere", "to": "radiation", **rule}, {"from": "radiation", "to": "atmosphere", **rule}],
        layout={"coupler": 1, "atmosphere": ranks[0], "radiation": ranks[1]},
        duration=duration,
        restart="PT40M",
    )  # fmt: skip


def air(folder, name):
    return read_part(newest(folder / "run" / "restart"), "atmosphere")[f"state.{name}"]


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """An hour on one process, poisoned by nothing."""
    folder = case(tmp_path_factory.mktemp("emulator") / "serial")
    done = tessera(folder, "--serial")
    return folder, done.stdout + done.stderr


def test_it_runs_and_says_how_long_calls_took_and_what_the_guards_did(serial):
    assert "recurrent network on cpu, 1 thread(s)" in serial[1]
    assert "radiation: 4 calls a rank, p50" in serial[1] and "of the wall clock" in serial[1]
    assert "columns by the fallback: 0.000 % (none)" in serial[1]


@pytest.mark.ranks
def test_ranks_and_a_restart_in_flight_give_the_same_bits(serial, tmp_path):
    """On 1 and 3 ranks to the restart, then on one process."""
    parts = case(tmp_path / "parts", ranks=(1, 3), duration="PT40M")
    tessera(parts)
    edit(parts, [("case.yaml", "duration: PT40M", "duration: PT1H")])
    tessera(parts, "--serial", "--continue")
    assert differences(serial[0], parts, history=False) == []


def test_an_hour_is_close_to_that_of_rrtmgp(serial, tmp_path):
    other = case(tmp_path / "rrtmgp", "rrtmgp")
    tessera(other, "--serial")
    heating, reference = (86400.0 * air(f, "heating") for f in (serial[0], other))
    assert np.sqrt(np.mean((heating - reference) ** 2)) < 0.5 < np.sqrt(np.mean(reference**2))
    down, reference = (air(f, "sky_longwave_down") for f in (serial[0], other))
    apart = (
        down - reference
    )  # RRTMGP draws which layers are cloudy: a column has the noise of its draw, the mean little
    assert abs(apart.mean()) < 1.5 and apart.std() < 12.0


def test_the_last_good_values_survive_a_restart(tmp_path):
    whole, parts = (case(tmp_path / n, fallback="last", gases={"carbon_dioxide": 0.04}) for n in ("whole", "parts"))
    said = tessera(whole, "--serial").stdout
    assert "outside the training range" in said
    text = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(text.replace("duration: PT1H", "duration: PT40M"))
    tessera(parts, "--serial")
    (parts / "case.yaml").write_text(text)
    tessera(parts, "--serial", "--continue")
    assert differences(whole, parts, history=False) == []


@pytest.mark.gpu
@pytest.mark.skipif(not shutil.which("nvidia-smi"), reason="no CUDA device")
def test_a_coupled_hour_on_a_card_is_that_of_the_cpu(serial, tmp_path):
    card = case(tmp_path / "card", device="cuda", graphs=True)
    said = tessera(card, "--serial")
    assert "recurrent network on cuda:0" in said.stdout + said.stderr
    heating, reference = (86400.0 * air(f, "heating") for f in (card, serial[0]))
    np.testing.assert_allclose(heating, reference, atol=0.05)


def test_check_refuses_a_card_that_is_not_there_and_a_model_for_something_else(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a CUDA device")
    done = tessera("check", case(tmp_path / "cuda", device="cuda"), check=False)
    assert done.returncode == 2 and "no CUDA device was found" in done.stderr
    done = tessera("check", case(tmp_path / "auto", device="auto"))
    assert (done.stdout + done.stderr).count("the CPU is used") == 1
    for ending in (".json", ".safetensors"):
        shutil.copy(networks.SHIPPED / f"recurrent{ending}", tmp_path / f"mine{ending}")
    content = json.loads((tmp_path / "mine.json").read_text())
    content["inputs"][0]["units"] = "degC"
    (tmp_path / "mine.json").write_text(json.dumps(content))
    folder = case(tmp_path / "units", network=str(tmp_path / "mine"))
    done = tessera("check", folder, check=False)
    assert done.returncode == 2 and "'degC'" in done.stderr
    folder = case(tmp_path / "levels", network="mlp")
    done = tessera("check", folder, check=False)
    assert done.returncode == 2 and "trained for 29 layers, and there are 15" in done.stderr
    assert (
        yaml.safe_load((folder / "case.yaml").read_text())["components"]["radiation"]["model"] == "radiation_emulator"
    )


def test_check_names_what_is_wrong_with_an_adaptive_choice(tmp_path):
    """A number beyond its range, a choice of nothing, a predictor for other layers, a file that is not there."""
    for name, adaptive, expected in (
        ("share", {"share": 1.2}, "expected 0 to 1"),
        ("tolerance", {"tolerance": -0.3}, "expected more than 0 and at most 100 K/day"),
        ("scheme", {"share": 0.2, "scheme": "grey"}, "'rrtmgp' or 'rrtmg'"),
        ("nothing", {}, "expected share below 1 or a tolerance"),
        ("none", {"share": 0.0}, "share: 0 chooses no column"),
        ("all", {"tolerance": 0.3, "recurrent": 0.2}, "share 1 and recurrent 0.2 are more than all columns"),
        ("levels", {"share": 0.2}, "was trained for 29 layers, and there are 15"),
        ("file", {"share": 0.2, "predictor": "mine"}, "does not exist"),
    ):
        done = tessera("check", case(tmp_path / name, adaptive=adaptive), check=False)
        assert done.returncode == 2 and expected in done.stderr, (name, done.stderr)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    """An error predictor for the recurrent network on this case's 15 layers, with random weights."""
    torch.manual_seed(5)
    net, path = error_predictor.ErrorPredictor(15, 16), tmp_path_factory.mktemp("predictor") / "any"
    error_predictor.save(path, net, networks.SHIPPED / "recurrent", "recurrent", "0" * 64, 5, {})
    return str(path)


@pytest.mark.slow
@pytest.mark.ranks
def test_an_adaptive_choice_has_the_same_bits_on_any_ranks_and_over_a_restart(predictor, tmp_path):
    """A fifth of the columns to RRTMGP: serial, and on 1, 2 and 3 ranks to the restart, then on one process."""
    adaptive = {"share": 0.2, "predictor": predictor}
    whole = case(tmp_path / "whole", adaptive=adaptive)
    tessera(whole, "--serial")
    for ranks in (2, 3):
        parts = case(tmp_path / f"on{ranks}", ranks=(1, ranks), duration="PT40M", adaptive=adaptive)
        tessera(parts)
        edit(parts, [("case.yaml", "duration: PT40M", "duration: PT1H")])
        tessera(parts, "--serial", "--continue")
        assert differences(whole, parts, history=False) == []
