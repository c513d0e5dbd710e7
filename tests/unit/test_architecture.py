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
    "coupler.fields", "coupler.flux_law", "coupler.grids", "coupler.files", "coupler.exact_sum", "coupler.remap",
    "coupler.netcdf", "coupler.paths", "coupler.by_name",
}  # fmt: skip
"""What components may import of the coupler."""


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


def test_the_science_knows_neither_mpi_nor_yaml():
    readers = ("component.py", "parameters.py")  # a model's own tables may be YAML

    def wrong(path, name):
        return name.split(".")[0] == "mpi4py" or (
            path.name not in readers and name.split(".")[0] in ("yaml", "pydantic")
        )

    assert found([p for p in MODULES if "components" in p.parts], wrong) == []


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


def test_the_serial_run_never_loads_mpi(case):
    folder = case(duration="PT2H")
    code = (
        "import pathlib\nfrom coupler.case.launch import run_here\n"
        f"assert run_here(pathlib.Path({str(folder)!r}), serial=True, resume=False) == 0"
    )
    assert not loaded(code) & {"mpi4py", "torch"}
