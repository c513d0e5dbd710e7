# SPDX-License-Identifier: BSD-3-Clause
"""Eight numbers that go through the processor's vector lanes together, as a type of numba.

numba vectorises a loop over eight numbers only where it can prove that what is written is not what is read; with
tables it looks for that at each loop, which takes longer than the loop. So eight numbers are read as one value,
calculated with, and written: a row of a contiguous array (rows, 8) with ``of(a, i)`` and ``put(a, i, x)``, numbers from
any place of a contiguous array on with ``since(a, k)`` and ``put_from(a, k, x)``.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, register_model

LANES = 8
FUSED = ("contract",)  # a product and a sum may be rounded once


class Lanes(types.Type):
    """Eight numbers of one precision."""

    def __init__(self, real: Any):
        self.real = real
        super().__init__(name=f"Lanes({real})")


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes):
        super().__init__(manager, kind, ir.VectorType(manager.lookup(kind.real).get_value_type(), LANES))


def _array(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value)


def _vector(context: Any, real: Any) -> Any:
    return context.get_value_type(Lanes(real))


def _place(context: Any, builder: Any, sig: Any, args: Any, stride: int) -> tuple[Any, int]:
    """Address of eight numbers of an array as that of a vector, and how it is aligned; the index counts ``stride``s."""
    array = _array(context, builder, sig.args[0], args[0])
    index = context.cast(builder, args[1], sig.args[1], types.intp)
    first = builder.gep(array.data, [builder.mul(index, ir.Constant(index.type, stride))])
    vector = _vector(context, sig.args[0].dtype)
    return builder.bitcast(first, vector.as_pointer()), context.get_abi_alignment(array.data.type.pointee)


def _reading(stride: int) -> Any:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        address, align = _place(context, builder, sig, args, stride)
        return builder.load(address, align=align)

    return generate


def _writing(stride: int) -> Any:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        address, align = _place(context, builder, sig, args, stride)
        builder.store(args[2], address, align=align)
        return context.get_dummy_value()

    return generate


@intrinsic
def of(typing: Any, a: Any, i: Any) -> Any:
    """Row ``i`` of an array (rows, 8)."""
    return Lanes(a.dtype)(a, i), _reading(LANES)


@intrinsic
def put(typing: Any, a: Any, i: Any, x: Any) -> Any:
    """Write row ``i`` of an array (rows, 8)."""
    return types.void(a, i, x), _writing(LANES)


@intrinsic
def since(typing: Any, a: Any, k: Any) -> Any:
    """Eight numbers of an array from its element ``k`` on; that they are there, the caller knows."""
    return Lanes(a.dtype)(a, k), _reading(1)


@intrinsic
def put_from(typing: Any, a: Any, k: Any, x: Any) -> Any:
    """Write eight numbers of an array from its element ``k`` on."""
    return types.void(a, k, x), _writing(1)


@intrinsic
def alike(typing: Any, a: Any, x: Any) -> Any:
    """The number ``x`` in all lanes, in the precision of an array."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = context.cast(builder, args[1], sig.args[1], a.dtype)
        vector = _vector(context, a.dtype)
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), mask)

    return Lanes(a.dtype)(a, x), generate


@intrinsic
def magnitude(typing: Any, x: Any) -> Any:
    """Absolute values."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        opposite = builder.fneg(args[0])
        return builder.select(builder.fcmp_ordered("<", args[0], opposite), opposite, args[0])

    return x(x), generate


@intrinsic
def larger(typing: Any, x: Any, y: Any) -> Any:
    """The larger ones of two; a number that is none stays so where it is the first."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *args), args[1], args[0])

    return x(x, y), generate


def _arithmetic(operation: Any, emit: Callable[[Any], Any]) -> None:
    @infer_global(operation)
    class _Typing(AbstractTemplate):
        def generic(self, args: Any, keywords: Any) -> Any:
            both = len(args) == 2 and all(isinstance(a, Lanes) for a in args)
            return signature(args[0], *args) if both and args[0] == args[1] else None

    def lowering(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return emit(builder)(*args, flags=FUSED)

    lower_builtin(operation, Lanes, Lanes)(lowering)


for _operation, _emit in (
    (operator.add, lambda b: b.fadd),
    (operator.sub, lambda b: b.fsub),
    (operator.mul, lambda b: b.fmul),
    (operator.truediv, lambda b: b.fdiv),
):
    _arithmetic(_operation, _emit)
