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
from components.ml_surrogates.data_assimilation.learned.imager_rival import Linear, linear
from components.ml_surrogates.data_assimilation.learned.network import Fusion, shown
from components.radiation.rrtmgp_scheme import Rrtmgp
from components.radiation.scheme import Air

Array = npt.NDArray[np.float64]
ERRORS = {"t": 1.5, "ln_q": 0.35, "ground": 1.5}  # of the background: K, 1, K
LENGTH = 0.25  # of ln p, over which its errors are alike
NOISE, BIAS = 0.5, 1.0  # K, of the imager; of a band's bias the standard deviation
NEWS = 1.0  # K: what differs by less from what was expected goes in as it is, more by its logarithm
EXPECTING = 0.3  # of the loss of what is expected, so that its gradient does not fill the clipped one
LEAST = 1e-7  # of vapour, kg/kg
CLOUDY = 1e-6  # condensate of a cloudy layer, kg/kg
LEARNED_FROM = 1500  # columns, at least, of the rival
TRIED = 40  # clear columns in which each band gets 1 K more


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

    steps: int = 1600
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
    """The networks with their scaling: what a background alone tells of the air and of the imager, what the rest adds.

    A column without observations gets the increment of the first alone, which is trained as if there were none. The
    second tells the median of what the imager gives over such a background, by learning alone: no operator goes in.
    What was seen beyond that is news (an innovation), and the third is given it on a scale that leaves clouds room: a
    kelvin beside tens of them.

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
        self.expecting = Fusion(0, fields, bands, places, s.width, s.blocks)
        self.seeing = Fusion(0, fields, fields, 3 * bands + places, s.width, s.blocks)
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
        x = self.scaled(background)
        first, more = self.blind(x, place), self.more(x, value, self.expected(x, place), mask, place)
        out: Tensor = background + self.size * (first + more)
        return out

    def scaled(self, background: Tensor) -> Tensor:
        """Backgrounds of order one."""
        return (background - self.middle) / self.spread

    def expected(self, x: Tensor, place: Tensor) -> Tensor:
        """What the imager gives over scaled backgrounds as a rule, (n, bands), K."""
        out: Tensor = self.warm + self.swing * self.expecting(x, place)
        return out

    def more(self, x: Tensor, value: Tensor, expected: Tensor, mask: Tensor, place: Tensor) -> Tensor:
        """What observations add to the increment of the background alone, over its errors.

        Parameters
        ----------
        x : (n, 2 nz + 1) scaled
        value, expected, mask : (n, bands) K; one where something was seen
        place : (n, 3)
        """
        news = torch.asinh((value - expected) / NEWS)
        given = torch.cat([shown((value - self.warm) / self.swing, mask), shown(news, mask), mask, place], 1)
        out: Tensor = mask.amax(1, keepdim=True) * self.seeing(x, given)
        return out

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
        wanted, x, place = (truth - background) / made.size, made.scaled(background), c.place[rows]
        first = made.blind(x, place)
        alone: Tensor = (first - wanted).abs().mean()
        if not sees:
            return alone
        expected = made.expected(x, place)
        surprise = ((expected - value) / NEWS).abs().mean()
        more = made.more(x, value, expected.detach(), mask, place)
        whole: Tensor = alone + EXPECTING * surprise + (first.detach() + more - wanted).abs().mean()
        return whole

    parts = [made.blind, made.expecting, made.seeing] if sees else [made.blind]
    fit(torch.nn.ModuleList(parts), loss, s.steps, s.rate, 5.0, tell)
    return made


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
        ones = torch.ones_like
        under = _clear_sky_of(scheme, background[_clear(test)], test)
        found["1 K the right way"] = _right_way(lambda x, y, p: net(x, y, ones(y), p), scheme, test, background, value)
        found["linear, 1 K the right way"] = _right_way(
            lambda x, y, p: rival(x, y - under), scheme, test, background, value
        )
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


def _clear(test: Columns) -> Tensor:
    """The clear columns in which 1 K is tried."""
    return torch.nonzero(~test.cloudy)[:TRIED, 0]


def _clear_sky_of(scheme: Rrtmgp, state: Tensor, test: Columns) -> Tensor:
    """What the true operator makes of states of `_clear` columns."""
    return under_clear_sky(scheme, state, test, _clear(test))


def _right_way(
    analysis: Callable[[Tensor, Tensor, Tensor], Tensor],
    scheme: Rrtmgp,
    test: Columns,
    background: Tensor,
    value: Tensor,
) -> float:
    """Share of clear columns and bands in which 1 K more makes the analysis warmer in that band by the operator."""
    rows = _clear(test)
    x, y, place = background[rows], value[rows], test.place[rows]
    before = _clear_sky_of(scheme, analysis(x, y, place), test)
    right = []
    for band in range(y.shape[1]):
        warmer = y.clone()
        warmer[:, band] += 1.0
        after = _clear_sky_of(scheme, analysis(x, warmer, place), test)
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
