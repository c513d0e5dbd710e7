# SPDX-License-Identifier: BSD-3-Clause
"""The plan that the coupler gets from a component's process: the same, without the models."""

import ast
import json
import subprocess
import sys

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.case.handed_plan import plan_here, without_models
from coupler.case.plan_data import from_bytes, from_data, to_data
from coupler.case.resolved import resolved_text
from coupler.exchange.keys import in_flight
from coupler.exchange.transport import Serial

LOOK = """
import sys
from pathlib import Path
import numpy as np
import coupler.exchange.runner
from coupler.case.plan_data import from_data
from coupler.exchange.process import CouplerRank
folder = Path(sys.argv[1])
with np.load(folder / "arrays.npz", allow_pickle=False) as file:
    arrays = [file[f"arr_{n}"] for n in range(len(file.files))]
plan = from_data((folder / "plan.json").read_text(), arrays)
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
    text, arrays = to_data(without_models(whole))
    handed = from_data(text, arrays)
    assert to_data(handed)[0] == text
    assert resolved_text(handed) == resolved_text(whole)
    assert in_flight(handed.tasks) == in_flight(whole.tasks)
    assert handed.tasks == whole.tasks and handed.coupler_ranks == whole.coupler_ranks
    for mine, its in zip(handed.components, whole.components, strict=True):
        assert (mine.name, mine.ranks, mine.imports, mine.exports) == (its.name, its.ranks, its.imports, its.exports)
        assert [g.fingerprint for g in mine.grids.values()] == [g.fingerprint for g in its.grids.values()]
        strings = {n: v for n, v in its.options.model_dump().items() if isinstance(v, str)}
        assert mine.options.model_dump() == strings, "names of input files are found among them"
    (tmp_path / "plan.json").write_text(text)
    np.savez(tmp_path / "arrays.npz", *arrays)
    look = subprocess.run([sys.executable, "-c", LOOK, str(tmp_path)], cwd=root, capture_output=True, text=True)
    assert look.returncode == 0, look.stderr
    assert look.stdout.strip() == "[]", "neither torch nor a model is needed"


def test_one_process_makes_its_own(whole):
    mine = plan_here(whole.folder, Serial(), offline_checks=False, placed={})
    assert mine.size == 1 and all(c.options is not None for c in mine.components)
    assert all(type(a.component) is type(b.component) for a, b in zip(mine.components, whole.components, strict=True))


def test_every_number_of_the_grids_comes_back_and_shared_grids_are_sent_once(whole):
    text, arrays = to_data(without_models(whole))
    handed = from_data(text, arrays)
    assert all(a.dtype.kind in "fbiu" for a in arrays) and isinstance(json.loads(text), dict)
    assert len({id(a) for a in arrays}) == len(arrays)
    known = {}
    for mine, its in zip(handed.components, whole.components, strict=True):
        for name, grid in its.grids.items():
            again = mine.grids[name]
            assert known.setdefault(id(grid), again) is again
            assert sorted(again.masks) == sorted(grid.masks)
            assert all(np.array_equal(again.masks[n], grid.masks[n]) for n in grid.masks)
            assert again.angle.tobytes() == grid.angle.tobytes() and again.crs == grid.crs
        assert mine.setting == its.setting or mine.setting.grid.fingerprint == its.setting.grid.fingerprint
    assert handed.clock == whole.clock and handed.folder == whole.folder and handed.notes == whole.notes


def test_what_is_no_plain_data_is_refused(whole):
    with pytest.raises(TypeError, match="not plain data"):
        to_data(whole)  # with its models' options


def test_the_first_process_gets_bytes_of_json_and_arrays(whole):
    class Other(Serial):
        """The last of four processes."""

        def __init__(self):
            super().__init__()
            self.rank, self.size, self.sent = 3, 4, []

        def send_bytes(self, dest, tag, data):
            self.sent.append(data)

    there = Other()
    plan = plan_here(whole.folder, there, offline_checks=False, placed={})
    (data,) = there.sent
    assert data.dtype == np.uint8
    mine, its = to_data(from_bytes(data)), to_data(without_models(plan))
    assert mine[0] == its[0]
    assert [(a.dtype, a.tobytes()) for a in mine[1]] == [(a.dtype, a.tobytes()) for a in its[1]]


def test_nothing_in_the_coupler_imports_pickle(root):
    for path in sorted((root / "coupler").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(n.split(".")[0] in ("pickle", "cloudpickle", "dill", "marshal", "shelve") for n in names), (
                path
            )
