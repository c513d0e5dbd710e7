# SPDX-License-Identifier: BSD-3-Clause
"""Between two plain numbers `torch.where` gives single precision, whatever the rest is computed in."""

import ast

import numpy as np
import pytest
import torch

from tests.toys.cases import ROOT


def plain(node: ast.AST) -> bool:
    """Whether an expression has numbers and constants (upper case) alone."""
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    parts = (ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)
    return all(isinstance(n, parts) for n in ast.walk(node)) and all(name.isupper() for name in names)


def exact(node: ast.AST) -> bool:
    """Whether a plain expression is a number that single precision holds."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return False
    return bool(float(np.float32(value)) == value)


def rounded(text: str) -> list[str]:
    """Calls that round to single precision."""
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call) and len(n.args) == 3]
    calls = [n for n in calls if ast.unparse(n.func) == "torch.where"]
    return [
        ast.unparse(n) for n in calls if all(map(plain, n.args[1:])) and not all(map(exact, n.args[1:]))
    ]  # fmt: skip


def test_two_plain_numbers_are_single():
    assert torch.where(torch.tensor([True]), 0.14, 0.07).dtype == torch.float32


@pytest.mark.parametrize(
    ("text", "found"),
    [("torch.where(a, .14, .07)", 1), ("torch.where(a, DEEP, 0.0)", 1), ("torch.where(a, 1.0, -2.0)", 0),
     ("torch.where(a, b.new_tensor(DEEP), SHALLOW)", 0), ("torch.where(a, b, .1)", 0)],
)  # fmt: skip
def test_the_finder_finds(text, found):
    assert len(rounded(text)) == found


def test_no_science_rounds_its_numbers():
    found = {
        str(path.relative_to(ROOT)): calls
        for path in (ROOT / "components").rglob("*.py")
        if (calls := rounded(path.read_text()))
    }
    assert not found, "write a.new_tensor(NUMBER) for one of the two"
