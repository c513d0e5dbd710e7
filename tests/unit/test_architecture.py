# SPDX-License-Identifier: BSD-3-Clause
"""The rules of the house: imports run downward, one concept a module, and a quick start."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BANNED = {"utils", "util", "helpers", "helper", "manager", "handler", "common", "misc"}
MODULES = sorted(
    p
    for top in ("coupler", "components")
    for p in (ROOT / top).rglob("*.py")
    if "__pycache__" not in p.parts and ".ipynb_checkpoints" not in p.parts
)
LONGEST = 450
PUBLIC = {
    "coupler.namelist", "coupler.clock", "coupler.compiled", "coupler.component", "coupler.errors",
    "coupler.fields", "coupler.flux_law", "coupler.made_once",
    "coupler.grids", "coupler.files", "coupler.exact_sum", "coupler.remap",
    "coupler.netcdf", "coupler.paths", "coupler.by_name", "coupler.exchange.played", "coupler.units",
    "coupler.analysis.ensemble_scores",
}  # fmt: skip
"""What components may import of the coupler."""
FLOORS = (
    ("", "errors", "clock", "types", "exact_sum", "compiled", "made_once", "paths", "units", "messages"),
    ("fields", "namelist", "quantities", "yaml12", "author_code", "threads", "by_name", "layout"),
    ("netcdf",),
    ("grids",),
    ("remap",),
    ("component", "flux_law", "plan", "window"),
    ("ensemble",),
    ("files",),
    ("catalogue",),
    ("watch",),
    ("exchange",),
    ("case",),
    ("analysis",),
    ("case.command", "participant"),
    ("__main__",),
)
"""From the ground, where the package itself stands. A name with a dot has a floor apart from its folder."""


def imports(path):
    """Modules that a file imports, anywhere in it, as ``(dotted name, line)``."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((a.name, node.lineno) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(x for x in (base, node.module or "") if x)
            for a in node.names:
                yield f"{name}.{a.name}", node.lineno


def found(paths, wrong):
    return [
        f"{p.relative_to(ROOT)}:{line} imports {name}" for p in paths for name, line in imports(p) if wrong(p, name)
    ]


def test_there_is_something_to_look_at():
    assert len(MODULES) > 50
    assert ("coupler.errors.TesseraError", 17) not in list(imports(ROOT / "run_case.py"))
    assert any(n.startswith("coupler.case.command") for n, _ in imports(ROOT / "run_case.py"))


def test_the_coupler_imports_no_component():
    framework = [p for p in MODULES if "coupler" in p.parts]
    assert found(framework, lambda p, n: n.split(".")[0] in ("components", "tests", "run_case", "benchmarks")) == []


def test_the_coupler_imports_no_torch():
    framework = [p for p in MODULES if "coupler" in p.parts]
    assert found(framework, lambda p, n: n.split(".")[0] in ("torch", "jax")) == []


def test_a_model_never_imports_another_model():
    def wrong(path, name):
        parts = name.split(".")
        if parts[0] != "components" or len(parts) < 3:
            return False
        here = path.relative_to(ROOT).parts
        realm, model = here[1], here[2]
        folder = ROOT / "components" / parts[1] / parts[2]
        if not (folder / "component.py").is_file():  # a part of the realm: what several models share
            return False
        return (parts[1], parts[2]) != (realm, model)

    models = [p for p in MODULES if "components" in p.parts]
    assert found(models, wrong) == []


def test_components_use_the_couplers_public_names_only():
    def wrong(path, name):
        return name.startswith("coupler.") and not any(name == p or name.startswith(p + ".") for p in PUBLIC)

    assert found([p for p in MODULES if "components" in p.parts], wrong) == []


PICKLING = {"bcast", "send", "ssend", "isend", "issend", "recv", "irecv", "sendrecv", "mprobe", "improbe", "gather",
            "scatter", "allgather", "alltoall", "reduce", "allreduce", "scan", "exscan"}  # fmt: skip


def test_nothing_that_crosses_processes_is_pickled():
    """mpi4py's calls in small letters pickle; `coupler/messages.py` sends JSON and arrays instead."""
    wrong = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PICKLING:
                of = node.func.value
                name = of.attr if isinstance(of, ast.Attribute) else of.id if isinstance(of, ast.Name) else ""
                if name.endswith(("comm", "world", "group", "COMM_WORLD")):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} calls {name}.{node.func.attr}")
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] + [getattr(node, "module", "") or ""]
                wrong += [f"{path.relative_to(ROOT)}:{node.lineno} imports pickle" for n in names if n == "pickle"]
    assert wrong == []


def test_the_science_knows_neither_mpi_nor_yaml():
    readers = ("component.py", "parameters.py")  # a model's own tables may be YAML

    def wrong(path, name):
        return name.split(".")[0] == "mpi4py" or (
            path.name not in readers and name.split(".")[0] in ("yaml", "pydantic")
        )

    assert found([p for p in MODULES if "components" in p.parts], wrong) == []


def test_no_two_test_modules_have_one_name():
    """Pytest takes the second for the first, and then collects nothing at all."""
    names = [p.name for p in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(n for n in set(names) if names.count(n) > 1) == []


def test_nothing_is_called_utils():
    names = [p.relative_to(ROOT) for p in MODULES if {p.stem, *p.relative_to(ROOT).parts[:-1]} & BANNED]
    assert names == []


@pytest.mark.parametrize("top", ["coupler", "components"])
def test_no_module_is_long(top):
    long = {}
    for p in MODULES:
        n = len(p.read_text(encoding="utf-8").splitlines())
        if top in p.parts and n > LONGEST:
            long[str(p.relative_to(ROOT))] = n
    assert long == {}


def loaded(code):
    """Top-level modules that are loaded after some code in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_nothing_heavy():
    code = """
import runpy
sys.argv = ["run_case.py", "--help"]
try:
    runpy.run_path("run_case.py", run_name="__main__")
except SystemExit as end:
    assert not end.code
"""
    assert not loaded(code) & {"numpy", "torch", "scipy", "numba", "netCDF4", "pydantic", "yaml", "mpi4py", "pint"}


def test_a_component_author_pays_for_no_torch():
    modules = loaded("import coupler.component, coupler.case.case, coupler.exchange.runner")
    assert not modules & {"torch", "mpi4py", "matplotlib", "xarray"}


def test_reading_a_case_needs_no_compiler():
    modules = loaded("import coupler.case.case, components.atmosphere.data.component, components.ocean.slab.component")
    assert not modules & {"numba", "scipy", "torch", "pint", "pyproj", "matplotlib", "xarray"}


def test_the_serial_run_never_loads_mpi(case):
    folder = case(duration="PT2H")
    code = (
        "import pathlib\nfrom coupler.case.launch import run_here\n"
        f"assert run_here(pathlib.Path({str(folder)!r}), serial=True, resume=False) == 0"
    )
    assert not loaded(code) & {"mpi4py", "torch"}


# ------------------------------------------------------------------ the floors of the coupler


def read_imports(root, top):
    """Modules of a package, each with the modules of it that it imports anywhere."""
    files = {p.relative_to(root).with_suffix("").parts: p for p in sorted((root / top).rglob("*.py"))}
    modules = {".".join(parts).removesuffix(".__init__"): path for parts, path in files.items()}
    found = {}
    for name, path in modules.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        targets = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                base = ".".join([*above, *([node.module] if node.module else [])])
                whole = {f"{base}.{alias.name}" for alias in node.names}
                targets |= (whole & modules.keys()) | ({base} if whole - modules.keys() else set())
        found[name] = (targets & modules.keys()) - {name}
    return found


def floor(module):
    """Number of the floor a module stands on; None for one that the list does not name."""
    inside = module.partition(".")[2]
    for wanted in (inside, inside.partition(".")[0]):
        for number, names in enumerate(FLOORS):
            if wanted in names:
                return number
    return None


def arrows_back(graph):
    """Imports from a lower floor of a higher one."""
    return sorted(f"{a} imports {b}" for a, targets in graph.items() for b in targets if floor(a) < floor(b))


def circles(graph):
    """Modules that reach themselves, with those they do it through."""

    def reached(start):
        seen, ahead = set(), [start]
        while ahead:
            new = graph[ahead.pop()] - seen
            seen |= new
            ahead += new
        return seen

    reach = {name: reached(name) for name in graph}
    return sorted({tuple(sorted(b for b in reach[a] if a in reach[b])) for a in graph if a in reach[a]})


def test_every_module_stands_on_a_floor():
    graph = read_imports(ROOT, "coupler")
    assert len(graph) > 90
    assert [name for name in graph if name != "coupler" and floor(name) is None] == []
    assert graph["coupler"] == set()


def test_no_import_runs_upward():
    graph = read_imports(ROOT, "coupler")
    del graph["coupler"]
    assert sum(map(len, graph.values())) > 300
    assert arrows_back(graph) == []


def test_no_files_import_each_other_in_a_circle():
    assert circles(read_imports(ROOT, "coupler")) == []


def test_the_reader_sees_imports_inside_functions_and_for_types(tmp_path):
    package = tmp_path / "coupler"
    (package / "grids").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "grids" / "__init__.py").touch()
    (package / "grids" / "grid.py").write_text("def f():\n    from coupler import plan\n    from .files import g\n")
    (package / "grids" / "files.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
                                                "    from coupler.grids.grid import f\n")  # fmt: skip
    (package / "plan.py").touch()
    graph = read_imports(tmp_path, "coupler")
    assert graph["coupler.grids.grid"] == {"coupler.plan", "coupler.grids.files"}
    assert circles(graph) == [("coupler.grids.files", "coupler.grids.grid")]
    assert arrows_back({name: graph[name] for name in ("coupler.grids.grid", "coupler.grids.files")}) == [
        "coupler.grids.grid imports coupler.plan"
    ]
