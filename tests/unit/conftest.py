"""A small case of toy components, whose namelists a test may change."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import settings

settings.register_profile("no clocks", deadline=None)
settings.load_profile("no clocks")

ROOT = Path(__file__).resolve().parents[2]
AIR = "tests.toys.models:Air"
SEA = "tests.toys.models:Sea"
GRIDS = {
    "atmosphere": {"west": 100, "east": 120, "south": 10, "north": 26, "resolution": 2.0},
    "ocean": {"west": 100, "east": 120, "south": 10, "north": 26, "resolution": 1.0},
}


def write_case(folder: Path, components: dict | None = None, coupling: list | None = None, **case) -> Path:
    """Write a case: `components` by name with their whole namelists, rules, and further keys of ``case.yaml``."""
    if components is None:
        components = {
            "atmosphere": {"model": AIR, "step": "PT30M", "grid": GRIDS["atmosphere"]},
            "ocean": {"model": SEA, "step": "PT1H", "grid": GRIDS["ocean"]},
        }
    if coupling is None:
        coupling = [{"from": "atmosphere", "to": "ocean", "period": "PT2H", "lag": "PT2H"}]
    folder.mkdir(parents=True, exist_ok=True)
    top = {
        "start": "2001-01-01",
        "calendar": "noleap",
        "duration": "PT12H",
        "components": {n: {"model": c["model"]} for n, c in components.items()},
        "coupling": coupling,
        **case,
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(top, sort_keys=False))
    for name, values in components.items():
        own = {k: v for k, v in values.items() if k != "model"}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(own, sort_keys=False))
    return folder


@pytest.fixture
def case(tmp_path):
    """Function that writes a case into ``tmp_path/case``; see `write_case`."""

    def make(components=None, coupling=None, name="case", **keys):
        return write_case(tmp_path / name, components, coupling, **keys)

    return make


@pytest.fixture
def command():
    """Function that runs ``run_case.py`` with arguments in a process of its own."""

    def run(*arguments, cwd=ROOT, timeout=120):
        return subprocess.run(
            [sys.executable, str(ROOT / "run_case.py"), *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            timeout=timeout,
            check=False,
        )

    return run
