# SPDX-License-Identifier: BSD-3-Clause
"""Learned models on disk: what is refused, and why."""

import json

import pytest
import torch

from components.ml_surrogates import model_file
from components.ml_surrogates.model_file import ModelFileError
from components.ml_surrogates.radiation_emulator import networks
from components.ml_surrogates.radiation_emulator.component import RadiationEmulator
from tests.toys.learned import card


@pytest.fixture
def saved(tmp_path):
    """An untrained network on disk."""
    torch.manual_seed(0)
    net = networks.build("recurrent", hidden=8, classes=4)
    model_file.save(tmp_path / "net", net.state_dict(), card())
    return tmp_path / "net"


def test_names_with_dots_are_files_of_their_own(tmp_path):
    """Two networks that differ behind a dot; each comes back, by its name or by that of one of its files."""
    for n in (1, 2):
        model_file.save(tmp_path / f"net_0.{n}", {"a": torch.full((2,), float(n))}, card())
    assert {p.name for p in tmp_path.iterdir()} == {f"net_0.{n}{e}" for n in (1, 2) for e in (".json", ".safetensors")}
    for ending in ("", ".json", ".safetensors"):
        assert model_file.load(tmp_path / f"net_0.1{ending}")[0]["a"][0] == 1.0
    assert model_file.load(tmp_path / "net_0.2")[0]["a"][0] == 2.0


def edit(path, **changes):
    file = path.with_suffix(".json")
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_model_comes_back_as_it_was(saved):
    net, sidecar = networks.load(saved)
    torch.manual_seed(0)
    for name, tensor in networks.build("recurrent", hidden=8, classes=4).state_dict().items():
        torch.testing.assert_close(net.state_dict()[name], tensor, rtol=0.0, atol=0.0)
    assert sidecar.torch_version == torch.__version__ and len(sidecar.weights_hash) == 64


def test_a_network_of_a_file_is_frozen(saved):
    """What is differentiated through a forecast model, as by an assimilation, leaves its weights alone."""
    net, _ = networks.load(saved)
    assert not any(p.requires_grad for p in net.parameters()) and not net.training


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 99}, "schema 99"),
        ({"torch_version": "1.9.0"}, "torch 1.9.0"),
        ({"model": "cloud_emulator"}, "not a radiation emulator"),
        ({"network": "transformer"}, "not a radiation emulator"),
        ({"data_hash": None, "sizes": {"hidden": 9, "classes": 4}}, "do not fit"),
        ({"normalisation": {"t_middle": 1.0}}, "scaling"),
    ],
)
def test_a_sidecar_that_says_something_else_is_refused(saved, changes, words):
    edit(saved, **changes)
    with pytest.raises(ModelFileError, match=words):
        networks.load(saved)


def test_another_unit_order_or_name_is_refused(saved):
    ins = json.loads(saved.with_suffix(".json").read_text())["inputs"]
    edit(saved, inputs=[{**ins[0], "units": "degC"}, *ins[1:]])
    with pytest.raises(ModelFileError, match="'degC'"):
        networks.load(saved)
    edit(saved, inputs=[ins[1], ins[0], *ins[2:]])
    with pytest.raises(ModelFileError, match="another order"):
        networks.load(saved)
    edit(saved, inputs=[{**ins[0], "name": "potential_temperature"}, *ins[1:]])
    with pytest.raises(ModelFileError, match=r"lacks.*air_temperature.*nobody exchanges potential_temperature"):
        networks.load(saved)


def test_damaged_and_missing_files_are_refused(saved):
    weights = saved.with_suffix(".safetensors")
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelFileError, match="damaged"):
        networks.load(saved)
    saved.with_suffix(".json").write_text("{")
    with pytest.raises(ModelFileError, match="not a JSON"):
        networks.load(saved)
    saved.with_suffix(".json").unlink()
    with pytest.raises(ModelFileError, match="does not exist"):
        networks.load(saved)


def test_no_pickle_is_opened(saved):
    torch.save({"a": torch.ones(1)}, saved.with_suffix(".safetensors"))
    edit(saved, weights_hash=model_file.checksum(saved.with_suffix(".safetensors")))
    with pytest.raises(ModelFileError, match="cannot be read"):
        networks.load(saved)


def test_check_tells_everything_at_once(saved):
    with pytest.raises(ValueError, match="expected 1 to 1000000"):
        RadiationEmulator.Options(network=str(saved), batch=0)
    o = RadiationEmulator.Options(network=str(saved))
    component = RadiationEmulator(o)

    class Setting:
        name = "radiation"

    assert component.check(Setting()) == []
    edit(saved, torch_version="1.9.0")
    said = component.check(Setting())
    assert len(said) == 1 and "torch 1.9.0" in said[0]
