# SPDX-License-Identifier: BSD-3-Clause
"""Training: squared errors over rollouts of one to four steps, each field over its own change in six hours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from components.ml_surrogates.course import Fitted, fit
from components.ml_surrogates.forecast.network import ForecastNetwork, advance
from components.ml_surrogates.forecast.sampling import AHEAD, EVERY, HOURS, Samples
from components.ml_surrogates.forecast.state import dry_surface_pressure, levels_of
from coupler.errors import CaseError

SECONDS = HOURS * 3600.0

STATES, CELLS, FOLDS = 400, 100, 5  # of the linear map: states, cells of each, parts of the runs left out in turn
CHOICES = tuple((reach, ridge) for reach in (0, 1, 3) for ridge in (1e-2, 0.1, 1.0, 10.0))  # layers away, ridges
LEAST = 0.02  # of the humidity's largest change: a layer that hardly changes counts no more


@dataclass(frozen=True)
class Settings:
    """Of a training.

    Attributes
    ----------
    steps, batch, rate : of Adam
    curriculum : steps of the rollout, in equal parts of the training
    width, wider : of the network
    seed : of everything random
    """

    steps: int = 1000
    batch: int = 6
    rate: float = 2e-3
    curriculum: Sequence[int] = (1, 1, 1, 2, 3, 4)
    width: int = 32
    wider: int = 64
    seed: int = 1


def untrained(s: Samples, settings: Settings) -> ForecastNetwork:
    """A network with the scaling of samples."""
    net = ForecastNetwork(levels_of(s.states), settings.width, settings.wider)
    around = (0, 1, 3, 4)
    change = (s.states[:, AHEAD:] - s.states[:, :-AHEAD])[..., s.at.inside].square().mean((0, 1, 3)).sqrt()
    spread = s.states.std(around)
    q = slice(net.levels, 2 * net.levels)
    for a in (change, spread):
        a[q] = torch.clamp(a[q], min=LEAST * float(a[q].max()))
    for mine, value in ((net.middle, s.states.mean(around)), (net.spread, spread), (net.change, change)):
        mine.copy_(value)
    return net


@torch.no_grad()
def fit_linear(net: ForecastNetwork, s: Samples, seed: int) -> tuple[int, float]:
    """Set the network's linear map by least squares: the change of a cell from what is given in the 3 x 3 cells around.

    The layers it sees and the ridge are those with the least error on runs left out in turn.

    Parameters
    ----------
    net : changed in place
    s : samples
    seed : of the states and cells taken

    Returns
    -------
    choice : layers away, and the ridge as a share of the inputs' mean variance
    """
    g = torch.Generator().manual_seed(seed)
    folds = min(FOLDS, len(s.states))
    parts = [_equations(net, s._replace(states=s.states[n::folds]), STATES // folds, g) for n in range(folds)]
    normal, right = (torch.stack([part[k] for part in parts]).sum(0) for k in (0, 1))
    choice = CHOICES[0]
    if folds > 1:
        errors = {}
        for c in CHOICES:
            errors[c] = 0.0
            for n, r in parts:
                w = _solved(normal - n, right - r, net.levels, c)
                errors[c] += float((w * (n @ w - 2.0 * r)).sum())
        choice = min(errors, key=lambda c: errors[c])
    weights = _solved(normal, right, net.levels, choice).float()
    net.linear.weight.copy_(weights[:-1].T.reshape(net.linear.weight.shape))
    net.linear.get_parameter("bias").copy_(weights[-1])
    return choice


def _equations(net: ForecastNetwork, s: Samples, number: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Normal matrix and right side of the least squares, of some states."""
    runs, times = s.states.shape[:2]
    ny, nx = s.at.rim.shape
    inputs = 9 * (2 * (4 * net.levels + 1) - 1) + 1
    normal = torch.zeros((inputs, inputs), dtype=torch.float64)
    right = torch.zeros((inputs, 4 * net.levels + 1), dtype=torch.float64)
    for _ in range(number):
        run, n = int(torch.randint(runs, (), generator=g)), int(torch.randint(times - AHEAD, (), generator=g))
        x = s.states[run, n][None]
        cells = torch.randperm((ny - 2) * (nx - 2), generator=g)[:CELLS]
        around = functional.unfold(net.given(x, s.at, SECONDS), 3)[0, :, cells]
        a = torch.cat([around, torch.ones((1, len(cells)))])
        change = (s.states[run, n + AHEAD] - x[0]) / net.change[:, None, None]
        normal += (a @ a.T).double()
        right += (a @ change[:, 1:-1, 1:-1].flatten(1)[:, cells].T).double()
    return normal, right


def _solved(normal: Tensor, right: Tensor, levels: int, choice: tuple[int, float]) -> Tensor:
    """Weights by least squares: of layers at most some layers away, with a ridge of some share of the mean variance."""
    reach, share = choice
    layer = torch.arange(levels)
    taken = torch.cat([*(layer for _ in range(4)), torch.tensor([-1]), *(layer for _ in range(4))]).repeat_interleave(9)
    taken = torch.cat([taken, torch.tensor([-1])])  # the lowest pressure and the constant go everywhere
    given = torch.cat([*(layer for _ in range(4)), torch.tensor([0])])
    out = torch.zeros_like(right)
    for k in range(levels):
        rows = torch.nonzero((taken < 0) | ((taken - k).abs() <= reach))[:, 0]
        columns = torch.nonzero(given == k)[:, 0]
        some = normal[rows][:, rows]
        some = some + share * some.diagonal().mean() * torch.eye(len(rows), dtype=some.dtype)
        out[rows[:, None], columns] = torch.linalg.solve(some, right[rows][:, columns])
    return out


def rollout(net: ForecastNetwork, x: Tensor, sides: Tensor, s: Samples, steps: int) -> Tensor:
    """States (steps, n, 4 nz + 1, ny, nx) between held sides.

    Parameters
    ----------
    net : trained, or in training
    x : (n, 4 nz + 1, ny, nx) where they begin
    sides : (n, 4 nz + 1, ny, nx)
    s : samples, of which the place is taken
    steps : of six hours
    """
    mass, out = dry_surface_pressure(sides, s.at), []
    for _ in range(steps):
        x = advance(net, x, sides, mass, s.at, SECONDS)
        out.append(x)
    return torch.stack(out)


def scaled_error(net: ForecastNetwork, x: Tensor, truth: Tensor, s: Samples) -> Tensor:
    """Errors (..., 4 nz + 1, cells inside) over the change in six hours."""
    return ((x - truth) / net.change[:, None, None])[..., s.at.inside]


def train(
    s: Samples, settings: Settings, tell: Callable[[str], None] = print, start: ForecastNetwork | None = None
) -> tuple[ForecastNetwork, Fitted]:
    """A network trained on samples.

    Parameters
    ----------
    s : samples
    settings : of the training
    tell : takes a line of text after each tenth
    start : a network to go on from; it is changed, its scaling stays

    Raises
    ------
    CaseError
        The runs are shorter than the longest rollout.
    """
    torch.manual_seed(settings.seed)
    g = torch.Generator().manual_seed(settings.seed)
    net = start
    if net is None:
        net = untrained(s, settings)
        fit_linear(net, s, settings.seed)
    runs, times = s.states.shape[:2]
    longest = AHEAD * max(settings.curriculum) + 1
    if times < longest:
        raise CaseError(
            f"expected runs of at least {longest * EVERY} h for rollouts of {max(settings.curriculum)} steps,"
            f" found {times * EVERY} h; sample longer ones (--days)"
        )

    def loss(n: int) -> Tensor:
        ahead = settings.curriculum[n * len(settings.curriculum) // settings.steps]
        run = torch.randint(runs, (settings.batch,), generator=g)
        first = torch.randint(times - AHEAD * ahead, (settings.batch,), generator=g)
        truth = torch.stack([s.states[run, first + AHEAD * (k + 1)] for k in range(ahead)])
        found = rollout(net, s.states[run, first], s.sides[run], s, ahead)
        return scaled_error(net, found, truth, s).square().mean()

    return net, fit(net, loss, settings.steps, settings.rate, 1.0, tell)
