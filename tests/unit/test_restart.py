# SPDX-License-Identifier: BSD-3-Clause
"""Restarts: whole or not at all, every bit kept, the newest complete one chosen."""

import errno
import json
import os
import shutil
import warnings

import netCDF4
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from coupler.case.launch import run_here
from coupler.component import Component
from coupler.errors import RestartError
from coupler.exchange.keys import keyed
from coupler.fields import FieldSpec
from coupler.files import atomic, restart
from coupler.files.atomic import DiskError

FILL = netCDF4.default_fillvals["f8"]


def make_set(folder, time, arrays=None):
    """A complete set of one component."""
    name = f"2001-01-01T{time // 3600:02d}0000"
    part = folder / f".{name}.part"
    entry = restart.write_part(part, "ocean", arrays or {"state.t": np.arange(6.0).reshape(2, 3) + time})
    restart.complete(part, folder / name, {"time": time, "components": {"ocean": entry}})
    return folder / name


def test_values_near_the_fill_value_survive(tmp_path):
    nasty = np.array([FILL, np.nextafter(FILL, 0), -FILL, np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7e308])
    path = make_set(tmp_path, 0, {"state.nasty": nasty, "state.flag": np.array(True), "state.n": np.arange(3)})
    back = restart.read_part(path, "ocean")
    assert back["state.nasty"].tobytes() == nasty.tobytes()
    assert back["state.flag"] == 1 and back["state.n"].dtype == np.int64


VALUES = arrays.arrays(np.float64, arrays.array_shapes(max_dims=3, max_side=4), elements=st.floats(allow_nan=True))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(VALUES)
def test_any_array_comes_back_to_the_bit(tmp_path, array):
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    restart.write_part(tmp_path / "set", "ocean", {"a": array, "b": single})
    back = restart.read_part(tmp_path / "set", "ocean")
    assert back["a"].tobytes() == array.tobytes() and back["a"].shape == array.shape
    assert back["b"].dtype == np.float32 and np.array_equal(back["b"], single, equal_nan=True)


def test_the_newest_by_model_date_is_chosen(tmp_path):
    for time in (7200, 3600, 10800):
        make_set(tmp_path, time)
    assert restart.newest(tmp_path).name == "2001-01-01T030000"
    assert [p.name[-6:] for p in restart.complete_sets(tmp_path)] == ["010000", "020000", "030000"]


def test_a_half_written_set_is_never_chosen(tmp_path):
    good = make_set(tmp_path, 3600)
    half = tmp_path / ".2001-01-01T020000.part"
    restart.write_part(half, "ocean", {"state.t": np.zeros(3)})
    unnamed = tmp_path / "2001-01-01T030000"
    restart.write_part(unnamed, "ocean", {"state.t": np.zeros(3)})
    torn = make_set(tmp_path, 14400)
    (torn / "manifest.json").write_text((torn / "manifest.json").read_text()[:40])
    assert restart.newest(tmp_path) == good


@pytest.mark.parametrize("damage", ["a bit", "the end", "the file"])
def test_a_damaged_file_is_detected_and_the_set_before_it_chosen(tmp_path, damage):
    good, bad = make_set(tmp_path, 3600), make_set(tmp_path, 7200)
    path = bad / "ocean.nc"
    content = bytearray(path.read_bytes())
    if damage == "a bit":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "the end":
        path.write_bytes(content[:-10])
    else:
        path.unlink()
    with pytest.raises(RestartError, match=r"the file of ocean, ocean\.nc, is missing or damaged"):
        restart.verify(bad)
    assert restart.newest(tmp_path) == good


def test_another_versions_manifest_is_told_apart(tmp_path):
    path = make_set(tmp_path, 0)
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "version": 99}))
    with pytest.raises(RestartError, match="written by another version"):
        restart.read_manifest(path)
    assert restart.newest(tmp_path) is None


def test_nothing_there_is_no_error(tmp_path):
    assert restart.newest(tmp_path / "never") is None


def test_only_the_newest_are_kept(tmp_path):
    for time in range(3600, 5 * 3600, 3600):
        make_set(tmp_path, time)
    restart.prune(tmp_path, keep=2)
    assert [p.name[-6:] for p in restart.complete_sets(tmp_path)] == ["030000", "040000"]


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    left = tmp_path / ".2001-01-01T000000.part"
    ahead = tmp_path / ".2001-01-01T020000.part"
    for part in (left, ahead):
        restart.write_part(part, "ocean", {"state.t": np.zeros(3)})
    make_set(tmp_path, 3600)
    restart.prune(tmp_path, keep=3)
    assert not left.exists()
    assert ahead.exists(), "a component that is ahead may be writing this one"


def test_a_full_disk_is_told_with_the_path_and_leaves_the_old_set(tmp_path, monkeypatch):
    good = make_set(tmp_path, 3600)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(restart.os, "fsync", full)
        with pytest.raises(DiskError, match=r"cannot write the restart .*ocean\.nc.*No space left on device.*intact"):
            make_set(tmp_path, 7200)
    assert restart.newest(tmp_path) == good
    restart.verify(good)


def test_a_text_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "status.json"
    atomic.write_text(path, "old")

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(DiskError, match="what was there before is intact"):
        atomic.write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path], "no temporary file stays behind"


# ------------------------------------------------------------------ of a whole run


def change(folder, old, new):
    path = folder / "case.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def bits(path):
    """Everything a restart holds, by component and name."""
    parts = {c: restart.read_part(path, c) for c in restart.verify(path)["components"]}
    return {(c, n): (a.shape, a.tobytes()) for c, part in parts.items() for n, a in part.items()}


def test_a_run_stopped_in_the_middle_of_its_windows_goes_on_to_the_bit(case):
    """Windows of 2 h and history means of 2 h, stopped after 3 h."""
    from tests.unit.conftest import AIR, GRIDS, SEA

    components = {
        "atmosphere": {"model": AIR, "step": "PT30M", "grid": GRIDS["atmosphere"]},
        "ocean": {
            "model": SEA,
            "step": "PT1H",
            "grid": GRIDS["ocean"],
            "output": [{"name": "mean", "fields": ["sea_surface_temperature", "precipitation_flux"], "period": "PT2H"}],
        },
    }
    straight = case(components, name="straight", duration="PT6H")
    halves = case(components, name="halves", duration="PT3H")
    assert run_here(straight, serial=True, resume=False) == 0
    assert run_here(halves, serial=True, resume=False) == 0
    change(halves, "duration: PT3H", "duration: PT6H")
    assert run_here(halves, serial=True, resume=True) == 0
    newest = [restart.newest(f / "run" / "restart") for f in (straight, halves)]
    assert newest[0].name == newest[1].name == "2001-01-01T060000"
    first, second = map(bits, newest)
    assert first == second
    assert any(n.startswith("window.") for _, n in first)
    with netCDF4.Dataset(straight / "run/history/ocean.mean.nc") as a:
        with netCDF4.Dataset(halves / "run/history/ocean.mean.nc") as b:
            assert list(a["time"][:]) == list(b["time"][:]) == [7200, 14400, 21600]
            for name in ("sea_surface_temperature", "precipitation_flux"):
                assert a[name][:].tobytes() == b[name][:].tobytes()


def test_continuing_at_the_end_or_without_a_restart_says_what_to_do(case, capsys):
    folder = case(duration="PT2H")
    assert run_here(folder, serial=True, resume=True) == 1
    assert "has no complete restart" in capsys.readouterr().err
    assert run_here(folder, serial=True, resume=False) == 0
    capsys.readouterr()
    assert run_here(folder, serial=True, resume=True) == 1
    assert "at the end of the run already (2001-01-01T02:00:00); raise duration in case.yaml" in capsys.readouterr().err


def test_a_restart_under_other_rules_is_refused(case, capsys):
    folder = case(duration="PT2H")
    assert run_here(folder, serial=True, resume=False) == 0
    change(folder, "duration: PT2H", "duration: PT4H")
    change(folder, "  lag: PT2H", "  lag: PT2H\n  statistic: mean")
    capsys.readouterr()
    assert run_here(folder, serial=True, resume=True) == 1
    said = capsys.readouterr().err
    assert "was written under other rules" in said
    assert "atmosphere -> ocean (instant, 1 fields)\n    then: atmosphere/default air_temperature (instant" in said
    assert "now:  atmosphere/default" in said and "(mean, 3 values a cell) to ocean/default" in said
    assert restart.newest(folder / "run" / "restart").name == "2001-01-01T020000"


FIELDS = ("precipitation_flux", "air_temperature", "surface_downwelling_shortwave_flux_in_air")
RULE = {"from": "atmosphere", "to": "ocean", "period": "PT2H", "lag": "PT2H", "statistic": "mean"}


def test_a_restart_goes_on_under_the_same_rules_in_another_order(case):
    """Stopped in the middle of the windows; what is held is known by what its rule is, not by its place."""
    rules = [{**RULE, "fields": [f]} for f in FIELDS]
    straight = case(coupling=rules, name="straight", duration="PT6H")
    folder = case(coupling=rules, duration="PT3H")
    assert run_here(straight, serial=True, resume=False) == run_here(folder, serial=True, resume=False) == 0
    case(coupling=rules[::-1], duration="PT6H")
    assert run_here(folder, serial=True, resume=True) == 0
    first, second = (bits(restart.newest(f / "run" / "restart")) for f in (straight, folder))
    assert first == second
    assert (straight / "run/budget.csv").read_bytes() == (folder / "run/budget.csv").read_bytes()


def test_sources_merge_to_the_same_bits_whatever_the_order_of_their_rules(case):
    """Three seas under one atmosphere."""
    from tests.unit.conftest import AIR, SEA

    seas = {
        f"sea{k}": {"model": SEA, "step": "PT1H", "grid": {"west": 100, "east": 120, "south": 10, "north": 26,
                                                           "resolution": r}} for k, r in enumerate((1.0, 0.8, 0.5))
    }  # fmt: skip
    parts = {"atmosphere": {"model": AIR, "step": "PT1H", "grid": seas["sea0"]["grid"]}, **seas}
    parts["gauge"] = {"model": GAUGE, "step": "PT1H", "grid": {"west": 101, "east": 119, "south": 11, "north": 25,
                                                               "resolution": 2.0}}  # fmt: skip
    down = [{"from": "atmosphere", "to": s, "period": "PT1H", "lag": "PT1H"} for s in seas]
    up = [{"from": s, "to": "gauge", "period": "PT1H", "lag": "PT1H"} for s in seas]
    seen = []
    for k, rules in enumerate((up, up[1:] + up[:1], up[::-1])):
        folder = case(parts, [*down, *rules], name=f"case{k}", duration="PT3H")
        assert run_here(folder, serial=True, resume=False) == 0
        newest = restart.newest(folder / "run" / "restart")
        seen.append(restart.read_part(newest, "gauge")["state.sea_surface_temperature"])
    assert np.ptp(seen[0][-1]) > 1.0
    assert seen[0].tobytes() == seen[1].tobytes() == seen[2].tobytes()


GAUGE = "tests.unit.test_restart:Gauge"


class Gauge(Component):
    """Writes down what it is given, step by step."""

    imports = tuple(FieldSpec(n, required=False) for n in (*FIELDS[:2], "sea_surface_temperature"))

    def initialize(self, context):
        self.local_shape = context.local_shape
        self.seen = {f.name: np.zeros((0, *context.local_shape)) for f in self.imports}
        return {}

    def step(self, time, seconds, imports):
        for name, values in imports.items():
            empty = np.full(((time // seconds) - len(self.seen[name]), *self.local_shape), np.nan)
            self.seen[name] = np.concatenate([self.seen[name], empty, values[None]])
        return {}

    def state(self):
        return {name: values for name, values in self.seen.items() if values.size}

    def restore(self, state):
        self.seen.update({name: np.asarray(values) for name, values in state.items()})


@pytest.mark.parametrize("hours", [2, 3, 4], ids=["on_a_window", "inside_a_window", "on_another"])
@pytest.mark.parametrize("lag", ["PT2H", "PT4H"])
def test_an_added_rule_starts_from_the_initial_exports_and_the_others_go_on_to_the_bit(case, capsys, hours, lag):
    from tests.unit.conftest import AIR, GRIDS

    parts = {
        "atmosphere": {"model": AIR, "step": "PT30M", "grid": GRIDS["atmosphere"]},
        "gauge": {"model": GAUGE, "step": "PT1H", "grid": GRIDS["ocean"]},
    }
    old = {"from": "atmosphere", "to": "gauge", "period": "PT2H", "lag": "PT2H", "fields": [FIELDS[0]]}
    new = {"from": "atmosphere", "to": "gauge", "period": "PT2H", "lag": lag, "fields": [FIELDS[1]]}
    straight = case(parts, [old, new], name="straight", duration="PT12H")
    folder = case(parts, [old], duration=f"PT{hours}H")
    assert run_here(straight, serial=True, resume=False) == run_here(folder, serial=True, resume=False) == 0
    case(parts, [new, old], duration="PT12H")
    capsys.readouterr()
    assert run_here(folder, serial=True, resume=True) == 0
    said = capsys.readouterr().out
    assert said.count("atmosphere -> gauge is new since the restart: it starts from the initial exports") == 1
    whole, got = (restart.read_part(restart.newest(f / "run" / "restart"), "gauge") for f in (straight, folder))
    assert got[f"state.{FIELDS[0]}"].tobytes() == whole[f"state.{FIELDS[0]}"].tobytes()
    got, whole = got[f"state.{FIELDS[1]}"], whole[f"state.{FIELDS[1]}"]
    assert np.isnan(got[:hours]).all() and got.shape == whole.shape
    windows = int(lag[2])
    first = hours // 2 * 2 + windows  # the first hour that gets a window of this run
    assert all(hour.tobytes() == whole[0].tobytes() for hour in got[hours:first])
    assert got[first:].tobytes() == whole[first:].tobytes()


def test_a_rule_that_is_gone_is_said_and_a_changed_one_refused_by_name(case, capsys):
    from tests.unit.conftest import AIR, GRIDS

    parts = {
        "atmosphere": {"model": AIR, "step": "PT30M", "grid": GRIDS["atmosphere"]},
        "gauge": {"model": GAUGE, "step": "PT1H", "grid": GRIDS["ocean"]},
    }
    rules = [{"from": "atmosphere", "to": "gauge", "period": "PT2H", "lag": "PT2H", "fields": [f]} for f in FIELDS[:2]]
    folder = case(parts, rules, duration="PT2H")
    assert run_here(folder, serial=True, resume=False) == 0
    together = {"fields": list(FIELDS[1::-1]), "statistic": "mean"}
    for changed in ({"period": "PT1H"}, {"statistic": "max"}, {"lag": "PT4H"}, together):
        case(parts, [rules[0], {**rules[1], **changed}] if "fields" not in changed else [{**rules[0], **changed}],
             duration="PT4H")  # fmt: skip
        capsys.readouterr()
        assert run_here(folder, serial=True, resume=True) == 1
        said = capsys.readouterr().err
        assert "was written under other rules" in said and "air_temperature" in said.split("now: ")[1]
        assert ("precipitation_flux" in said) == ("fields" in changed), "only what has changed is named"
    case(parts, rules[1:], duration="PT4H")
    assert run_here(folder, serial=True, resume=True) == 0
    assert "atmosphere -> gauge is gone since the restart: what it held is left out" in capsys.readouterr().out


def test_keys_say_what_a_rule_is_and_only_true_twins_are_counted(case):
    from coupler.case.case import make_plan

    rules = [{**RULE, "fields": [f]} for f in FIELDS]
    keys = [t.key for t in make_plan(case(coupling=rules)).tasks]
    assert len(set(keys)) == 3 and all(k.startswith("atmosphere-to-ocean-mean.") for k in keys)
    assert [t.key for t in make_plan(case(coupling=rules[::-1])).tasks] == keys[::-1]
    (task,) = make_plan(case(coupling=[RULE])).tasks
    assert [t.key for t in keyed([task, task])] == [task.key, f"{task.key}.2"]
    assert task.key not in keys


def test_another_remapping_is_no_other_rule(case):
    rule = {"from": "atmosphere", "to": "ocean", "period": "PT1H", "lag": "PT1H"}
    folder = case(coupling=[rule], duration="PT2H")
    assert run_here(folder, serial=True, resume=False) == 0
    case(coupling=[{**rule, "remap": ["conservative", "nearest"]}], duration="PT4H")
    assert run_here(folder, serial=True, resume=True) == 0


def test_xarray_opens_a_restart_without_a_warning(tmp_path):
    import xarray

    path = make_set(tmp_path, 3600)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xarray.open_dataset(path / "ocean.nc") as data:
            assert np.array_equal(data["state.t"], np.arange(6.0).reshape(2, 3) + 3600)


def test_a_set_that_is_made_again_replaces_the_old_one(tmp_path):
    make_set(tmp_path, 3600)
    path = make_set(tmp_path, 3600, {"state.t": np.full(2, 9.0)})
    assert np.array_equal(restart.read_part(path, "ocean")["state.t"], [9.0, 9.0])
    shutil.rmtree(path)
    assert restart.newest(tmp_path) is None
