# SPDX-License-Identifier: BSD-3-Clause
"""Products of small matrices by the tiles of a processor that has them (AMX): bfloat16 in, single precision out.

A tile is 16 rows of 64 bytes. Of the eight, a kernel names each by a number that stands in its source. Who sets their
shape saves what was set before, and sets it again, since torch's own library relies on finding what it left.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

ROWS, PAIRS = 16, 32  # of a tile, and numbers of bfloat16 in a row of it
_BYTE, _LONG = ir.IntType(8), ir.IntType(64)

SHAPES = np.zeros(64, np.uint8)  # eight tiles of 16 rows of 64 bytes, as the processor wants it told
SHAPES[0], SHAPES[16:32:2], SHAPES[48:56] = 1, 64, ROWS


def there() -> bool:
    """Whether the code that numba makes here may use tiles, as the processor and the system allow."""
    made_for = cpu_target.target_context.codegen().magic_tuple()[-1]
    if not all(f"+{feature}" in made_for.split(",") for feature in ("amx-tile", "amx-bf16", "avx512f")):
        return False
    from torch import cpu  # asks the system for the registers, which each process must

    try:
        return bool(cpu._init_amx())
    except AttributeError:  # another torch
        return False


def _call(builder: Any, name: str, *arguments: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [a.type for a in arguments])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.{name}"), arguments)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _BYTE.as_pointer())


def _number(kind: Any) -> Any:
    return ir.Constant(_BYTE, kind.literal_value)


def _shaping(name: str) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        _call(builder, name, _address(context, builder, sig.args[0], args[0], ir.Constant(_LONG, 0)))
        return context.get_dummy_value()

    return generate


def _moving(name: str) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index, apart = (context.cast(builder, args[k], sig.args[k], types.int64) for k in (2, 3))
        _call(builder, name, _number(sig.args[0]), _address(context, builder, sig.args[1], args[1], index), apart)
        return context.get_dummy_value()

    return generate


@intrinsic
def shape(typing: Any, told: Any) -> Any:
    """Set the tiles' shapes, ``SHAPES`` or what `shapes` found."""
    return types.void(told), _shaping("ldtilecfg")


@intrinsic
def shapes(typing: Any, told: Any) -> Any:
    """Write the tiles' shapes as they are into 64 bytes."""
    return types.void(told), _shaping("sttilecfg")


@intrinsic(prefer_literal=True)
def load(typing: Any, tile: Any, array: Any, index: Any, apart: Any) -> Any:
    """Fill a tile from an array's element ``index`` on, its rows so many bytes apart."""
    return types.void(tile, array, index, apart), _moving("tileloadd64")


@intrinsic(prefer_literal=True)
def store(typing: Any, tile: Any, array: Any, index: Any, apart: Any) -> Any:
    """Write a tile to an array's element ``index`` and on, its rows so many bytes apart."""
    return types.void(tile, array, index, apart), _moving("tilestored64")


@intrinsic(prefer_literal=True)
def clear(typing: Any, tile: Any) -> Any:
    """Set a tile to nothing."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        _call(builder, "tilezero", _number(sig.args[0]))
        return context.get_dummy_value()

    return types.void(tile), generate


@intrinsic(prefer_literal=True)
def add_product(typing: Any, total: Any, one: Any, other: Any) -> Any:
    """Add to a tile of single precision the product of two of bfloat16, the rows of the second being pairs of rows."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        _call(builder, "tdpbf16ps", *(_number(kind) for kind in sig.args))
        return context.get_dummy_value()

    return types.void(total, one, other), generate
