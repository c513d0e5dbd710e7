# SPDX-License-Identifier: BSD-3-Clause
"""Training of both steps: each third of the records is guessed by a regression that never saw it.

What a regression leaves of records it was fitted to is smaller and less smooth than what it leaves of a weather it has
not seen; the width and the diffusion learn the latter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from components.ml_surrogates.course import fit
from coupler.errors import CaseError

from . import diffusion
from .scenes import Field, Scene
from .two_steps import PARTS, STEPS, Downscaling, Guess, Known, detail, roughness, with_lacking

WINDOW, BATCH = 32, 8
SOME = 24  # records drawn to compare their details
REGRESSION, DIFFUSION, RATE = 600, 2000, 2.0e-3


@dataclass
class Course:
    """How the trainings ended.

    Attributes
    ----------
    regression : of records not learned from, share that is left of the variance that splines lack, mean over the fields
    diffusion : mean loss of the last tenth of the steps
    """

    regression: float
    diffusion: float


def _turned(window: torch.Tensor, way: int) -> torch.Tensor:
    """A window (fields, y, x) in one of the eight ways to lay a square."""
    return torch.rot90(window.flip(-1) if way > 3 else window, way % 4, (-2, -1))


def _batch(records: torch.Tensor, factor: int, turned: bool, *arrays: torch.Tensor) -> list[torch.Tensor]:
    """The same windows of some arrays (n, fields, y, x), of random records."""
    found: list[list[torch.Tensor]] = [[] for _ in arrays]
    ends = [(arrays[0].shape[k] - WINDOW) // factor + 1 for k in (2, 3)]
    places = [factor * torch.randint(end, (BATCH,)) for end in ends]
    picked = records[torch.randint(len(records), (BATCH,))]
    for n, y, x, way in zip(picked, *places, torch.randint(8, (BATCH,)), strict=True):
        for some, a in zip(found, arrays, strict=True):
            window = a[n, :, y : y + WINDOW, x : x + WINDOW]
            some.append(_turned(window, int(way)) if turned else window)
    return [torch.stack(some) for some in found]


def train(
    scene: Scene, fields: Sequence[Field], seed: int, width: int = 12, regression: int = REGRESSION,
    draws: int = DIFFUSION, tell: Callable[[str], None] = lambda text: None, *, turned: bool = False,
    parts: int = PARTS,
) -> tuple[Downscaling, Course]:  # fmt: skip
    """The regressions, then the diffusion, on windows of the fields.

    Parameters
    ----------
    scene : fine fields; records of one weather side by side, for `parts` stretches of them are held out in turn
    fields : what they are
    seed : of weights, windows and noise
    width : channels of the networks
    regression, draws : steps of each regression, and of the diffusion
    tell : takes a line after each step
    turned : windows are also seen mirrored and turned, where no direction is another than the rest
    parts : regressions, no more than there are records

    Raises
    ------
    CaseError
        Fields smaller than a window.
    """
    if min(scene.fields.shape[-2:]) < WINDOW:
        ny, nx = scene.fields.shape[-2:]
        raise CaseError(f"expected at least {WINDOW} x {WINDOW} fine cells to learn from, found {ny} x {nx}")
    torch.manual_seed(seed)
    parts = min(parts, len(scene.fields))
    model = Downscaling(fields, scene.ground.shape[1], scene.factor, width, parts)
    bent = torch.tensor(model.bent(scene.fields), dtype=torch.float32)
    model.middle.copy_(bent.mean((0, 2, 3)))
    model.size.copy_(bent.std((0, 2, 3)))
    model.ground.copy_(torch.tensor(with_lacking(scene.ground, scene.factor)).std((0, 2, 3)).clamp(min=1e-6))
    rough = torch.tensor(roughness(model.bent(scene.coarse))).square().mean((0, 2, 3)).sqrt()
    model.rough.copy_(rough.float() / model.size)
    right = model.scaled(scene.fields)
    known = model.known(scene.coarse, scene.ground)
    lacking = (right - known.spread) / known.unit
    model.lost.copy_(lacking.std((0, 2, 3)))
    known = model.known(scene.coarse, scene.ground)
    wanted = (right - known.spread) / known.unit
    model.farthest.copy_(wanted.abs().amax((0, 2, 3)))

    def quiet(text: str) -> None:
        pass

    records = torch.arange(len(right))
    guesses = []
    for part in range(parts):
        held = records * parts // len(records) == part
        others = records if parts == 1 else records[~held]

        def mean_loss(step: int, part: int = part, others: torch.Tensor = others) -> torch.Tensor:
            seen, lacks = _batch(others, model.factor, turned, known.seen, wanted)
            ones = torch.ones_like(lacks)
            guess = model.guess(Known(torch.zeros_like(lacks), ones, seen), part)
            wrong = guess.mean - lacks
            likely = 0.5 * (wrong.detach() / guess.width).square() + torch.log(guess.width)
            return (wrong * wrong + likely).mean()

        fit(model.mean[part], mean_loss, regression, RATE, 1.0, quiet)
        with torch.no_grad():
            guesses.append(model.guess(Known(*(a[held] for a in known)), part))
    guess = Guess(*map(torch.cat, zip(*guesses, strict=True)))
    wrong = right - guess.mean
    left = (wrong / known.unit).square().mean((0, 2, 3)) / wanted.square().mean((0, 2, 3))
    tell(f"regression: of the variance that splines lack is left, in records not seen, {_list(left)}")
    rest = wrong / guess.width
    model.left.copy_(rest.square().mean((0, 2, 3)).sqrt())
    tell(f"errors over widths {_list(model.left)}")
    rest = rest / model.left[:, None, None]
    beside = model.beside(known, guess)

    def draw_loss(step: int) -> torch.Tensor:
        given, drawn = _batch(records, model.factor, turned, beside, rest)
        return diffusion.loss(model.rest, drawn, given)

    losses = fit(model.rest, draw_loss, draws, RATE, 1.0, quiet).losses
    some = records[:: max(1, len(records) // SOME)]
    drawn, right_ones = (
        detail(guess.width[some] * z).square().mean((0, 2, 3))
        for z in (diffusion.sample(model.rest, beside[some], len(fields), STEPS, seed), rest[some])
    )
    model.fine.copy_(torch.sqrt(right_ones / drawn.clamp(min=1e-12)))
    tell(f"diffusion: {losses[-1]:.4f}; details weakened to {_list(model.fine)}")
    return model.eval(), Course(float(left.mean()), losses[-1])


def _list(values: torch.Tensor) -> str:
    return ", ".join(f"{float(a):.3f}" for a in values)
