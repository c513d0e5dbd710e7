# SPDX-License-Identifier: BSD-3-Clause
"""Random edits of the shipped namelists: refused by a line that says where, or taken; never a traceback."""

import copy
import re
import shutil

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coupler.case.case import make_plan
from coupler.errors import NamelistError, TesseraError
from coupler.namelist import read_file
from coupler.paths import NAMELISTS
from coupler.plan import Plan

TEMPLATES = NAMELISTS / "templates"
LIGHT = ("east_asia", "east_asia_land")
ALL = sorted(p.parent.name for p in TEMPLATES.glob("*/case.yaml"))
ODD = [
    None, True, False, 0, -1, 1, 7, 10**9, 10**30, -0.5, 1e-300, 1e300, float("nan"), float("inf"), float("-inf"), "",
    " ", "no", "010", "120:00", "P1D", "P1M", "PT0S", "P9999999D", "-P1D", "5 m", "15 degC", "1e3 K", "../../x", "~",
    "~nobody/x", "*", "a\nb", "é", "x" * 300, "land", "ocean", "auto", "slab", ":", "os:system", "x.y:Z", "external",
    [], [[]], {}, {"": ""}, {"file": "x"}, [1, 2], [1, 2, 3], ["a"], {"model": "slab"}, {"a": {"b": {"c": 1}}}, [None],
]  # fmt: skip
WORDS = ["\t", ":", "- ", "{", "}", "[", "]", "&a ", "*a", "!!int ", "<<: ", "'", '"', "#", "\n", "  ", "\r", "\0", "|",
         ">", "%", "@", "---\n", "...\n", "é", "\u2028", "\ufeff", "? ", "010", ".nan", "!x ", "no", ","]  # fmt: skip


def leaves(values, path=()):
    """Paths of everything within some values."""
    yield path
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield from leaves(value, (*path, key))


def at(values, path):
    for key in path:
        values = values[key]
    return values


def edited(draw, values):
    """Values with one edit of structure, key or value."""
    path = draw(st.sampled_from([p for p in leaves(values) if p]))
    parent, key = at(values, path[:-1]), path[-1]
    kind = draw(st.sampled_from(["value", "value", "value", "drop", "wrap", "name", "move", "twist"]))
    if kind == "value":
        parent[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    elif kind == "drop":
        del parent[key]
    elif kind == "wrap":
        parent[key] = [parent[key]] if draw(st.booleans()) else {"a": parent[key]}
    elif kind == "name" and isinstance(parent, dict):
        parent[draw(st.sampled_from(["stepp", "model", "", "grid", "case", "a b", "x" * 200]))] = parent.pop(key)
    elif kind == "move":
        values[draw(st.sampled_from(["step", "grid", "output", "slab", "start", "layout"]))] = parent[key]
    else:
        other = draw(st.sampled_from([p for p in leaves(values) if p]))
        parent[key] = yaml.safe_load(yaml.safe_dump(at(values, other)))
    return values


def scrawled(draw, content):
    """Bytes of a file with some edits of its text."""
    for _ in range(draw(st.integers(1, 3))):
        n = draw(st.integers(0, len(content)))
        word = draw(st.sampled_from(WORDS))
        kind = draw(st.sampled_from(["insert", "insert", "cut", "line", "end"]))
        if kind == "insert":
            content = content[:n] + word + content[n:]
        elif kind == "cut":
            content = content[:n] + content[n + draw(st.integers(1, 8)) :]
        elif kind == "line":
            lines = content.splitlines(True)
            i = draw(st.integers(0, max(len(lines) - 1, 0)))
            lines[i : i + 1] = draw(st.sampled_from([[], lines[i : i + 1] * 2, ["  " + "".join(lines[i : i + 1])]]))
            content = "".join(lines)
        else:
            content = content[:n]
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    return content.encode(encoding, errors="ignore")


@st.composite
def cases(draw, templates):
    """A template, one of its files, and what stands in it after the edit."""
    template = draw(st.sampled_from(templates))
    path = draw(st.sampled_from(sorted((TEMPLATES / template).glob("*.yaml"))))
    if draw(st.booleans()):
        return template, path.name, scrawled(draw, path.read_text(encoding="utf-8"))
    values = read_file(path).values
    for _ in range(draw(st.integers(1, 2))):
        if [p for p in leaves(values) if p]:
            values = edited(draw, values)
    return template, path.name, yaml.safe_dump(values, sort_keys=False, allow_unicode=True).encode()


def try_one(folder, case):
    template, name, content = case
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(TEMPLATES / template, folder)
    (folder / name).write_bytes(content)
    try:
        plan = make_plan(folder, offline_checks=template in LIGHT)
    except NamelistError as error:
        for line in str(error).splitlines():
            if re.match(r"[\w.]+\.yaml:\d+: \S", line):
                break
        else:
            assert re.match(r"[\w.]+\.yaml: \S", str(error)), f"no line number: {error}"
    except TesseraError as error:
        assert error.exit_code == 2 and str(error)
    else:
        assert isinstance(plan, Plan)


@settings(max_examples=80, derandomize=True, suppress_health_check=list(HealthCheck))
@given(case=cases(LIGHT[:1]))
def test_an_edit_of_the_default_case_is_taken_or_refused_by_a_line(tmp_path_factory, case):
    try_one(tmp_path_factory.getbasetemp() / "edited", case)


@pytest.mark.slow
@settings(max_examples=3000, derandomize=True, suppress_health_check=list(HealthCheck))
@given(case=cases(ALL))
def test_three_thousand_edits_of_all_templates_are_taken_or_refused_by_a_line(tmp_path_factory, case):
    try_one(tmp_path_factory.getbasetemp() / "edited", case)


INVALID = {
    float: [float("nan"), float("inf"), -1e30, 1e30, "many", "1,5", True, [], {}, "5 parsec", "120:00"],
    int: [float("nan"), -(10**30), 10**30, "many", True, [], {}, "0x1"],
    bool: ["yes", "no", "on", 0, 1, 2, [], {}, "True"],
    "duration": ["1h", 5, -1, True, "PT0S", "P9999999D", "-P1D", "PT1.5H", [], {}, "P1H", ""],
}
FREE = ("select", "valid_range")


def kind_of(path, value):
    """What a leaf of a template holds, where its invalid values are known."""
    if any(str(p) in FREE for p in path) or path[:1] == ("layout",):
        return None
    if isinstance(value, str) and re.fullmatch(r"P[\dTDHMSYW]+", value):
        return "duration"
    return type(value) if type(value) in INVALID else None


@pytest.mark.parametrize(
    ("template", "count"),
    [("east_asia", 2), *(pytest.param(name, 99, marks=pytest.mark.slow) for name in LIGHT)],
)
def test_no_invalid_number_duration_or_switch_is_taken(tmp_path, template, count):
    tried = 0
    for path in sorted((TEMPLATES / template).glob("*.yaml")):
        original = path.read_text(encoding="utf-8")
        for place in [p for p in leaves(read_file(path).values) if p]:
            kind = kind_of(place, at(read_file(path).values, place))
            for value in INVALID.get(kind, [])[:count]:
                if value == "PT0S" and place[-1] == "lag":  # no lag
                    continue
                values = read_file(path).values
                at(values, place[:-1])[place[-1]] = value
                folder = tmp_path / "case"
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(TEMPLATES / template, folder)
                (folder / path.name).write_text(yaml.safe_dump(values, sort_keys=False))
                with pytest.raises(NamelistError):
                    print(path.name, place, value)
                    make_plan(folder)
                tried += 1
        assert path.read_text(encoding="utf-8") == original
    assert tried > 50
