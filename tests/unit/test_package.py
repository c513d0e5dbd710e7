# SPDX-License-Identifier: BSD-3-Clause
"""The package: what its wheel holds, what it needs, its version, and where an installed copy finds its files."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import coupler
from coupler import paths
from coupler.case.command import main

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def tracked(*folders):
    """Files under git, and new ones that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no git here")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def copy_of_the_source(folder):
    """The source as a user downloads it: a build leaves files beside it."""
    for name in tracked("coupler", "components", "namelists", "data", "pyproject.toml", "README.md", "LICENSE"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Names in the wheel."""
    source = copy_of_the_source(tmp_path_factory.mktemp("source"))
    build = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    command = [sys.executable, "-c", build, str(source / "dist")]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (file,) = (source / "dist").glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_holds_every_file_that_a_run_may_need(wheel):
    names = set(wheel.namelist())
    (share,) = {n.split("/share/")[0] for n in names if "/share/tessera/" in n}
    wanted = {n for n in tracked("coupler", "components") if not n.endswith(".png")}
    wanted |= {f"{share}/share/tessera/{n}" for n in tracked("namelists", "data")}
    assert wanted - names == set()
    more = {n for n in names - wanted if ".dist-info/" not in n}
    assert more == set(), "and nothing else"


def test_the_wheel_makes_the_command_and_names_its_licence(wheel):
    (folder,) = {n.split("/")[0] for n in wheel.namelist() if n.split("/")[0].endswith(".dist-info")}
    assert "tessera = coupler.__main__:main" in wheel.read(f"{folder}/entry_points.txt").decode()
    metadata = wheel.read(f"{folder}/METADATA").decode()
    assert f"Version: {coupler.__version__}" in metadata and "License-Expression: BSD-3-Clause" in metadata
    assert f"{folder}/licenses/LICENSE" in wheel.namelist()


def lines(name):
    return sorted(x for x in (ROOT / name).read_text().splitlines() if x and not x.startswith("#"))


def test_the_requirements_say_what_the_package_says():
    extras = PROJECT["optional-dependencies"]
    assert lines("requirements.txt") == sorted(PROJECT["dependencies"])
    assert lines("requirements-test.txt") == sorted(extras["dev"])
    assert lines("requirements-docs.txt") == sorted(extras["docs"])
    pinned = {re.sub("[-_]", "-", x.split("==")[0].lower()) for x in lines("constraints.txt")}
    needed = [*PROJECT["dependencies"], *extras["rrtmg"], *extras["dev"], *extras["docs"]]
    assert {re.sub("[-_]", "-", x.lower()) for x in needed} - pinned == set()


def test_the_version_stands_once(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0 and capsys.readouterr().out == f"tessera {coupler.__version__}\n"
    assert PROJECT["dynamic"] == ["version"] and "version" not in PROJECT
    assert re.fullmatch(r"\d+\.\d+\.\d+", coupler.__version__)
    assert f"\nversion: {coupler.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_an_installed_copy_finds_its_files_and_a_checkout_its_own(tmp_path):
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    share = tmp_path / "share" / "tessera"
    site.mkdir(parents=True)
    share.mkdir(parents=True)
    assert paths._home(site) == share
    assert paths._home(ROOT) == ROOT == paths.HOME and paths.CHECKOUT
    assert paths.COMMAND == "./run_case.py" and paths.program()[-1] == str(ROOT / "run_case.py")


def test_caches_lie_in_the_temporary_folder_where_the_home_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert paths.user_cache() == tmp_path / "tessera"
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/self")  # root, too, cannot make a file there
    assert paths.user_cache().name.startswith("tessera-")


def test_a_cache_in_the_temporary_folder_is_ours_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(paths.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(paths.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/self")
    monkeypatch.delenv("TESSERA_CACHE", raising=False)
    ours = paths.user_cache()
    assert ours == paths.user_cache() == tmp_path / f"tessera-{os.getuid()}" and ours.stat().st_mode & 0o777 == 0o700
    ours.chmod(0o777)  # as another user's would be, who leaves code there
    assert paths.user_cache() != ours
    ours.rmdir()
    (tmp_path / "theirs").mkdir()
    ours.symlink_to(tmp_path / "theirs")
    assert paths.user_cache() != ours


def test_a_user_without_a_home(tmp_path, monkeypatch):
    def none():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(paths.Path, "home", none)
    for name in ("XDG_CACHE_HOME", "TESSERA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    assert paths.user_cache().is_dir()
    assert str(paths.expanded("~nobody-of-this-name/a.nc")) == "~nobody-of-this-name/a.nc"


def test_only_paths_looks_for_the_projects_folders():
    """Files of a package's own folder are found beside the module; all others through `coupler.paths`."""
    climbs = re.compile(r"__file__\)[^\n]*parents\[(\d)\]")
    wrong = []
    for name in tracked("coupler", "components"):
        if name.endswith(".py") and name != "coupler/paths.py":
            found = climbs.findall((ROOT / name).read_text(encoding="utf-8"))
            wrong += [name for n in found if int(n) >= name.count("/")]
    assert wrong == []
