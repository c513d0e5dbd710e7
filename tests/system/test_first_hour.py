# SPDX-License-Identifier: BSD-3-Clause
"""What a demanding user tries in the first hour: mistakes are told, with place and remedy, before anything runs."""

import shutil

import netCDF4
import pytest

from coupler.case.templates import template_names
from tests.toys.cases import ROOT, TOYS, box, tessera, toy_case


@pytest.fixture
def case(tmp_path):
    tessera("new", tmp_path / "case")
    return tmp_path / "case"


def edit(case, name, old, new):
    text = (case / name).read_text()
    assert old in text, f"{old} is not in {name}"
    (case / name).write_text(text.replace(old, new, 1))


def test_new_refuses_an_existing_folder_and_lists_templates_for_a_wrong_name(case, tmp_path):
    before = (case / "case.yaml").read_text()
    again = tessera("new", case, check=False)
    assert again.returncode == 2 and "exists already" in again.stderr
    assert (case / "case.yaml").read_text() == before
    wrong = tessera("new", tmp_path / "other", "--template", "east_aisa", check=False)
    assert wrong.returncode == 2 and "did you mean 'east_asia'" in wrong.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("template", template_names())
def test_every_template_checks_clean(tmp_path, template):
    tessera("new", tmp_path / "case", "--template", template)
    assert "nothing is wrong" in tessera("check", tmp_path / "case").stdout


def test_new_prints_the_next_two_commands(tmp_path):
    out = tessera("new", tmp_path / "case").stdout
    assert f"./run_case.py check {tmp_path / 'case'}" in out and f"./run_case.py {tmp_path / 'case'}" in out


def test_four_mistakes_are_told_at_once_with_file_and_line(case):
    edit(case, "ocean.yaml", "  mixed_layer: climatology", "  depht: 50\n  deepest: 200 K")
    edit(case, "case.yaml", "duration: P60D", "duration: 60 days")
    edit(case, "land.yaml", "initial_wetness: 0.5", "initial_wetness: wet")
    done = tessera("check", case, check=False)
    assert done.returncode == 2
    for words in (
        "ocean.yaml:7: unknown key 'depht'; did you mean 'depth'?",
        "wrong unit 'K': expected m",
        "case.yaml:7: '60 days' is not an ISO-8601 duration",
        "land.yaml:7: initial_wetness",
    ):
        assert words in done.stderr, done.stderr
    assert not (case / "run").exists()
    run = tessera("run", case, check=False)
    assert run.returncode == 2 and "did you mean 'depth'?" in run.stderr and not (case / "run").exists()


def test_a_missing_forcing_file_is_found_by_check_with_path_and_line(case):
    edit(case, "atmosphere.yaml", "east_asia_atmosphere.nc", "winter_2001.nc")
    done = tessera("check", case, check=False)
    assert done.returncode == 2 and "winter_2001.nc" in done.stderr and "atmosphere.yaml:5" in done.stderr
    assert not (case / "run").exists()


def test_forcing_that_ends_before_the_run_is_found_by_check_with_the_dates_there_are(case):
    """The same file on a plain time axis that ends on 10 January."""
    target = case / "short.nc"
    with netCDF4.Dataset(ROOT / "data" / "east_asia_atmosphere.nc") as old, netCDF4.Dataset(target, "w") as new:
        for name, dim in old.dimensions.items():
            new.createDimension(name, 2 if name == "time" else dim.size)
        for name, v in old.variables.items():
            if "climatology" in name:
                continue
            copy = new.createVariable(name, v.dtype, v.dimensions)
            copy.setncatts(
                {k: v.getncattr(k) for k in v.ncattrs() if k not in ("_FillValue", "climatology", "cell_methods")}
            )
            copy[...] = v[:2] if "time" in v.dimensions else v[...]
        new["time"].units, new["time"].calendar = "days since 2001-01-01", "noleap"
        new["time"][:] = [0.0, 9.0]
    edit(case, "atmosphere.yaml", "east_asia_atmosphere.nc", str(target))
    done = tessera("check", case, check=False)
    assert done.returncode == 2, done.stdout
    assert "2001-01-10" in done.stderr and str(target) in done.stderr and "2001-03-02" in done.stderr


def test_cuda_is_refused_where_there_is_none_and_auto_warns_once(case):
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a CUDA device")
    edit(case, "ocean.yaml", "step: PT1H", "step: PT1H\ndevice: cuda")
    done = tessera("check", case, check=False)
    assert done.returncode == 2 and "no CUDA device was found" in done.stderr
    edit(case, "ocean.yaml", "device: cuda", "device: auto")
    out = tessera("check", case).stdout
    assert out.count("no CUDA device was found, the CPU is used") == 1


def test_a_period_that_is_no_multiple_of_a_step_is_told_with_all_three_numbers(tmp_path):
    case = toy_case(tmp_path / "toy", coupling=[{"from": "air", "to": "sea", "period": "PT90M", "lag": "PT90M"},
                                                {"from": "air", "to": "soil", "period": "PT1H"}])  # fmt: skip
    done = tessera("check", case, check=False)
    assert done.returncode == 2
    assert "period PT1H30M is not a multiple of the step PT1H of sea" in done.stderr and "take PT1H" in done.stderr


def test_a_required_import_that_nobody_supplies_is_named_with_who_could(tmp_path):
    case = toy_case(tmp_path / "toy", coupling=[{"from": "air", "to": "sea", "period": "PT1H", "lag": "PT1H"}])
    done = tessera("check", case, check=False)
    assert done.returncode == 2 and "soil needs 'air_temperature'" in done.stderr and "air could" in done.stderr


@pytest.mark.ranks
def test_an_own_component_in_an_own_package_runs(tmp_path):
    """Thirty lines in the case's own folder."""
    components = {
        "air": {"model": TOYS + "Air", "step": "PT30M", "grid": box(100, 120, 0, 20, 2.0)},
        "ocean": {"model": "my_package.ocean:MyOcean", "step": "PT1H", "grid": box(100, 120, 0, 20, 1.0)},
    }
    rules = [{"from": "air", "to": "ocean", "period": "PT1H", "lag": "PT1H"}]
    case = toy_case(tmp_path / "toy", components=components, coupling=rules, layout={"air": 1, "ocean": 2},
                    duration="PT3H", restart="PT3H")  # fmt: skip
    package = case / "my_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "ocean.py").write_text("from tests.toys.models import Sea\n\n\nclass MyOcean(Sea):\n    '''Mine.'''\n")
    tessera(case)


def test_a_word_that_is_neither_command_nor_case_is_told_kindly(case):
    done = tessera("chek", case, check=False)
    assert done.returncode == 2 and "did you mean 'check'" in done.stderr
