# SPDX-License-Identifier: BSD-3-Clause
"""Checks of the traffic of a decomposition, called on all ranks by test_decomposition_traffic.py."""

import itertools

import numpy as np
from together import run_checks

from coupler.errors import LayoutError
from coupler.grids.decomposition import Decomposition

SHAPES = [(13, 18), (7, 31)]


def field(shape, levels=(), seed=0):
    return np.random.default_rng(seed).normal(size=(*levels, *shape))


def check_gather_and_scatter_are_inverse(comm):
    for shape in [*SHAPES, (97,)]:
        d = Decomposition(shape, comm)
        for levels in ((), (3,), (2, 3)):
            whole = field(shape, levels)
            gathered = d.gather(d.local(whole))
            assert (gathered is None) == (d.rank > 0)
            if gathered is not None:
                assert gathered.tobytes() == whole.tobytes()
            assert d.scatter(gathered).tobytes() == d.local(whole).tobytes()
            assert d.whole(d.local(whole)).tobytes() == whole.tobytes()
        integers = np.arange(np.prod(shape)).reshape(shape)
        back = d.gather(d.local(integers))
        assert back is None or (back.dtype == integers.dtype and np.array_equal(back, integers))


def check_sums_have_the_same_bits_as_on_one_rank(comm):
    for shape in SHAPES:
        whole = field(shape) * 10.0 ** np.random.default_rng(5).integers(-12, 12, shape)
        alone, d = Decomposition(shape), Decomposition(shape, comm)
        assert d.sum(d.local(whole)) == alone.sum(whole)
        assert d.max(d.local(whole)) == whole.max() and d.min(d.local(whole)) == whole.min()


def check_halos_equal_slices_of_the_global_array(comm):
    for shape, width, periodic in itertools.product(SHAPES, (1, 3), itertools.product((False, True), repeat=2)):
        d = Decomposition(shape, comm)
        if min(d.block.shape) < width or min(comm.allgather(min(d.block.shape))) < width:
            continue
        whole = [field(shape, seed=1), field(shape, (4,), seed=2)]
        around = []
        for w in whole:
            # the rim of an open domain keeps what was there: -7
            for axis, closed in ((-2, periodic[0]), (-1, periodic[1])):
                pad = [(0, 0)] * w.ndim
                pad[w.ndim + axis] = (width, width)
                w = np.pad(w, pad, mode="wrap") if closed else np.pad(w, pad, constant_values=-7.0)
            around.append(w)
        b, padded = d.block, []
        for w in whole:
            p = np.full((*w.shape[:-2], b.shape[0] + 2 * width, b.shape[1] + 2 * width), -7.0)
            p[..., width:-width, width:-width] = d.local(w)
            padded.append(p)
        d.halo(*padded, width=width, periodic=periodic)
        for p, w in zip(padded, around, strict=True):
            expected = w[..., b.y0 : b.y1 + 2 * width, b.x0 : b.x1 + 2 * width]
            assert np.array_equal(p, expected), (shape, width, periodic)


def check_single_precision_and_tensors(comm):
    if comm.Get_size() != 2:
        return  # six processes that load torch take a minute on two cores
    import torch

    torch.set_num_threads(1)
    shape, width = (12, 18), 1
    d = Decomposition(shape, comm)
    whole = field(shape).astype(np.float32)
    b = d.block
    padded = torch.zeros((b.shape[0] + 2, b.shape[1] + 2), dtype=torch.float32)
    padded[1:-1, 1:-1] = torch.from_numpy(d.local(whole))
    d.halo(padded, width=width, periodic=(True, True))
    expected = np.pad(whole, 1, mode="wrap")[b.y0 : b.y1 + 2, b.x0 : b.x1 + 2]
    assert np.array_equal(padded.numpy(), expected)


def check_a_block_narrower_than_its_halo_is_refused_everywhere(comm):
    d = Decomposition((comm.Get_size(), 3), comm)
    b = d.block.shape
    try:
        d.halo(np.zeros((b[0] + 8, b[1] + 8)), width=4)
    except LayoutError as error:
        assert "use fewer ranks" in str(error)
    else:
        raise AssertionError("not refused")


if __name__ == "__main__":
    run_checks(globals())
