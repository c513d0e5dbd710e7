# SPDX-License-Identifier: BSD-3-Clause
"""`tendencies.diagnose` with a gradient by a compiled kernel, on a processor; forward the same operations of torch."""

from functools import cache
from typing import Any, cast

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from components.atmosphere.nonhydrostatic.dynamics import tendencies
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State
from components.science.constants import GAMMA
from components.science.kernel_arrays import array, arrays, on_processor, wanted
from coupler.made_once import compile_once


def diagnose(g: Geometry, s: State) -> Diagnostics:
    """As `tendencies.diagnose`.

    Parameters
    ----------
    g, s : geometry, and state with halos
    """
    if wanted(*s) and on_processor(*s):
        return Diagnostics(*cast(tuple[torch.Tensor, ...], _Diagnosis.apply(g, *s)))
    return tendencies.diagnose(g, s)


class _Diagnosis(torch.autograd.Function):
    """The diagnostics, and by a kernel their transpose."""

    @staticmethod
    def forward(ctx: Any, g: Geometry, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        s = State(*given)
        d = tendencies.diagnose(g, s)
        ctx.g = g
        ctx.save_for_backward(s.ru, s.rv, s.rw, s.rho, s.rtheta, d.u, d.v, d.w, d.theta, d.stiffness)
        return tuple(d)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        g, given, made = ctx.g, ctx.saved_tensors[:5], ctx.saved_tensors[5:]
        back = [torch.empty_like(a) for a in given]
        own = [a.clone() for a in grads[:4]]  # in which the kernel works
        like = given[3]
        slopes = like.new_empty((4, 0, 0, 0)) if g.metric is None else g.metric
        ground = like.new_empty((0, 0, 0)) if g.metric_ground is None else g.metric_ground
        _transposed()(
            (*arrays(own), *arrays(grads[4:])), arrays(made), array(g.rho_base + given[3]),
            array(g.rtheta_base + given[4]), array(g.inverse_dz_interface), array(slopes), array(ground),
            array(like).dtype.type(GAMMA - 1.0), arrays(back),
        )  # fmt: skip
        return None, *back


@cache
def _transposed() -> Any:
    from components.atmosphere.nonhydrostatic.kernels.diagnosis_transposed import diagnosed_back  # numba loads slowly

    compile_once((diagnosed_back,), compile_gradients, "the gradient of pressure and winds", 20)
    return diagnosed_back


def compile_gradients() -> None:
    """Compile the kernel in both precisions, or load it from the cache."""
    for dtype in (np.float32, np.float64):
        of = lambda *shapes, dtype=dtype: tuple(np.ones(shape, dtype) for shape in shapes)  # noqa: E731
        air = (6, 7, 8), (6, 8, 7), (5, 7, 7), (6, 7, 7)
        state = of((2, 9, 10), (2, 10, 9), (1, 9, 9), (2, 9, 9), (2, 9, 9))
        grads, made = of(*air, (3, 3, 3), (2, 3, 3), (2, 3, 3)), of(*air, (2, 3, 3))
        rest = of((2, 9, 9), (2, 9, 9), (3, 9, 9), (4, 0, 0, 0), (0, 0, 0))
        _transposed()(grads, made, *rest, dtype(1.0), state)
