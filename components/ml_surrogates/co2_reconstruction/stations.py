# SPDX-License-Identifier: BSD-3-Clause
"""The cells with stations of the made-up world: (row, column) on 45 x 60 cells, thin where real networks are thin."""

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Domain

SHAPE = (45, 60)
CELLS = (
    (0, 55), (3, 55), (5, 6), (5, 10), (5, 18), (6, 49), (7, 49), (8, 26), (8, 48), (10, 8), (12, 24), (12, 29),
    (13, 3), (13, 12), (13, 30), (15, 30), (15, 41), (16, 2), (16, 31), (17, 24), (17, 31), (18, 31), (20, 33),
    (20, 57), (21, 9), (21, 33), (21, 54), (22, 33), (22, 34), (23, 34), (25, 24), (25, 35), (25, 50), (26, 12),
    (26, 35), (26, 49), (27, 34), (27, 36), (27, 43), (28, 0), (28, 19), (28, 20), (28, 25), (28, 36), (28, 46),
    (29, 30), (29, 57), (30, 5), (30, 21), (30, 37), (30, 49), (31, 2), (31, 16), (31, 21), (31, 23), (31, 43),
    (32, 0), (32, 23), (32, 39), (32, 41), (32, 42), (32, 55), (33, 0), (33, 1), (33, 12), (33, 18), (33, 24),
    (33, 39), (33, 44), (33, 46), (33, 49), (34, 1), (34, 2), (34, 3), (34, 38), (34, 46), (35, 1), (35, 29),
    (35, 42), (35, 58), (36, 2), (36, 27), (36, 32), (36, 41), (36, 42), (37, 59), (38, 56), (39, 0), (39, 4),
    (39, 5), (40, 33), (40, 53), (41, 22), (41, 40), (42, 1), (43, 49),
)  # fmt: skip


def places(shape: tuple[int, int] = SHAPE) -> Tensor:
    """Flat numbers (p,) of the stations' cells, on another grid those that hold the same places, each once.

    Parameters
    ----------
    shape : (ny, nx) of the grid
    """
    ny, nx = shape
    cells = {(int((j + 0.5) * ny / SHAPE[0]), int((i + 0.5) * nx / SHAPE[1])) for j, i in CELLS}
    return torch.tensor(sorted(j * nx + i for j, i in cells))


def within(domain: Domain) -> Tensor:
    """Flat numbers (p,) of the cells of a limited area next to the middles of the stations' cells, each once.

    Parameters
    ----------
    domain : of the area's cells
    """
    row, column = torch.tensor(CELLS, dtype=torch.float64).T
    lat, lon = (row + 0.5) * 180.0 / SHAPE[0] - 90.0, (column + 0.5) * 360.0 / SHAPE[1]
    stand = Domain((1, len(CELLS)), lon.to(domain.longitude), lat.to(domain.latitude), torch.ones(len(CELLS)))
    both = Domain((1, 0), *(torch.cat(pair) for pair in zip(stand[1:], domain[1:], strict=True)))
    n = len(CELLS)
    near = both.distance(torch.arange(n), torch.arange(n, n + domain.longitude.numel())).min(1)
    size = torch.sqrt(domain.area.max())  # further than that from the next cell a station is outside
    found: Tensor = torch.unique(near.indices[near.values < size])
    return found
