# SPDX-License-Identifier: BSD-3-Clause
"""A run by monthly pieces, stopped and continued: the bits of the unbroken one, output by month, a whole status."""

import os

import netCDF4
import numpy as np
import pytest

from coupler.case.command import main
from tests.toys.cases import TOYS, box, write_case

EVERY = {"step": "PT12H", "grid": box(100, 108, 10, 16, 2.0)}


def case(folder, duration="P3M", restart="P10D"):
    output = [
        {"name": "daily", "fields": ["sea_surface_temperature"], "period": "P1D", "statistic": "mean"},
        {"name": "monthly", "fields": ["sea_surface_temperature"], "period": "P1M", "statistic": "mean"},
        {"name": "season", "fields": ["sea_surface_temperature"], "period": "P3M", "statistic": "mean"},
    ]
    parts = {"air": {"model": TOYS + "Air", **EVERY}, "sea": {"model": TOYS + "Sea", **EVERY, "output": output}}
    rules = [{"from": "air", "to": "sea", "period": "P1D", "lag": "P1D"}]
    more = {
        "duration": duration,
        "start": "2001-01-01",
        "calendar": "noleap",
        "restart": {"period": restart, "keep": 2},
    }
    return write_case(folder, parts, rules, **more)


def records(paths, name="sea_surface_temperature"):
    values, times = [], []
    for path in paths:
        with netCDF4.Dataset(path) as f:
            values.append(np.asarray(f[name][:]))
            times.append(np.asarray(f["time"][:]))
    return np.concatenate(values), np.concatenate(times)


def test_months_by_resubmission_have_the_bits_of_the_unbroken_run(tmp_path, capsys):
    whole, parted = case(tmp_path / "whole"), case(tmp_path / "parted")
    assert main(["run", str(whole), "--serial"]) == 0
    assert main(["resubmit", str(parted), "--serial", "--pieces", "1"]) == 75
    assert "2 pieces are left:" in capsys.readouterr().out
    assert main(["status", str(parted)]) == 0
    said = capsys.readouterr().out
    assert "experiment: 1 of 3 pieces of P1M done, 2001-01-01T00:00:00 .. 2001-04-01T00:00:00" in said
    assert "resubmit" in said and "--continue" not in said
    assert main(["resubmit", str(parted), "--serial", "--pieces", "1"]) == 75
    assert main(["resubmit", str(parted), "--serial"]) == 0
    assert main(["status", str(parted)]) == 0
    assert "experiment: 3 of 3 pieces" in capsys.readouterr().out
    folders = sorted(p.name for p in (parted / "run/history").iterdir())
    assert folders == ["2001-01", "2001-02", "2001-03"]
    for stream in ("daily", "monthly", "season"):
        one = records([whole / f"run/history/sea.{stream}.nc"])
        many = records(sorted((parted / "run/history").glob(f"*/sea.{stream}.nc")))
        for a, b in zip(one, many, strict=True):
            np.testing.assert_array_equal(a, b)
    from coupler.analysis.records import outputs, read

    drawn = [read(outputs(c / "run/history")[0], "sea_surface_temperature") for c in (whole, parted)]
    np.testing.assert_array_equal(drawn[0].values, drawn[1].values)
    assert drawn[0].intervals == drawn[1].intervals and len(drawn[1].times) == 90
    last = [sorted((c / "run/restart").glob("2001-04-01*"))[-1] / "sea.nc" for c in (whole, parted)]
    with netCDF4.Dataset(last[0]) as a, netCDF4.Dataset(last[1]) as b:
        for name in a.variables:
            np.testing.assert_array_equal(a[name][:], b[name][:])
    assert len([p for p in (parted / "run/restart").iterdir() if p.is_dir()]) <= 3  # the disk is bounded
    assert main(["resubmit", str(parted), "--serial"]) == 0
    assert "all 3 pieces are done" in capsys.readouterr().out


def test_a_piece_that_was_killed_goes_on_from_its_newest_restart(tmp_path, capsys, monkeypatch):
    from coupler.case import launch

    whole, parted = case(tmp_path / "whole", "P2M"), case(tmp_path / "parted", "P2M")
    assert main(["run", str(whole), "--serial"]) == 0
    real = launch.start

    def killed(folder, **how):
        os.environ["TESSERA_UNTIL"] = "2001-01-21"  # as if the machine stopped there; who set it takes it away
        assert real(folder, **how) == 0
        return 1

    monkeypatch.setattr(launch, "start", killed)
    assert main(["resubmit", str(parted), "--serial"]) == 1
    monkeypatch.setattr(launch, "start", real)
    assert "TESSERA_UNTIL" not in os.environ
    capsys.readouterr()
    assert main(["status", str(parted)]) == 0
    assert "0 of 2 pieces" in capsys.readouterr().out
    assert main(["resubmit", str(parted), "--serial"]) == 0
    one = records([whole / "run/history/sea.daily.nc"])
    many = records(sorted((parted / "run/history").glob("*/sea.daily.nc")))
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_does_not_fit_is_said(tmp_path, capsys):
    folder = case(tmp_path / "a", "P2M")
    assert main(["resubmit", str(folder), "--serial", "--every", "P1M3D"]) == 2
    assert "mixes calendar months with days" in capsys.readouterr().err
    assert main(["resubmit", str(folder), "--serial", "--every", "PT7H"]) == 2
    assert "cannot stop together" in capsys.readouterr().err
    assert main(["resubmit", str(folder), "--serial", "--pieces", "0"]) == 2
    assert main(["resubmit", str(folder), "--serial", "--pieces", "1"]) == 75
    assert main(["resubmit", str(folder), "--serial", "--every", "P10D"]) == 2
    assert "begun in pieces of P1M" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.ranks
def test_three_months_of_east_asia_by_month_have_the_bits_of_the_unbroken_run(tmp_path):
    from tests.toys.cases import differences, tessera

    cases = [tmp_path / name for name in ("whole", "parted")]
    for folder in cases:
        tessera("new", folder, "--template", "east_asia")
        text = (folder / "case.yaml").read_text().replace("duration: P60D", "duration: P3M")
        (folder / "case.yaml").write_text(text.replace("period: P30D", "period: P1M"))
    tessera(cases[0], "--serial")
    tessera("resubmit", cases[1], "--serial", "--pieces", "1", check=False)
    tessera("resubmit", cases[1], "--serial", "--pieces", "1", check=False)
    tessera("resubmit", cases[1], "--serial")
    one = records([cases[0] / "run/history/ocean.daily.nc"])
    many = records(sorted((cases[1] / "run/history").glob("*/ocean.daily.nc")))
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)
    for folder in cases:
        (folder / "run/history").rename(folder / "history")
    assert differences(*cases) == []
    assert "3 of 3 pieces" in tessera("status", cases[1]).stdout
