"""The floors of the coupler: every import runs downward or stays on its floor, and no files import in a circle.

Imports inside functions and those for types only count as all others.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = (
    ("", "errors", "clock", "types", "exact_sum", "compiled", "paths", "units"),
    ("fields", "namelist", "by_name", "layout"),
    ("netcdf",),
    ("grids",),
    ("remap",),
    ("component", "flux_law", "plan", "window"),
    ("ensemble",),
    ("files",),
    ("watch",),
    ("exchange",),
    ("case",),
    ("analysis",),
    ("case.command", "participant"),
    ("__main__",),
)
"""From the ground, where the package itself stands. A name with a dot has a floor apart from its folder."""


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
