# SPDX-License-Identifier: BSD-3-Clause
"""The package in a fresh environment outside the checkout: installed, a case made, checked and run."""

import os
import subprocess
import sys
import sysconfig

import pytest

from tests.unit.test_package import copy_of_the_source


@pytest.mark.slow
@pytest.mark.ranks
def test_a_fresh_environment_installs_makes_checks_and_runs_a_case(tmp_path):
    """What the package needs comes from the present environment, so that nothing is fetched."""
    source = copy_of_the_source(tmp_path / "source")
    fresh, desk = tmp_path / "fresh", tmp_path / "desk"
    desk.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(fresh)], check=True)
    site = sysconfig.get_path("purelib", vars={"base": str(fresh), "platbase": str(fresh)})
    with open(f"{site}/present.pth", "w") as file:
        file.write(sysconfig.get_path("purelib") + "\n")
    kept = ("PYTHONPATH", "TESSERA_COMMAND", "GLIBC_TUNABLES", "VIRTUAL_ENV")
    environment = {n: v for n, v in os.environ.items() if n not in kept}
    environment["PATH"] = f"{fresh}/bin:{sysconfig.get_path('scripts')}:{environment['PATH']}"

    def run(*words, code=0):
        done = subprocess.run(words, cwd=desk, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run("python", "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", str(source))
    (tmp_path / "source").rename(tmp_path / "gone")
    where = run("python", "-c", "import coupler.paths as p; print(p.PACKAGES, p.HOME, p.CHECKOUT)").split()
    assert where == [site, f"{fresh}/share/tessera", "False"]

    assert "tessera check cases/x" in run("tessera", "new", "x", "--template", "east_asia")
    case = desk / "cases" / "x" / "case.yaml"
    assert "run_case.py" not in case.read_text()
    case.write_text(case.read_text().replace("duration: P60D", "duration: PT12H"))
    assert "Run it:  tessera cases/x" in run("tessera", "check", "cases/x")
    assert "finished" in run("tessera", "cases/x", "--serial")
    assert "finished" in run("tessera", "cases/x"), "and on ranks: each starts the installed command"
    assert "ocean" in run("tessera", "list", "models")
