# SPDX-License-Identifier: BSD-3-Clause
"""Every numeric option of every model has bounds, and refuses what no run can mean."""

import math
import types
import typing

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel

from coupler.case.machines import Machine
from coupler.case.models import REALMS, find_model, models_of
from coupler.case.options import CaseOptions, ComponentSettings, GridOptions
from coupler.errors import NamelistError
from coupler.namelist import Node, read_text
from coupler.quantities import Duration, Range

MODELS = {f"{realm}.{model}": find_model(model, realm).Options for realm in REALMS for model in models_of(realm)}
MODELS |= {"case": CaseOptions, "component": ComponentSettings, "grid": GridOptions, "machine": Machine}
DURATION = Duration.__metadata__
FREE = {"select"}
"""Options that hold values of a file's dimensions, whatever they are."""


def numbers(annotation, metadata=()):
    """Every number within a type, with what is annotated to it."""
    if typing.get_origin(annotation) is typing.Annotated:
        inner, *more = typing.get_args(annotation)
        yield from numbers(inner, (*metadata, *more))
    elif annotation in (int, float):
        yield annotation, metadata
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for info in annotation.model_fields.values():
            yield from numbers(info.annotation, tuple(info.metadata))
    else:
        union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
        for inner in typing.get_args(annotation):
            yield from numbers(inner, metadata if union else ())


def bounded(metadata):
    low = any(isinstance(m, Ge | Gt) for m in metadata)
    high = any(isinstance(m, Le | Lt) for m in metadata)
    duration = any(m in DURATION for m in metadata)
    return duration or (low and high) or any(isinstance(m, Range) and m.bounded for m in metadata)


def options(model):
    found = {name: info for name, info in model.model_fields.items() if name not in FREE}
    return [(name, info) for name, info in found.items() if list(numbers(info.annotation))]


def test_every_numeric_option_has_a_lower_and_an_upper_bound():
    free = [
        f"{name}.{key}"
        for name, model in MODELS.items()
        for key, info in options(model)
        for _, metadata in numbers(info.annotation, tuple(info.metadata))
        if not bounded(metadata)
    ]
    assert free == []


@pytest.mark.parametrize("name", MODELS)
def test_defaults_lie_within_their_bounds(name):
    for key, info in MODELS[name].model_fields.items():
        ranges = [m for m in info.metadata if isinstance(m, Range)]
        if isinstance(info.default, int | float) and not isinstance(info.default, bool):
            assert all(r.holds(info.default) for r in ranges), key


@pytest.mark.parametrize("name", MODELS)
def test_no_number_is_infinite_or_absurd(name):
    for key, _ in options(MODELS[name]):
        alias = MODELS[name].model_fields[key].alias or key
        for value in (math.nan, math.inf, -math.inf, -1e30, 1e30, 10**400, True, "many", "1,5", [[]], {"a": []}):
            node = Node({alias: value}, {}, "x.yaml")
            _, mistakes = node.read(MODELS[name])
            assert any(path and path[0] == alias for path in mistakes), (key, value)


def test_refusals_say_what_is_wanted_what_was_found_and_where():
    slab = MODELS["ocean.slab"]
    text = "\ndepth: -50 m\nshallowest: .nan\ninitial_temperature: 15\nentrainment_jump: 1 degC\npenetration: yes\n"
    with pytest.raises(NamelistError) as said:
        read_text(text, "ocean.yaml").parse(slab)
    assert str(said.value).splitlines() == [
        "ocean.yaml:2: depth: expected more than 0 and at most 12000 m (given: '-50 m')",
        "ocean.yaml:3: shallowest: expected a finite number (given: nan)",
        "ocean.yaml:4: initial_temperature: expected 150 to 400 K (given: 15)",
        "ocean.yaml:5: entrainment_jump: wrong unit 'degC': expected a difference in K",
        "ocean.yaml:6: penetration: expected true or false (yes, no, on and off are words in YAML 1.2) (given: 'yes')",
    ]
