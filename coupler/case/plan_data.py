# SPDX-License-Identifier: BSD-3-Clause
"""The plan as plain data: JSON, and the arrays of its grids beside it.

Nothing but what is listed here can come out of such data: no name of a class or a function in it is looked up.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.clock import Clock, Period
from coupler.component import Component, Setting
from coupler.fields import FieldSpec
from coupler.grids.grid import Grid
from coupler.plan import (
    Bundle,
    ComponentPlan,
    Delivery,
    Inactive,
    Plan,
    Remap,
    Stream,
    Subgrid,
    Task,
    Tile,
)

Arrays = list[npt.NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class Words:
    """What a model's options say, where the model is not.

    Parameters
    ----------
    everything : mapping
        All options as JSON has them.
    strings : mapping
        Those that are strings (file names among them) as Python does.
    """

    everything: Mapping[str, Any]
    strings: Mapping[str, Any]

    @classmethod
    def of(cls, options: Any) -> Words:
        """The words of a model's options."""
        strings = {name: value for name, value in options.model_dump().items() if isinstance(value, str)}
        return cls(options.model_dump(mode="json"), strings)

    def model_dump(self, mode: str = "python") -> dict[str, Any]:
        """All of them as JSON has them; those that are strings as Python does."""
        return dict(self.everything if mode == "json" else self.strings)


KINDS = {
    kind.__name__: kind
    for kind in (
        Plan, ComponentPlan, Stream, Bundle, Delivery, Subgrid, Remap, Tile, Task, Inactive, FieldSpec, Clock, Period,
        Setting,
        Words, Grid,
    )
}  # fmt: skip


def to_data(plan: Plan) -> tuple[str, Arrays]:
    """A plan as JSON text and the arrays that it counts.

    Raises
    ------
    TypeError
        Something in the plan is no plain data.
    """
    arrays: Arrays = []
    grids: list[Any] = []
    known: dict[int, int] = {}

    def plain(value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.generic):
            return plain(value.item())
        if isinstance(value, Component):
            return {"model": None}
        if isinstance(value, Grid) and id(value) in known:
            return {"grid": known[id(value)]}
        if isinstance(value, np.ndarray):
            arrays.append(np.asarray(value))
            return {"array": len(arrays) - 1}
        if isinstance(value, Path):
            return {"path": str(value)}
        if isinstance(value, Mapping):
            if not all(isinstance(key, str) for key in value):
                raise TypeError(f"a plan's mapping has the keys {list(value)}; strings are expected")
            return {"mapping": {key: plain(item) for key, item in value.items()}}
        if isinstance(value, tuple):
            return {"tuple": [plain(item) for item in value]}
        if isinstance(value, list):
            return [plain(item) for item in value]
        kind = type(value).__name__
        if KINDS.get(kind) is not type(value):
            raise TypeError(f"{value!r} of type {kind} is not plain data")
        made = {"of": kind, "with": {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}}
        if isinstance(value, Grid):  # components share grids
            known[id(value)] = len(grids)
            grids.append(made)
            return {"grid": known[id(value)]}
        return made

    content = plain(plan)
    return json.dumps({"plan": content, "grids": grids}), arrays


def from_data(text: str, arrays: Arrays) -> Plan:
    """The plan of `to_data`, with bare components in the place of the models.

    Parameters
    ----------
    text : JSON of `to_data`
    arrays : its arrays, in order
    """
    content = json.loads(text)

    def made(value: Any) -> Any:
        if isinstance(value, list):
            return [made(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "of" in value:
            return KINDS[value["of"]](**{name: made(item) for name, item in value["with"].items()})
        ((word, item),) = value.items()
        if word == "grid":
            return grids[item]
        if word == "array":
            return arrays[item]
        if word == "path":
            return Path(item)
        if word == "tuple":
            return tuple(made(part) for part in item)
        if word == "model":
            return Component(None)
        assert word == "mapping", word
        return {key: made(part) for key, part in item.items()}

    grids = [made(grid) for grid in content["grids"]]
    plan: Plan = made(content["plan"])
    return plan


def to_bytes(plan: Plan) -> npt.NDArray[np.uint8]:
    """A plan as the bytes of its JSON text and of its arrays, one file of numpy in memory."""
    text, arrays = to_data(plan)
    file = io.BytesIO()
    np.savez(file, *arrays, plan=np.frombuffer(text.encode(), dtype=np.uint8))
    return np.frombuffer(file.getvalue(), dtype=np.uint8)


def from_bytes(data: npt.NDArray[np.uint8]) -> Plan:
    """The plan of `to_bytes`."""
    with np.load(io.BytesIO(data.tobytes()), allow_pickle=False) as file:
        return from_data(file["plan"].tobytes().decode(), [file[f"arr_{n}"] for n in range(len(file.files) - 1)])
