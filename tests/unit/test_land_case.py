"""The column in a whole case under climatological air: any rank count gives the same bits, and so does a restart."""

import os
import subprocess
import sys

import netCDF4
import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def command(root, *words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(root / "run_case.py"), *map(str, words)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def case(root, folder, duration, land_ranks):
    command(root, "new", folder, "--template", "east_asia")
    text = (folder / "case.yaml").read_text()
    for old, new in (
        ("land: {model: slab}", "land: {model: column}"),
        ("duration: P60D", f"duration: {duration}"),
        ("period: P30D", "period: PT3H"),
        ("  land: 1\n", f"  land: {land_ranks}\n"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "case.yaml").write_text(text)
    land = (folder / "land.yaml").read_text()
    (folder / "land.yaml").write_text(land + "\ncolumn: {file: east_asia_land.nc, daily_means: true}\n")
    return folder


def final_state(folder):
    with netCDF4.Dataset(folder / "run" / "restart" / "2001-01-01T060000" / "land.nc") as data:
        data.set_auto_mask(False)
        return {name: np.array(v[...]) for name, v in data.variables.items() if v.dtype.kind == "f"}


def same(a, b):
    return set(a) == set(b) and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


def test_ranks_and_restart_keep_the_bits(root, tmp_path):
    one = case(root, tmp_path / "one", "PT6H", 1)
    command(root, "check", one)
    assert "finished" in command(root, one)
    reference = final_state(one)
    assert len(reference) > 10

    three = case(root, tmp_path / "three", "PT6H", 3)
    command(root, three)
    assert same(reference, final_state(three))

    halves = case(root, tmp_path / "halves", "PT3H", 1)
    command(root, halves)
    text = (halves / "case.yaml").read_text()
    (halves / "case.yaml").write_text(text.replace("duration: PT3H", "duration: PT6H"))
    command(root, halves, "--continue")
    assert same(reference, final_state(halves))
