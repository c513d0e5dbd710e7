# SPDX-License-Identifier: BSD-3-Clause
"""The weights command makes files, and its checks see wrong weights that sums cannot see."""

import dataclasses

import numpy as np
import pytest

from coupler.grids.grid import Grid
from coupler.remap.files import load_weights, save_weights
from coupler.remap.inspect import check, main
from coupler.remap.weights import make_weights

FINE, COARSE = "lonlat:0,360,-90,90,6", "lonlat:0,360,-90,90,10"


@pytest.mark.parametrize(
    "method", ["conservative", "conservative_second_order", "bilinear,nearest", "nearest", "inverse_distance:3"]
)
def test_weights_are_made_checked_written_and_inspected(method, tmp_path, capsys):
    path = tmp_path / "weights.nc"
    assert main([FINE, COARSE, method, "-o", str(path)]) == 0
    said = capsys.readouterr().out
    assert "FAIL" not in said and "written to" in said and "a smooth field" in said
    assert main([str(path)]) == 0
    assert main([str(path), FINE, COARSE]) == 0
    assert load_weights(path).shape == (18 * 36, 30 * 60)


def test_a_shifted_file_fails_though_its_sums_are_right(tmp_path, capsys):
    source = Grid.regular_lonlat(FINE, 0, 360, -90, 90, resolution=6)
    target = Grid.regular_lonlat(COARSE, 0, 360, -90, 90, resolution=10)
    weights = make_weights(source, target)
    row, column = np.divmod(weights.indices, 60)
    moved = dataclasses.replace(weights, indices=(row * 60 + (column + 7) % 60).astype(np.int32))
    lines, good = check(moved, source, target)
    assert not good and [line for line in lines if line.startswith("FAIL")]
    assert check(moved)[1]  # without the grids the sums look fine
    save_weights(tmp_path / "moved.nc", moved)
    assert main([str(tmp_path / "moved.nc"), FINE, COARSE]) == 1


def test_mistakes_are_told_with_exit_code_2(tmp_path, capsys):
    for arguments, message in (
        ([FINE, COARSE, "conservativ"], "did you mean 'conservative'"),
        ([FINE, COARSE, "fixed:x"], "expected a number after the colon"),
        (["lonlat:1,2", COARSE, "nearest"], "five numbers"),
        ([str(tmp_path / "none.nc"), COARSE, "nearest"], "cannot be read"),
        ([FINE, COARSE], "SOURCE TARGET METHOD"),
        ([FINE, COARSE, "nearest", "--source-mask", "lake"], "no mask 'lake'"),
        ([FINE, COARSE, "nearest", "-o", str(tmp_path / "no" / "folder.nc")], "cannot be written"),
    ):
        assert main(arguments) == 2
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0 and "river_mouths" in capsys.readouterr().out
