"""The plan that the coupler gets from a component's process: the same, without the models."""

import pickle
import subprocess
import sys

import pytest

from coupler.case.case import make_plan
from coupler.case.handed_plan import plan_here, without_models
from coupler.case.resolved import resolved_text
from coupler.exchange.keys import in_flight
from coupler.exchange.transport import Serial

LOOK = """
import pickle, sys
from pathlib import Path
import coupler.exchange.runner
from coupler.exchange.process import CouplerRank
plan = pickle.loads(Path(sys.argv[1]).read_bytes())
from coupler.flux_law import find_law
[find_law(str(t.options["flux"]), t.scheme) for t in plan.tasks if t.kind == "flux"]
print(sorted(m for m in sys.modules if m == "torch" or m.startswith("components.ocean")))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("handed") / "case"
    new = [sys.executable, str(root / "run_case.py"), "new", str(folder), "--template", "east_asia_coupled"]
    subprocess.run(new, check=True, capture_output=True)
    return make_plan(folder, 4)


def test_it_says_the_same_and_loads_no_model(whole, root, tmp_path):
    (tmp_path / "plan").write_bytes(pickle.dumps(without_models(whole)))
    handed = pickle.loads((tmp_path / "plan").read_bytes())
    assert resolved_text(handed) == resolved_text(whole)
    assert in_flight(handed.tasks) == in_flight(whole.tasks)
    assert handed.tasks == whole.tasks and handed.coupler_ranks == whole.coupler_ranks
    for mine, its in zip(handed.components, whole.components, strict=True):
        assert (mine.name, mine.ranks, mine.imports, mine.exports) == (its.name, its.ranks, its.imports, its.exports)
        assert [g.fingerprint for g in mine.grids.values()] == [g.fingerprint for g in its.grids.values()]
        strings = {n: v for n, v in its.options.model_dump().items() if isinstance(v, str)}
        assert mine.options.model_dump() == strings, "names of input files are found among them"
    look = subprocess.run(
        [sys.executable, "-c", LOOK, str(tmp_path / "plan")], cwd=root, capture_output=True, text=True
    )
    assert look.returncode == 0, look.stderr
    assert look.stdout.strip() == "[]", "neither torch nor a model is needed"


def test_one_process_makes_its_own(whole):
    mine = plan_here(whole.folder, Serial(), offline_checks=False, placed={})
    assert mine.size == 1 and all(c.options is not None for c in mine.components)
    assert all(type(a.component) is type(b.component) for a, b in zip(mine.components, whole.components, strict=True))
