# SPDX-License-Identifier: BSD-3-Clause
"""No docstring is cut in the middle of a sentence, as an automatic fix of its first line once did to some forty."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(p for top in ("coupler", "components", "benchmarks", "data") for p in (ROOT / top).rglob("*.py"))
GOES_ON = re.compile(r"(?:And|Or|But|Then|Which|That|Of|Like|All|With|Without|Both of|Numbers|Growing|Limited|\()\b")
VERB = re.compile(
    r"\b(?:is|are|was|has|have|were|do|does|gives?|takes?|holds?|lies|leaves?|counts?|keeps?|follows?|makes?|needs?|"
    r"goes|go|come|comes|runs?|may|must|can|will|would|should|serves?|stands?|belongs?|means?|adds?|grows?)\b| = "
)


def texts(tree):
    """Docstrings of modules, classes and functions, and the strings that document a class's attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = ast.get_docstring(node)
            if first:
                yield node.body[0].lineno, first
        if isinstance(node, ast.ClassDef):
            for part in node.body[1:]:
                if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant):
                    if isinstance(part.value.value, str):
                        yield part.lineno, part.value.value


def cut(text):
    """Why a docstring looks cut after its first line, or an empty string."""
    lines = [line.strip() for line in text.splitlines()]
    summary = lines[0]
    whole = re.sub(r"\[\d[^\]\[()]*\)", "", summary)  # half-open intervals such as [0, n)
    if whole.count("(") != whole.count(")") and len(lines) > 1 and not lines[1]:
        return "the summary ends inside a bracket"
    if len(lines) > 2 and not lines[1]:
        paragraph = " ".join(lines[2 : lines.index("", 2) if "" in lines[2:] else None])
        sentence = re.split(r"(?<=[a-z0-9)`])[.;:](?= |$)", paragraph)[0]
        if GOES_ON.match(paragraph) and not VERB.search(sentence):
            return f"the second paragraph continues the first: {sentence!r}"
    return ""


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Shares that can be paid for (Skamarock.\n\n2006, eq. 7).", False),
        ("Looked up in the case.\n\nThen in data/.", False),
        ("Raise temperatures; return the rise (K).\n\nWhich the caller.", False),
        ("Cells ``[y0, y1) x [x0, x1)`` of a grid.", True),
        ("Two streams.\n\nThen the fluxes are added up.", True),
    ],
)
def test_the_pattern_finds_what_is_cut_and_nothing_else(text, whole):
    assert (cut(text) == "") is whole


def test_no_docstring_is_cut():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {why}"
        for path in FILES
        for line, text in texts(ast.parse(path.read_text(encoding="utf-8")))
        if (why := cut(text))
    ]
    assert found == []
