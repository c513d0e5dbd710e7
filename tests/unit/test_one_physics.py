# SPDX-License-Identifier: BSD-3-Clause
"""A constant stands once: in components/science, the Earth's radius and the zero of Celsius in the coupler."""

import ast
from pathlib import Path

import pytest

from components.science import constants, scheme_constants
from coupler.case.models import REALMS
from coupler.fields import ZERO_CELSIUS
from coupler.grids.grid import EARTH_RADIUS

ROOT = Path(__file__).resolve().parents[2]
BANDS = {
    "the acceleration of gravity": (9.8, 9.83),
    "the Earth's radius in m": (6.36e6, 6.38e6),
    "the Earth's radius in km": (6360.0, 6380.0),
    "the constant of Stefan and Boltzmann": (5.66e-8, 5.68e-8),
    "the gas constant of dry air": (286.9, 287.2),
    "the gas constant of vapour": (461.0, 462.0),
    "the gas constant": (8.31, 8.32),
    "the heat capacity of dry air": (1003.0, 1006.0),
    "the heat capacity of water": (4180.0, 4220.0),
    "the heat capacity of sea water": (3985.0, 3999.0),
    "the latent heat of vaporisation": (2.49e6, 2.51e6),
    "the latent heat of sublimation": (2.82e6, 2.86e6),
    "the latent heat of fusion": (3.32e5, 3.36e5),
    "the latent heat of fusion of WRF": (3.49e5, 3.51e5),
    "the zero of Celsius": (273.14, 273.17),
    "the ratio of the gas constants": (0.6215, 0.6225),
    "the virtual factor": (0.6075, 0.6085),
    "the rotation of the Earth": (7.29e-5, 7.2925e-5),
    "the solar constant": (1360.0, 1368.0),
    "the density of ice": (916.0, 918.0),
}
KNOWN = {  # the same digits, another thing
    ("components/ocean/primitive/equation_of_state.py", "the heat capacity of dry air"),
}


def numbers(path):
    """Numbers written in a file, with their lines; a product of two, as ``5.67 * 10**-8``, counts too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        try:
            value = ast.literal_eval(node) if isinstance(node, ast.Constant) else _product(node)
        except (ValueError, TypeError, OverflowError, ZeroDivisionError):
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield abs(value), node.lineno


def _product(node):
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Pow | ast.Div)):
        raise ValueError
    parts = [_product(n) if isinstance(n, ast.BinOp) else ast.literal_eval(n) for n in (node.left, node.right)]
    return {ast.Mult: float.__mul__, ast.Pow: float.__pow__, ast.Div: float.__truediv__}[type(node.op)](
        *map(float, parts)
    )


def found(folder, bands, skip=()):
    """``file:line what number`` of every number of a folder that lies in a band."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if any(name.startswith(s) for s in skip):
            continue
        for value, line in numbers(path):
            for what, (low, high) in bands.items():
                if low <= value <= high and (name, what) not in KNOWN:
                    yield f"{name}:{line} {what} {value}"


def test_the_search_finds_what_it_should(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("g = 9.81\ns = 5.67 * 10**-8\nr = 6371 * 1e3\nc = 3.5 * 287.0\nt = x - 273.15\ntext = '9.81'\n")
    values = [v for v, _ in numbers(file)]
    for low, high in (BANDS[k] for k in (
        "the acceleration of gravity", "the constant of Stefan and Boltzmann", "the Earth's radius in m",
        "the gas constant of dry air", "the zero of Celsius",
    )):  # fmt: skip
        assert any(low <= v <= high for v in values)


def test_no_component_has_a_constant_of_its_own():
    assert list(found("components", BANDS, skip=("components/science/",))) == []


def test_science_has_each_constant_in_one_file():
    assert {line.split(":")[0] for line in found("components/science", BANDS)} <= {
        "components/science/constants.py", "components/science/scheme_constants.py",
    }  # fmt: skip


@pytest.mark.parametrize("what", ["the Earth's radius in m", "the zero of Celsius"])
def test_the_coupler_has_it_once(what):
    assert len(list(found("coupler", {what: BANDS[what]}))) == 1


def test_science_takes_the_couplers():
    assert constants.EARTH_RADIUS is EARTH_RADIUS and constants.ZERO_CELSIUS is ZERO_CELSIUS


def test_science_is_no_realm():
    assert "science" not in REALMS and not list((ROOT / "components/science").glob("*/component.py"))


def test_every_constant_has_its_unit_or_source():
    for module in (constants, scheme_constants):
        lines = Path(module.__file__).read_text().splitlines()
        named = [n for n, line in enumerate(lines) if line[:1].isupper() and " = " in line]
        assert len(named) > 20
        bare = [lines[n] for n in named if "#" not in lines[n] and not lines[n - 1].startswith("#")]
        assert [b for b in bare if not b.endswith("(")] == []
