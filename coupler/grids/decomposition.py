# SPDX-License-Identifier: BSD-3-Clause
"""Division of a grid into blocks over the ranks of a component; halo exchange, gather and scatter.

Cells are numbered row by row (y outer, x inner). Rank r owns one rectangular block of a structured grid, or one run
of cells of an unstructured one. Gathering puts every cell in its place of the whole grid, so that what follows does
not depend on the number of ranks.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from coupler import messages
from coupler.errors import LayoutError

Array = npt.NDArray[Any]


class Communicator(Protocol):
    """The part of an mpi4py communicator that is used here."""

    def Get_rank(self) -> int: ...  # noqa: D102
    def Get_size(self) -> int: ...  # noqa: D102
    def Isend(self, buf: Any, dest: int, tag: int = 0) -> Any: ...  # noqa: D102
    def Irecv(self, buf: Any, source: int, tag: int = 0) -> Any: ...  # noqa: D102


NARROW = 8  # cells of a block's side, below which a model's halo may find no room


def split(n: int, parts: int) -> list[int]:
    """Bounds of `parts` runs of `n` items whose lengths differ by one at most.

    >>> split(10, 3)
    [0, 4, 7, 10]
    """
    base, extra = divmod(n, parts)
    bounds = [0]
    for p in range(parts):
        bounds.append(bounds[-1] + base + (1 if p < extra else 0))
    return bounds


def blocks_of(shape: tuple[int, ...], ranks: int) -> tuple[int, int]:
    """Blocks in y and x for a number of ranks: the division with the shortest borders, of equal ones the squarest.

    A border between east and west counts half as much again: its halo is scattered in memory, rows of the blocks become
    short, and east and west have their days at different hours. Blocks narrower than ``NARROW`` cells are avoided where
    others are wider: a model's halo must find room in them.

    >>> blocks_of((100, 200), 4)
    (2, 2)
    """
    if len(shape) == 1:
        if ranks > shape[0]:
            raise LayoutError(f"{ranks} ranks for {shape[0]} cells: at most one rank a cell; use fewer ranks")
        return 1, ranks
    ny, nx = shape
    choices = []
    for py in range(1, ranks + 1):
        px, rest = divmod(ranks, py)
        if rest == 0 and py <= ny and px <= nx:
            narrow = max(0, NARROW - min(ny // py, nx // px))
            choices.append((narrow, 2 * (py - 1) * nx + 3 * (px - 1) * ny, abs(py - px), py, px))
    if not choices:
        raise LayoutError(f"a grid of {ny} x {nx} cells cannot be divided over {ranks} ranks; use fewer")
    return min(choices)[-2:]


@dataclass(frozen=True)
class Block:
    """Cells ``[y0, y1) x [x0, x1)`` of a grid."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Cells in y and x."""
        return self.y1 - self.y0, self.x1 - self.x0


def block_of(shape: tuple[int, ...], ranks: int, rank: int) -> Block:
    """Block of one of `ranks` ranks."""
    py, px = blocks_of(shape, ranks)
    ny, nx = (1, shape[0]) if len(shape) == 1 else shape
    ys, xs = split(ny, py), split(nx, px)
    j, i = divmod(rank, px)
    return Block(ys[j], ys[j + 1], xs[i], xs[i + 1])


def block_cells(shape: tuple[int, ...], ranks: int, rank: int) -> npt.NDArray[np.int64]:
    """Flat numbers of the cells of a rank's block, row by row."""
    b, nx = block_of(shape, ranks, rank), shape[-1]
    y, x = np.arange(b.y0, b.y1, dtype=np.int64), np.arange(b.x0, b.x1, dtype=np.int64)
    return np.ascontiguousarray((y[:, None] * nx + x[None, :]).reshape(-1))


Part = tuple[slice, slice]
_Neighbours = tuple[int | None, int | None]  # below and above


class _Border(NamedTuple):
    """Parts of a padded block on one side: its outermost cells, and the halo beyond them."""

    inside: Part
    halo: Part


class Decomposition:
    """Blocks of a grid over a rank group, and the traffic between them.

    Parameters
    ----------
    shape : tuple of int
        Shape of the grid, ``(ny, nx)`` or ``(n,)``.
    comm : communicator or None
        Ranks of the component; None for a single process without MPI.
    waiting : callable
        Gives the context, from a word for it, in which this process waits for the other ranks.

    Examples
    --------
    >>> d = Decomposition((4, 6))
    >>> d.local_shape, d.cells[:3]
    ((4, 6), array([0, 1, 2]))
    """

    def __init__(
        self, shape: tuple[int, ...], comm: Any = None, waiting: Callable[[str], Any] = contextlib.nullcontext
    ):
        self.shape = tuple(shape)
        self._waiting = waiting
        self.comm = comm
        self.rank = comm.Get_rank() if comm is not None else 0
        self.ranks = comm.Get_size() if comm is not None else 1
        self.blocks_y, self.blocks_x = blocks_of(self.shape, self.ranks)
        self.block = self.block_of(self.rank)

    def block_of(self, rank: int) -> Block:
        """Block of a rank."""
        return block_of(self.shape, self.ranks, rank)

    @property
    def local_shape(self) -> tuple[int, ...]:
        """Shape of this rank's block of a 2-D field."""
        return self.block.shape if len(self.shape) == 2 else (self.block.shape[1],)

    @functools.cached_property
    def cells(self) -> npt.NDArray[np.int64]:
        """Flat numbers of this rank's cells, row by row."""
        return self.cells_of(self.rank)

    def cells_of(self, rank: int) -> npt.NDArray[np.int64]:
        """Flat numbers of a rank's cells, row by row."""
        return block_cells(self.shape, self.ranks, rank)

    def local(self, whole: Array) -> Array:
        """This rank's block of a field ``(..., ny, nx)`` that every rank has as a whole."""
        b = self.block
        if len(self.shape) == 1:
            return np.ascontiguousarray(whole[..., b.x0 : b.x1])
        return np.ascontiguousarray(whole[..., b.y0 : b.y1, b.x0 : b.x1])

    def gather(self, local: npt.ArrayLike) -> Array | None:
        """The whole field ``(..., ny, nx)`` on rank 0 of the group, None elsewhere."""
        block = np.ascontiguousarray(local)
        n = len(self.shape)
        if block.shape[-n:] != self.local_shape:
            raise ValueError(f"a block has the shape {self.local_shape}, the array given {block.shape}")
        if self.ranks == 1:
            return block.copy()
        with self._waiting("gathering"):
            parts = messages.gather(self.comm, block)
        return None if parts is None else self._assembled(parts)

    def whole(self, local: npt.ArrayLike) -> Array:
        """The whole field ``(..., ny, nx)`` on every rank of the group."""
        return self._assembled(self.share(np.ascontiguousarray(local), "a whole field"))

    def _assembled(self, parts: Sequence[Array]) -> Array:
        """The whole field of the ranks' blocks."""
        n = len(self.shape)
        whole = np.empty(parts[0].shape[:-n] + self.shape, dtype=parts[0].dtype)
        for rank, part in enumerate(parts):
            b = self.block_of(rank)
            if n == 1:
                whole[..., b.x0 : b.x1] = part
            else:
                whole[..., b.y0 : b.y1, b.x0 : b.x1] = part
        return whole

    def scatter(self, whole: Array | None) -> Array:
        """This rank's block of a field that rank 0 of the group has as a whole."""
        if self.ranks == 1:
            assert whole is not None
            return np.ascontiguousarray(whole)
        parts = None
        if self.rank == 0:
            assert whole is not None
            parts = []
            for rank in range(self.ranks):
                b = self.block_of(rank)
                part = whole[..., b.x0 : b.x1] if len(self.shape) == 1 else whole[..., b.y0 : b.y1, b.x0 : b.x1]
                parts.append(np.ascontiguousarray(part))
        with self._waiting("scattering"):
            return np.asarray(messages.scatter(self.comm, parts))

    def sum(self, local: npt.ArrayLike) -> float:
        """Sum over all cells of all ranks; the same bits for every division (an exact sum)."""
        from coupler.exact_sum import exact_bins, rounded  # numba: not needed to read a case

        bins = exact_bins(local)
        if self.ranks > 1:
            with self._waiting("a sum"):
                mine, bins = bins, np.empty_like(bins)
                self.comm.Allreduce(mine, bins)
        return rounded(bins)

    def share(self, item: Any, what: str = "words") -> list[Any]:
        """What every rank gives, on every rank, in their order.

        Parameters
        ----------
        item : see `messages.to_bytes`
        what : what it is, for the message where a rank does not come
        """
        if self.ranks == 1:
            return [item]
        with self._waiting(what):
            return messages.share(self.comm, item)

    def max(self, local: npt.ArrayLike) -> float:
        """Largest value over all cells of all ranks."""
        return float(max(self.share(float(np.max(local)), "a maximum")))

    def min(self, local: npt.ArrayLike) -> float:
        """Smallest value over all cells of all ranks."""
        return -self.max(-np.asarray(local))

    def halo(self, *fields: Array, width: int, periodic: tuple[bool, bool] = (False, False)) -> None:
        """Fill the halos of padded blocks from the neighbours, in place; one message a neighbour.

        Parameters
        ----------
        *fields : arrays of shape (..., ny + 2 width, nx + 2 width)
            Blocks padded by `width` cells on every side (numpy, or torch on the CPU).
            All need the same dtype. The rim of the domain is left as it is.
        width : int
            Cells of the halo.
        periodic : (bool, bool)
            Whether the domain closes on itself in y and in x.
        """
        arrays = self._padded(fields, width)
        for neighbours, low, high in self._borders(width, periodic):
            self._pair(arrays, neighbours, (low.inside, high.inside), (low.halo, high.halo))

    def halo_transposed(self, *fields: Array, width: int, periodic: tuple[bool, bool] = (False, False)) -> None:
        """Transpose of `halo`, in place: what halos hold is added to the cells they are copies of, and set to zero.

        Parameters
        ----------
        *fields : arrays of shape (..., ny + 2 width, nx + 2 width)
            As in `halo`: cotangents of what it gives become those of what it is given.
        width : int
            Cells of the halo.
        periodic : (bool, bool)
            Whether the domain closes on itself in y and in x.
        """
        arrays = self._padded(fields, width)
        for neighbours, low, high in reversed(self._borders(width, periodic)):
            self._pair(arrays, neighbours, (low.halo, high.halo), (low.inside, high.inside), add=True)

    def _padded(self, fields: Sequence[Any], width: int) -> list[Array]:
        """The fields as arrays, of the block's size with a halo."""
        arrays = [f if isinstance(f, np.ndarray) else f.detach().numpy() for f in fields]
        ly, lx = self.block.shape
        for f in arrays:
            if f.shape[-2:] != (ly + 2 * width, lx + 2 * width):
                raise ValueError(
                    f"a padded block has the shape {(ly + 2 * width, lx + 2 * width)}, the array given {f.shape}"
                )
        if min(ly, lx) < width:
            raise LayoutError(f"a block of {ly} x {lx} cells is narrower than its halo of {width}: use fewer ranks")
        return arrays

    def _borders(self, w: int, periodic: tuple[bool, bool]) -> list[tuple[_Neighbours, _Border, _Border]]:
        """Neighbours below and above, and the borders with them: first in x over the rows owned, then in y.

        In y over full rows: corners arrive by way of the x neighbours.
        """
        j, i = divmod(self.rank, self.blocks_x)
        ly, lx = self.block.shape
        rows, every = slice(w, w + ly), slice(None)
        beside = self._neighbour(j, i - 1, periodic), self._neighbour(j, i + 1, periodic)
        above = self._neighbour(j - 1, i, periodic), self._neighbour(j + 1, i, periodic)
        return [
            (beside, _Border((rows, slice(w, 2 * w)), (rows, slice(0, w))),
             _Border((rows, slice(lx, lx + w)), (rows, slice(lx + w, lx + 2 * w)))),
            (above, _Border((slice(w, 2 * w), every), (slice(0, w), every)),
             _Border((slice(ly, ly + w), every), (slice(ly + w, ly + 2 * w), every))),
        ]  # fmt: skip

    def _neighbour(self, j: int, i: int, periodic: tuple[bool, bool]) -> int | None:
        if not 0 <= j < self.blocks_y:
            if not periodic[0]:
                return None
            j %= self.blocks_y
        if not 0 <= i < self.blocks_x:
            if not periodic[1]:
                return None
            i %= self.blocks_x
        return j * self.blocks_x + i

    def _pair(
        self,
        arrays: Sequence[Array],
        neighbours: _Neighbours,
        send: tuple[Part, Part],
        receive: tuple[Part, Part],
        add: bool = False,
    ) -> None:
        """Exchange with the neighbours below and above in one direction.

        ``add``: parts that are sent are set to zero, and what arrives is added.
        """
        (low, high), (send_low, send_high), (recv_low, recv_high) = neighbours, send, receive

        def pack(part: Part) -> Array:
            if not add:
                return np.concatenate([f[(..., *part)].reshape(-1) for f in arrays])
            packed = []
            for f in reversed(arrays):  # where arrays share memory, `halo` leaves what it wrote last
                packed.append(f[(..., *part)].flatten())
                f[(..., *part)] = 0.0
            return np.concatenate(packed[::-1])

        def unpack(part: Part, data: Array) -> None:
            start = 0
            for f in arrays:
                view = f[(..., *part)]
                given = data[start : start + view.size].reshape(view.shape)
                view[...] = view + given if add else given
                start += view.size

        if low == self.rank and high == self.rank:
            to_high, to_low = pack(send_low), pack(send_high)
            unpack(recv_high, to_high)
            unpack(recv_low, to_low)
            return
        requests, inbox = [], []
        for other, tag_in, part in ((low, 1, recv_low), (high, 0, recv_high)):
            if other is not None:
                data = np.empty(sum(f[(..., *part)].size for f in arrays), dtype=arrays[0].dtype)
                requests.append(self.comm.Irecv(data, source=other, tag=tag_in))
                inbox.append((part, data))
        for other, tag_out, part in ((low, 0, send_low), (high, 1, send_high)):
            if other is not None:
                outgoing = pack(part)
                requests.append(self.comm.Isend(outgoing, dest=other, tag=tag_out))
                inbox.append(((slice(0, 0), slice(0, 0)), outgoing))  # keeps the buffer alive until it has gone
        with self._waiting("a halo exchange"):
            wait_all(requests)
        for part, data in inbox[: sum(o is not None for o in (low, high))]:
            unpack(part, data)


def wait_all(requests: Sequence[Any]) -> None:
    """Wait for requests by testing, with short sleeps: six ranks live on two cores."""
    pending = list(requests)
    tries = 0
    while pending:
        pending = [r for r in pending if not r.Test()]
        if pending:
            tries += 1
            time.sleep(0 if tries < 50 else 5e-5 if tries < 500 else 1e-3)
