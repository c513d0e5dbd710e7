# SPDX-License-Identifier: BSD-3-Clause
"""Most public functions with two or more arguments say in a Parameters section what those are, with shape and unit."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARE = 0.65


def functions(body):
    """Public functions and methods in a module's or class's body, properties left out."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from functions(node.body)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            decorators = {d.id for d in node.decorator_list if isinstance(d, ast.Name)}
            if not decorators & {"property", "cached_property"}:
                yield node


def arguments(node):
    return [
        a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if a.arg not in ("self", "cls")
    ]


@pytest.mark.parametrize("top", ["coupler", "components"])
def test_most_functions_say_what_their_arguments_are(top):
    said, silent = 0, []
    for path in sorted((ROOT / top).rglob("*.py")):
        for node in functions(ast.parse(path.read_text(encoding="utf-8")).body):
            if len(arguments(node)) > 1:
                whole = "Parameters\n---" in (ast.get_docstring(node) or "")
                said += whole
                silent += [] if whole else [f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"]
    share = said / (said + len(silent))
    assert share >= SHARE, f"{share:.2f} of {said + len(silent)}; without: {', '.join(silent)}"
