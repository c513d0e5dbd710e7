# SPDX-License-Identifier: BSD-3-Clause
"""A case on this project's air: brightness temperatures of RRTMGP's longwave bands over East Asian columns.

Columns are those of this project's runs, with their clouds, of which no method is told. A background is the truth with
errors that are smooth in ln p; the imager has noise and a bias of its own in each band.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.ml_surrogates import drawn_columns
from components.ml_surrogates.course import fit
from components.ml_surrogates.data_assimilation.learned.network import Fusion
from components.radiation.rrtmgp_scheme import Rrtmgp
from components.radiation.scheme import Air

Array = npt.NDArray[np.float64]
ERRORS = {"t": 1.5, "ln_q": 0.35, "ground": 1.5}  # of the background: K, 1, K
LENGTH = 0.25  # of ln p, over which its errors are alike
NOISE, BIAS = 0.5, 1.0  # K, of the imager; of a band's bias the standard deviation
LEAST = 1e-7  # of vapour, kg/kg
CLOUDY = 1e-6  # condensate of a cloudy layer, kg/kg
LEARNED_FROM = 1500  # columns, at least, of the rival
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)


class Columns(NamedTuple):
    """Columns and what is seen of them.

    Attributes
    ----------
    air : (nz, 1, n)
    state : (n, 2 nz + 1) temperature of the layers (K), ln of their vapour, temperature of the ground (K)
    seen : (n, bands) brightness temperatures without noise and bias, K
    place : (n, 3) longitude, latitude, day of the run, scaled
    cloudy : (n,) bool; for scores alone
    """

    air: Air
    state: Tensor
    seen: Tensor
    place: Tensor
    cloudy: Tensor


@dataclass(frozen=True)
class Settings:
    """Of a training.

    Attributes
    ----------
    steps, batch, rate : of Adam
    width, blocks : of the network
    seed : of everything random
    """

    steps: int = 1000
    batch: int = 256
    rate: float = 2e-3
    width: int = 96
    blocks: int = 2
    seed: int = 1


def state_of(air: Air) -> Tensor:
    """States (n, 2 nz + 1) of columns (nz, 1, n)."""
    parts = [air.t[:, 0], torch.log(torch.clamp(air.q_v[:, 0], min=LEAST)), air.t_surface]
    return torch.cat(parts).T.float()


def air_of(state: Tensor, like: Air, *, clear: bool) -> Air:
    """Columns of states, with pressure and clouds of others, or without clouds.

    Parameters
    ----------
    state : (n, 2 nz + 1)
    like : columns
    clear : whether clouds are left out
    """
    n = like.t.shape[0]
    x = state.double().T[:, None]
    dry = torch.zeros_like(like.cloud)
    clouds = (dry, dry) if clear else (like.cloud, like.ice)
    return like._replace(t=x[:n], q_v=torch.exp(x[n : 2 * n]), t_surface=x[-1], cloud=clouds[0], ice=clouds[1])


def read(split: str, most: int, scheme: Rrtmgp, path: Path) -> Columns:
    """Columns of a split of a file, evenly over it, with what is seen of them.

    Parameters
    ----------
    split : train, validation or test
    most : how many at most
    scheme : the true operator
    path : file of columns
    """
    columns = drawn_columns.of_split(drawn_columns.read(path), split)
    n = columns["t"].shape[1]
    pick = np.linspace(0, n - 1, min(n, most)).astype(int)
    columns = {k: a[..., pick] for k, a in columns.items()}
    air = drawn_columns.air_of(columns, np.zeros(len(pick)))
    place = np.stack([(columns["longitude"] - 115) / 25, (columns["latitude"] - 30) / 15, columns["day"] / 5 - 1], 1)
    cloudy = (air.cloud + air.ice).amax((0, 1)) > CLOUDY
    return Columns(air, state_of(air), seen(scheme, air), torch.tensor(place, dtype=torch.float32), cloudy)


def seen(scheme: Rrtmgp, air: Air) -> Tensor:
    """Brightness temperatures (n, bands), K: the true operator."""
    return torch.tensor(scheme.at_the_top_by_band(air)[1].T, dtype=torch.float32)


def roots(c: Columns) -> Tensor:
    """Lower root (2 nz + 1, 2 nz + 1) of the covariance of the background's errors."""
    x = torch.log(c.air.p[:, 0].mean(-1))
    alike = torch.exp(-0.5 * ((x[:, None] - x[None]) / LENGTH).square()) + 1e-6 * torch.eye(len(x))
    root = torch.linalg.cholesky(alike).float()
    ground = torch.tensor([[ERRORS["ground"]]])
    whole: Tensor = torch.block_diag(ERRORS["t"] * root, ERRORS["ln_q"] * root, ground)
    return whole


def biases(bands: int) -> Tensor:
    """The imager's bias by band, K."""
    return BIAS * torch.randn(bands, generator=torch.Generator().manual_seed(7))


class Imager:
    """The networks with their scaling: one for what a background alone tells, one for what observations add to it.

    A column without observations gets the increment of the first alone, which is trained as if there were none.

    Parameters
    ----------
    c : columns of training
    s : settings
    """

    def __init__(self, c: Columns, s: Settings):
        torch.manual_seed(s.seed)
        fields, bands = c.state.shape[1], c.seen.shape[1]
        places = c.place.shape[1]
        self.blind = Fusion(0, fields, fields, places, s.width, s.blocks)
        self.seeing = Fusion(0, fields, fields, 2 * bands + places, s.width, s.blocks)
        self.root = roots(c)
        self.size = self.root.square().sum(1).sqrt()
        self.middle, self.spread = c.state.mean(0), torch.maximum(c.state.std(0), self.size)
        self.warm, self.swing = c.seen.mean(0), torch.clamp(c.seen.std(0), min=NOISE)

    def __call__(self, background: Tensor, value: Tensor, mask: Tensor, place: Tensor) -> Tensor:
        """Analyses (n, 2 nz + 1).

        Parameters
        ----------
        background : (n, 2 nz + 1)
        value, mask : (n, bands) K; one where something was seen
        place : (n, 3)
        """
        first, more = self.increments(background, value, mask, place)
        return background + self.size * (first + more)

    def increments(self, background: Tensor, value: Tensor, mask: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """What the background alone tells, and what the observations add, over the background's errors.

        Parameters
        ----------
        background, value, mask, place : of the call
        """
        x = (background - self.middle) / self.spread
        given = torch.cat([(value - self.warm) / self.swing * mask, mask, place], 1)
        return self.blind(x, place), mask.amax(1, keepdim=True) * self.seeing(x, given)

    def background(self, truth: Tensor, g: torch.Generator) -> Tensor:
        """Truths with errors."""
        return truth + torch.randn(truth.shape, generator=g) @ self.root.T


def observed(c: Columns, rows: Tensor, g: torch.Generator) -> Tensor:
    """What the imager gives (n, bands), with bias and noise, K."""
    clean = c.seen[rows]
    return clean + biases(clean.shape[1]) + NOISE * torch.randn(clean.shape, generator=g)


def train(c: Columns, s: Settings, *, sees: bool = True, tell: Callable[[str], None] = print) -> Imager:
    """A trained network.

    Parameters
    ----------
    c : columns of training
    s : settings
    sees : whether it is given observations; else the control twin CORR
    tell : takes a line of text after each tenth
    """
    made, g = Imager(c, s), torch.Generator().manual_seed(s.seed)

    def loss(n: int) -> Tensor:
        rows = torch.randint(len(c.state), (s.batch,), generator=g)
        truth, value = c.state[rows], observed(c, rows, g)
        background, mask = made.background(truth, g), torch.full_like(value, float(sees))
        wanted = (truth - background) / made.size
        first, more = made.increments(background, value * mask, mask, c.place[rows])
        alone: Tensor = (first - wanted).abs().mean()
        return alone + (first.detach() + more - wanted).abs().mean() if sees else alone

    fit(torch.nn.ModuleList([made.blind, made.seeing]), loss, s.steps, s.rate, 5.0, tell)
    return made


class Linear(NamedTuple):
    """The rival: a linear analysis of a background and its departures; where these fail a gross check, of the first.

    Attributes
    ----------
    mean, unit : (2 nz + 1,) of the backgrounds
    climate : (2 nz + 1, 2 nz + 1) increment for a background's scaled distance from the mean
    both : (2 nz + 1 + bands, 2 nz + 1) the same for that distance and the scaled departures
    middle, spread : (bands,) of the departures of clear columns, K: their bias is corrected
    check : spreads beyond which a column counts as cloudy, in any band
    """

    mean: Tensor
    unit: Tensor
    climate: Tensor
    both: Tensor
    middle: Tensor
    spread: Tensor
    check: float

    def scaled(self, background: Tensor, departures: Tensor) -> tuple[Tensor, Tensor]:
        """What the analysis is linear in.

        Parameters
        ----------
        background : (n, 2 nz + 1)
        departures : (n, bands) from the true operator under a clear sky, K
        """
        return (background - self.mean) / self.unit, (departures - self.middle) / self.spread

    def __call__(self, background: Tensor, departures: Tensor) -> Tensor:
        """Analyses (n, 2 nz + 1).

        Parameters
        ----------
        background, departures : see `scaled`
        """
        x, d = self.scaled(background, departures)
        good = (d.abs() < self.check).all(1, keepdim=True)
        dx: Tensor = torch.where(good, torch.cat([x, d], 1) @ self.both, x @ self.climate)
        return background + dx


def linear(truth: Tensor, background: Tensor, departures: Tensor) -> Linear:
    """The best linear analysis, its check and ridges chosen on half of the columns.

    Parameters
    ----------
    truth, background : (n, 2 nz + 1)
    departures : (n, bands) of the same columns, K
    """
    half = torch.arange(len(truth)) % 2 == 0
    error = truth - background
    size = error.std(0)
    middle = departures.median(0).values
    near = torch.ones(len(truth), dtype=torch.bool)
    for _ in range(8):  # clouds are cold: what lies far off is left out, again and again
        spread = 1.48 * (departures - middle).abs().median(0).values
        near = ((departures - middle).abs() < 2.0 * spread).all(1)
        middle = departures[near].mean(0)
    fields, bands = truth.shape[1], departures.shape[1]
    none = torch.zeros(fields + bands, fields)
    unit = torch.clamp(background.std(0), min=1e-6)
    plain = Linear(background.mean(0), unit, none[:fields], none, middle, departures[near].std(0), 0.0)
    x, d = plain.scaled(background, departures)

    def left(tried: Linear) -> float:
        return float(((tried(background, departures) - truth)[~half] / size).square().mean())

    first = min((plain._replace(climate=_ridge(x[half], error[half], ridge)) for ridge in RIDGES), key=left)
    kept = [(check, half & (d.abs() < check).all(1)) for check in (2.0, 3.0, 4.0, 6.0, 9.0)]
    tried = (
        first._replace(both=_ridge(torch.cat([x, d], 1)[good], error[good], ridge), check=check)
        for check, good in kept
        for ridge in RIDGES
    )
    return min(tried, key=left)


def _ridge(given: Tensor, wanted: Tensor, share: float) -> Tensor:
    """Weights (given, wanted) by least squares, with a ridge of a share of the mean variance."""
    a, b = given.double(), wanted.double()
    normal = a.T @ a
    more = share * normal.diagonal().mean() + torch.finfo(a.dtype).tiny
    weights: Tensor = torch.linalg.solve(normal + more * torch.eye(len(normal), dtype=a.dtype), a.T @ b)
    return weights.float()


def scores(
    s: Settings, c: Columns, test: Columns, scheme: Rrtmgp, tell: Callable[[str], None] = print
) -> dict[str, float]:
    """Train network and control, learn the rival, score all on columns of unseen places and days.

    Root mean squares of the errors over the background's own, all parts of the state alike, unless said.

    Parameters
    ----------
    s : settings
    c, test : columns of training and of the test
    scheme : the true operator
    tell : takes a line of text after each tenth
    """
    g = torch.Generator().manual_seed(1000 + s.seed)
    net, control = (train(c, s, sees=sees, tell=tell) for sees in (True, False))
    rival = _rival(net, c, scheme, g)
    rows = torch.arange(len(test.state))
    truth, value = test.state, observed(test, rows, g)
    background, all_seen = net.background(truth, g), torch.ones_like(value)
    none = torch.zeros_like(value)
    by_linear = rival(background, value - under_clear_sky(scheme, background, test, rows))
    nz = test.air.t.shape[0]

    def rms(x: Tensor, which: Tensor | slice = slice(None), part: slice = slice(None)) -> float:
        return float(((x - truth) / net.size)[which][:, part].square().mean().sqrt())

    def over(x: Tensor, which: Tensor | slice = slice(None), part: slice = slice(None)) -> float:
        return rms(x, which, part) / rms(background, which, part)

    with torch.no_grad():
        a = net(background, value, all_seen, test.place)
        blind = net(background, none, none, test.place)
        foreign = net(background, value.roll(len(value) // 2, 0), all_seen, test.place)
        corr = control(background, none, none, test.place)
        found = {
            "analysis": over(a), "CORR": over(corr), "linear": over(by_linear), "over CORR": over(a) / over(corr),
            "over linear": over(a) / over(by_linear), "no observations, over CORR": over(blind) / over(corr),
            "another column's": over(foreign), "temperature": over(a, part=slice(0, nz)),
            "vapour": over(a, part=slice(nz, 2 * nz)), "ground": over(a, part=slice(2 * nz, None)),
            "clear": over(a, ~test.cloudy), "under cloud": over(a, test.cloudy),
            "linear, under cloud": over(by_linear, test.cloudy),
        }  # fmt: skip
        found["1 K the right way"] = _right_way(net, scheme, test, background, value)
    return found


def under_clear_sky(scheme: Rrtmgp, background: Tensor, c: Columns, rows: Tensor) -> Tensor:
    """What the true operator makes of backgrounds without clouds (n, bands), K.

    Parameters
    ----------
    scheme : the true operator
    background : (n, 2 nz + 1)
    c : columns, of which the pressure is taken
    rows : (n,) which
    """
    return seen(scheme, air_of(background, c.air.each(lambda a: a[..., rows]), clear=True))


def _rival(net: Imager, c: Columns, scheme: Rrtmgp, g: torch.Generator) -> Linear:
    """The linear analysis, learned from columns of training."""
    rows = torch.arange(0, len(c.state), max(1, len(c.state) // LEARNED_FROM))
    truth = c.state[rows]
    background = net.background(truth, g)
    return linear(truth, background, observed(c, rows, g) - under_clear_sky(scheme, background, c, rows))


def _right_way(net: Imager, scheme: Rrtmgp, test: Columns, background: Tensor, value: Tensor) -> float:
    """Share of clear columns and bands in which 1 K more makes the analysis warmer in that band by the operator."""
    rows = torch.nonzero(~test.cloudy)[:40, 0]
    x, y, place, ones = background[rows], value[rows], test.place[rows], torch.ones_like(value[rows])
    before = under_clear_sky(scheme, net(x, y, ones, place), test, rows)
    right = []
    for band in range(y.shape[1]):
        warmer = y.clone()
        warmer[:, band] += 1.0
        after = under_clear_sky(scheme, net(x, warmer, ones, place), test, rows)
        right.append((after - before)[:, band] > 0.0)
    return float(torch.stack(right).float().mean())


def card(trainings: Sequence[Settings], sizes: tuple[int, int], path: Path, tell: Callable[[str], None] = print) -> str:
    """The model card in Markdown, a column a training.

    Parameters
    ----------
    trainings : settings of each
    sizes : columns of training and of the test
    path : file of columns
    tell : takes a line of text after each tenth
    """
    scheme, first = Rrtmgp(), trainings[0]
    c, test = (read(split, n, scheme, path) for split, n in zip(("train", "test"), sizes, strict=True))
    rows = [scores(s, c, test, scheme, tell) for s in trainings]
    lines = [
        "# Model card: learned assimilation, brightness temperatures over East Asian columns", "",
        f"{sizes[0]} columns of training, {sizes[1]} of unseen places and days; {first.steps} steps of {first.batch},"
        f" seeds {', '.join(str(s.seed) for s in trainings)}. Errors over the",
        "background's own, all layers of temperature and vapour and the ground alike, unless said.", "",
        "| | " + " | ".join(f"training {n + 1}" for n in range(len(rows))) + " | mean |",
        "|---" * (len(rows) + 2) + "|",
    ]  # fmt: skip
    for name in rows[0]:
        values = [r[name] for r in rows]
        lines.append(f"| {name} | " + " | ".join(f"{v:.3f}" for v in (*values, sum(values) / len(values))) + " |")
    return "\n".join(lines) + "\n"
