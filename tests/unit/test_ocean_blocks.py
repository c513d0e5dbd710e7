# SPDX-License-Identifier: BSD-3-Clause
"""Bits of the ocean do not depend on how the domain is cut into blocks, nor on a restart."""

from dataclasses import fields

import pytest
import torch

from components.ocean.primitive.barotropic_mode import plane_of
from components.ocean.primitive.state import State
from components.ocean.primitive.stencil import HALO
from components.ocean.primitive.surface import SurfaceForcing
from components.ocean.primitive.timestep import Ocean
from components.science.halo import Padded
from tests.science.test_ocean_conservation import rough_basin
from tests.toys.blocks import Blocks


def cut(state_or_forcing, rows, columns, wide):
    """The block's part of a container of tensors; ``wide``: with the halo."""
    margin = 2 * HALO if wide else 0
    window = (..., slice(rows.start, rows.stop + margin), slice(columns.start, columns.stop + margin))
    kind = type(state_or_forcing)
    return kind(
        **{
            f.name: value[window].contiguous()
            if isinstance(value := getattr(state_or_forcing, f.name), torch.Tensor)
            else value
            for f in fields(kind)
        }
    )


def run_in_blocks(sea, rows, columns, steps, width=HALO) -> dict[str, torch.Tensor]:
    blocks = Blocks(*sea.geometry.shape, rows, columns)
    whole = sea.state.own()

    def work(r, c):
        j, i = blocks.place(r, c)
        halo = Padded(blocks.filler(r, c), HALO)
        plane = plane_of(sea.geometry, j, i, width)
        ocean = Ocean(sea.geometry.block(j, i), sea.ocean.p, halo, plane=plane)
        forcing: SurfaceForcing = cut(sea.forcing, j, i, wide=True)
        state: State = cut(whole, j, i, wide=False).with_halos(halo)
        with torch.no_grad():
            for _ in range(steps):
                state = ocean.step(state, forcing)
        return state.own().tensors()

    results = blocks.run(work)
    return {
        name: torch.cat([torch.cat([results[r, c][name] for c in range(columns)], -1) for r in range(rows)], -2)
        for name in results[0, 0]
    }


@pytest.mark.parametrize(
    ("rows", "columns", "width"), [(1, 2, 2), (2, 1, 2), (2, 2, 2), (1, 2, 8), (2, 2, 4), (2, 3, 6)]
)
def test_any_decomposition_gives_the_same_bits(rows, columns, width):
    """Six steps with topography, TKE, friction, rain and limiters: blocks give the bits of the whole.

    Whether the barotropic mode exchanges its halo in every substep (width 2) or only in every few.
    """
    sea = rough_basin(biharmonic_viscosity=1e11, smagorinsky=2.0)
    sea.run(2)
    blocks = run_in_blocks(sea, rows, columns, 6, width)
    sea.run(6)
    for name, value in sea.state.own().tensors().items():
        assert torch.equal(blocks[name], value), f"{name} differs by {(blocks[name] - value).abs().max()}"


def test_restart_gives_the_same_bits():
    """The state without halos, written out and read in, continues to the same bits."""
    sea = rough_basin()
    sea.run(3)
    kept = State(**{n: v.clone() for n, v in sea.state.own().tensors().items()}, steps=sea.state.steps)
    sea.run(3)
    other = rough_basin()
    other.state = kept.with_halos(other.ocean.halo)
    other.run(3)
    for name, value in sea.state.tensors().items():
        assert torch.equal(other.state.tensors()[name], value), name
