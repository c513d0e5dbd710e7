# SPDX-License-Identifier: BSD-3-Clause
"""Messages speak the words of the glossary: expected, found, unknown ...; known ...: no phrases of other languages."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(p for top in ("coupler", "components") for p in (ROOT / top).rglob("*.py"))
FOREIGN = {
    r"\b(?:is|are) wanted\b": "say 'expected ...'",
    r"\bis not known\b": "say 'unknown ...; known ...: ...'",
    r"\b(?:has|have) not(?:$|[.,;:)])": "say 'does not have', 'does not'",
    r"\bt(?:ake|akes|ook) up the state\b": "say 'restore the state'",
    r"(?<!there )\b(?:is|are) no (?!longer\b|more\b|less\b|such\b|value\b)[a-z{]": "say 'is not a ...'",
    r"\b(?:no|unknown) [a-z_ ]+ [{][^}]*[}]; there (?:is|are)\b": "say 'unknown ...; known ...: ...'",
    r"\bsince [{][^}]*[}] s\b": "say 'for ... s'",
    r"\b(?:stands|comes|come) twice\b": "say 'is given twice'",
    r"\bdrawn towards\b": "say 'relaxed' or 'nudged'",
    r"\bmust be a multiple\b": "say 'is not a multiple of'",
    r"\bdoesn't|can't|won't|isn't\b": "write it out",
}
TELLING = {"warn", "warning", "log", "problem", "say", "info"}


def words(node):
    """Text of a message; what is put in stands as ``{}``."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
    if isinstance(node, ast.BinOp):
        return words(node.left) + words(node.right)
    if isinstance(node, ast.IfExp):
        return f"{words(node.body)} | {words(node.orelse)}"
    return ""


def messages(tree):
    """Line and text of what is raised, warned of, logged and told of a namelist."""
    for node in ast.walk(tree):
        call = node.exc if isinstance(node, ast.Raise) else node
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if isinstance(node, ast.Raise) or name in TELLING:
            yield from ((call.lineno, text) for text in map(words, call.args) if text)


def foreign(text):
    """What to say instead, for each phrase of a message that the field does not use."""
    return [remedy for pattern, remedy in FOREIGN.items() if re.search(pattern, text)]


@pytest.mark.parametrize(
    ("text", "idiomatic"),
    [
        ("{} holds text; numbers are wanted", False),
        ("{} holds text; expected numbers", True),
        ("{} names a, which the file has not", False),
        ("{} has not been written", True),
        ("{} is no date of the calendar {}", False),
        ("the column is no longer finite", True),
        ("the coupler waits since {} s", False),
        ("unknown backend {}; known backends: {}", True),
        ("backend {} is not known; there are {}", False),
        ("unknown plant type {}; there are {}", False),
    ],
)
def test_the_patterns_find_what_is_foreign_and_nothing_else(text, idiomatic):
    assert (foreign(text) == []) is idiomatic


def test_messages_are_idiomatic():
    wrong, seen = [], 0
    for path in FILES:
        for line, text in messages(ast.parse(path.read_text(encoding="utf-8"))):
            seen += 1
            wrong += [f"{path.relative_to(ROOT)}:{line}: {text!r}: {remedy}" for remedy in foreign(text)]
    assert seen > 400
    assert wrong == []
