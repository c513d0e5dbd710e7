# SPDX-License-Identifier: BSD-3-Clause
"""Documented options of models and of ``case.yaml``, as YAML with comments."""

from __future__ import annotations

import ast
import contextlib
import inspect
import textwrap
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from coupler.clock import format_duration
from coupler.errors import CaseError
from coupler.namelist import Duration, Range, Unit


def describe_options(name: str) -> str:
    """Options of ``realm.model``, of ``case``, or of what every component's namelist may say.

    Raises
    ------
    CaseError
        No such model.
    """
    from coupler.case.models import REALMS, find_model, models_of
    from coupler.case.options import CaseOptions, ComponentSettings

    if name == "case":
        return "# case.yaml\n" + options_text(CaseOptions)
    if name == "component":
        return "# <component>.yaml, beside the model's own options\n" + options_text(ComponentSettings)
    realm, _, model = name.partition(".")
    known = [f"{r}.{m}" for r in REALMS for m in models_of(r)]
    if not model or (":" not in name and name not in known):
        raise CaseError(f"{name!r} is not a model; known models: case, component, {', '.join(known)}")
    cls = find_model(name if ":" in name else model, realm)
    head = (cls.__doc__ or "").strip().splitlines()[0] if cls.__doc__ else name
    section = f"{model}:\n" + textwrap.indent(options_text(cls.Options), "  ")
    return f"# {realm}.yaml, model {model}: {head}\n{section}"


def attribute_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """What stands under the attributes of a class and of those that it inherits from; nothing where there is no source.

    Parameters
    ----------
    model : the class
    """
    found = {}
    for cls in reversed(model.__mro__):
        if cls is BaseModel or not issubclass(cls, BaseModel):
            continue
        with contextlib.suppress(OSError, TypeError):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
            for line, after in pairwise(cast(ast.ClassDef, tree).body):
                match line, after:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                        found[name] = inspect.cleandoc(text)
    return found


def options_text(model: type[BaseModel], skip: tuple[str, ...] = ()) -> str:
    """Options of a namelist as commented YAML with their defaults.

    Parameters
    ----------
    model : the namelist's class
    skip : options to leave out
    """
    lines: list[str] = []
    docstrings = attribute_docstrings(model)
    for key, info in model.model_fields.items():
        if key in skip:
            continue
        unit = next((m.name for m in info.metadata if isinstance(m, Unit)), "")
        duration = any(m in Duration.__metadata__ for m in info.metadata)  # type: ignore[attr-defined]
        default = info.get_default(call_default_factory=True)
        comment = " ".join(docstrings.get(key, "").split())
        if unit and unit != "1":
            comment += f" [{unit}]"
        limits = [str(replace(m, unit="")) for m in info.metadata if isinstance(m, Range) and m.bounded]
        if limits:
            comment += f" ({', '.join(limits)})"
        name = info.alias or key
        lines += [f"# {line}" for line in textwrap.wrap(comment, 100)]
        if isinstance(default, BaseModel):
            lines.append(f"{name}:")
            lines += ["  " + line for line in options_text(type(default)).splitlines()]
        elif default is PydanticUndefined:
            lines.append(f"{name}:   # no default: must be said")
        else:
            lines.append(f"{name}: {_value(default, duration)}")
    return "\n".join(lines) if lines else "{}   # no options"


def _value(default: Any, duration: bool) -> str:
    if duration and isinstance(default, int):
        return format_duration(default)
    if isinstance(default, tuple):
        default = list(default)
    if isinstance(default, list):
        default = [d.model_dump() if isinstance(d, BaseModel) else d for d in default]
    return yaml.safe_dump(default, default_flow_style=True, width=1000).strip().removesuffix("...").strip()
