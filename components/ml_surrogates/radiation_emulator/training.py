# SPDX-License-Identifier: BSD-3-Clause
"""Training: the loss, the loop with early stopping, and what it says on the way."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from components.ml_surrogates.course import rate_at
from components.ml_surrogates.progress import left
from components.radiation.scheme import heating_rate

from .dataset import Batch
from .inputs import RadiationNetwork

DAY = 86400.0
COUNTED = 400.0  # Pa; heating above it counts little
HEATING_SCALE, FLUX_SCALE = 0.25, 2.0  # K/day and W m-2 that weigh the same
FORCING_SCALE = 0.4  # W m-2, of what other gases change at the top (after Ukkonen & Hogan 2023)


def errors(
    up: torch.Tensor, down: torch.Tensor, true_up: torch.Tensor, true_down: torch.Tensor, p_interface: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Errors of the fluxes (W m-2) and of the heating (K/day).

    Parameters
    ----------
    up, down : (nlev+1, n) fluxes of the network, W m-2
    true_up, true_down : (nlev+1, n) right ones, W m-2
    p_interface : (nlev+1, n) Pa
    """
    wrong_up, wrong_down = up - true_up, down - true_down
    return wrong_up, wrong_down, DAY * heating_rate(wrong_up - wrong_down, p_interface)


def loss_of(
    up: torch.Tensor,
    down: torch.Tensor,
    true_up: torch.Tensor,
    true_down: torch.Tensor,
    b: Batch,
    heated: bool = True,
) -> torch.Tensor:
    """Squares of the errors of all fluxes, of those that leave the column (twice as heavy), and of the heating.

    Heating is the flux divergence, so that thin layers weigh what they weigh in a run; above 4 hPa, and beyond four
    times the scale, it counts less. Pairs of columns add the error of their difference at the top.

    Parameters
    ----------
    up, down : (nlev+1, n) fluxes of the network, W m-2
    true_up, true_down : (nlev+1, n) right ones, W m-2
    b : the columns
    heated : whether the heating counts
    """
    p_i = b.x.columns.p_interface
    wrong_up, wrong_down, heating = errors(up, down, true_up, true_down, p_i)
    weight = torch.where(b.x.columns.p > COUNTED, b.x.columns.p.new_tensor(1.0), 0.02)
    size = torch.clamp(heating.abs() / HEATING_SCALE, max=1e4)
    heat = weight * torch.where(size < 4.0, size * size, 8.0 * size - 16.0)
    fluxes = (wrong_up * wrong_up + wrong_down * wrong_down).mean()
    ends = (wrong_up[-1] * wrong_up[-1] + wrong_down[0] * wrong_down[0]).mean()
    loss = (fluxes + 2.0 * ends) / (FLUX_SCALE * FLUX_SCALE)
    if heated:
        loss = heat.mean() + loss
    if b.pairs:
        half = wrong_up.shape[1] // 2
        change = (wrong_up[-1, half:] - wrong_up[-1, :half]) / FORCING_SCALE
        loss = loss + (change * change).mean()
    return loss


def long_loss(net: RadiationNetwork, b: Batch, heated: bool = True) -> torch.Tensor:
    """Loss of the longwave; arguments as of `losses`."""
    up, down = net.long(b.x)
    return loss_of(up, down, b.lw_up, b.lw_down, b, heated)


def short_loss(net: RadiationNetwork, b: Batch, heated: bool = True) -> torch.Tensor:
    """Loss of the shortwave of the columns in the sun; arguments as of `losses`."""
    day = b.daylight()
    up, down = net.short(day.x)
    return loss_of(day.insolation * up, day.insolation * down, day.sw_up, day.sw_down, day, heated)


BANDS = {"longwave": long_loss, "shortwave": short_loss}
BOTH = tuple(BANDS)


def losses(
    net: RadiationNetwork, b: Batch, heated: bool = True, bands: tuple[str, ...] = BOTH
) -> tuple[torch.Tensor, ...]:
    """Losses of the bands.

    Parameters
    ----------
    net : network in training
    b : columns with the right fluxes
    heated : whether the heating counts
    bands : of `BANDS`
    """
    return tuple(BANDS[band](net, b, heated) for band in bands)


@dataclass
class Course:
    """What happened: losses of the bands by epoch, and the epoch whose weights were kept."""

    bands: tuple[str, ...] = BOTH
    train: list[tuple[float, ...]] = field(default_factory=list)
    validation: list[tuple[float, ...]] = field(default_factory=list)
    best: int = 0
    cpu_seconds: float = 0.0


def train(
    net: RadiationNetwork,
    data: list[Batch],
    held_out: list[Batch],
    epochs: int,
    seed: int,
    rate: float = 8e-3,
    patience: int = 15,
    tell: Callable[[str], None] = print,
    heated: bool = True,
    bands: tuple[str, ...] = BOTH,
) -> Course:
    """Adam with a cosine schedule; the weights of the best epoch on ``held_out`` are put into ``net``.

    Parameters
    ----------
    net : network, changed in place
    data : training batches
    held_out : validation batches
    epochs : passes through the batches at most
    seed : of their order
    rate : step of Adam at the start
    patience : epochs without a better one before it stops
    tell : takes a line of text after each epoch
    heated : whether the heating counts in the loss
    bands : whose weights are trained
    """
    generator = torch.Generator().manual_seed(seed)
    trained = [p for band in bands for p in getattr(net, band).parameters()]
    optimiser = torch.optim.Adam([p.requires_grad_() for p in trained], lr=rate)
    steps = epochs * len(data)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda n: rate_at(n, steps))
    course, best, kept = Course(bands), math.inf, copy.deepcopy(net.state_dict())
    started, cpu = time.monotonic(), time.process_time()
    for epoch in range(epochs):
        sums = torch.zeros(len(bands))
        for n in torch.randperm(len(data), generator=generator).tolist():
            optimiser.zero_grad(set_to_none=True)
            parts = losses(net, data[n], heated, bands)
            for part in parts:
                part.backward()
            for band in bands:  # apart, so that neither slows the other
                torch.nn.utils.clip_grad_norm_(getattr(net, band).parameters(), 20.0)
            optimiser.step()
            schedule.step()
            sums += torch.stack([part.detach() for part in parts])
        with torch.no_grad():
            got = torch.stack([torch.stack(losses(net, b, heated, bands)) for b in held_out]).mean(0)
        course.train.append(tuple((sums / len(data)).tolist()))
        course.validation.append(tuple(got.tolist()))
        now = float(got.sum())
        if now < best:
            best, kept, course.best = now, copy.deepcopy(net.state_dict()), epoch
        tell(
            f"epoch {epoch + 1:3d} of {epochs}: loss {_told(bands, course.train[-1])}, held out"
            f" {_told(bands, course.validation[-1])}{' *' if course.best == epoch else ''}"
            f"   {left(started, epoch + 1, epochs)}"
        )
        if epoch - course.best >= patience:
            tell(f"no better for {patience} epochs: stopped")
            break
    net.load_state_dict(kept)
    course.cpu_seconds = time.process_time() - cpu
    return course


def _told(bands: tuple[str, ...], values: tuple[float, ...]) -> str:
    return " ".join(f"{band} {value:.3f}" for band, value in zip(bands, values, strict=True))
