# SPDX-License-Identifier: BSD-3-Clause
"""Machine code on disk is named by its sources: none that a kernel takes a number or a function from may be missing."""

import ast
import importlib
import importlib.util
from pathlib import Path

import pytest

from tests.toys.cases import ROOT

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("coupler", "components")
    for path in sorted((ROOT / package).rglob("*.py"))
    if b"\n@compiled" in path.read_bytes()
]


def origin(module):
    """File of a module by name; None where there is none of that name."""
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return None if found is None or found.origin is None else Path(found.origin)


def global_names(function):
    """Names that a function reads and does not set."""
    names = [node for line in function.body for node in ast.walk(line) if isinstance(node, ast.Name)]
    own = {a.arg for a in function.args.args} | {n.id for n in names if not isinstance(n.ctx, ast.Load)}
    return {n.id for n in names} - own


def taken_from(tree):
    """Names that kernels use and that their module imports from the project, with the file that each comes from."""
    imported = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("coupler", "components"):
            for alias in node.names:
                itself = origin(f"{node.module}.{alias.name}")
                imported[alias.asname or alias.name] = itself or origin(node.module)
    kernels = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(getattr(d, "id", None) == "compiled" for d in node.decorator_list)
    ]
    used = {name for kernel in kernels for name in global_names(kernel)}
    constants = [n for n in tree.body if isinstance(n, (ast.Assign, ast.AnnAssign))]
    for node in reversed(constants):  # a constant of the module that is made of an imported one
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is not None and used & {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}:
            used |= {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
    return {name: imported[name] for name in sorted(used & set(imported))}


def missing(name):
    """What a module's kernels take from files that do not name their machine code."""
    module = importlib.import_module(name)
    sources = module.compiled.sources
    taken = {**taken_from(ast.parse(Path(module.__file__).read_text())), "the kernel itself": Path(module.__file__)}
    return {what: file.name for what, file in taken.items() if file not in sources}


@pytest.mark.parametrize("name", MODULES)
def test_what_a_kernel_takes_from_elsewhere_names_its_machine_code(name):
    assert missing(name) == {}


def test_a_constant_of_an_imported_one_and_a_function_of_an_imported_module_are_found():
    tree = ast.parse(
        "from components.science.constants import GRAVITY, STEFAN_BOLTZMANN\n"
        "from components.science.kernels import tracer_loops as loop\n"
        "HALF = 0.5 * GRAVITY\n"
        "@compiled\ndef kernel(x):\n    loop.product(x, x, HALF)\n"
        "def other(x):\n    return STEFAN_BOLTZMANN * x\n"
    )
    assert {name: file.name for name, file in taken_from(tree).items()} == {
        "GRAVITY": "constants.py",
        "loop": "tracer_loops.py",
    }
