# SPDX-License-Identifier: BSD-3-Clause
"""Whether a step is short enough, and where a run broke.

Advection of fifth order with three Runge-Kutta stages bears a Courant number of 1.42 (Wicker & Skamarock 2002, Mon.
Wea. Rev. 130, 2088, table 1); that of the axes adds up.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.dynamics.tendencies import vertical_mass_flux
from coupler.component import Context
from coupler.errors import TesseraError
from coupler.files.restart import newest

INNER = slice(H, -H)
LIMIT = 1.42


class BlowUp(TesseraError):
    """The model has become unstable."""


def courant(g: Geometry, s: State, dt: float) -> torch.Tensor:
    """Courant number of the flow, the sum of the three axes' (nz, ny, nx): half of what crosses the faces of a cell."""
    through_x = (s.ru[:, INNER, INNER] * g.length_u[INNER, INNER]).abs()
    through_y = (s.rv[:, INNER, INNER] * g.length_v[INNER, INNER]).abs()
    aloft = vertical_mass_flux(g, s, H).abs()
    level = (through_x[..., 1:] + through_x[..., :-1] + through_y[:, 1:] + through_y[:, :-1]) * g.inverse_area[
        INNER, INNER
    ]
    return (0.5 * dt) * (level + aloft[1:] + aloft[:-1]) / (g.rho_base + s.rho)[:, INNER, INNER]


def warn_if_too_long(context: Context, g: Geometry, s: State, dt: float) -> float | None:
    """Say in the log where the step is too long, and which would do; the largest Courant number on the first rank."""
    whole = context.gather(courant(g, s, dt).amax(0).cpu().double().numpy())
    if whole is None:
        return None
    worst = float(whole.max())
    if worst > LIMIT:
        row, column = divmod(int(whole.argmax()), whole.shape[1])
        context.log(
            f"warning: Courant number {worst:.2f} in row {row}, column {column} ({_place(context, row, column)}):"
            f" a step of {dt:.0f} s is too long for this flow, take at most {0.9 * dt * LIMIT / worst:.0f} s"
        )
    return worst


def stop_if_unstable(context: Context, g: Geometry, s: State, text: str) -> None:
    """Stop where the state is no longer one.

    Raises
    ------
    BlowUp
        With field, level, cell, the time ``text`` before which it happened and the last good restart.
    """
    largest = float(s.rw.abs().max())
    if largest < 1.0e6 and bool(torch.isfinite(s.rtheta).all()):  # a NaN is not below either
        return
    mass = (g.rho_base + s.rho)[:, INNER, INNER]
    fields = {
        "vertical velocity": s.rw[:, INNER, INNER] * 2.0 / (mass[1:] + mass[:-1]),
        "potential temperature": (g.rtheta_base + s.rtheta)[:, INNER, INNER] / mass,
        "wind along x": s.ru[:, INNER, H : -H - 1] / mass,
        "wind along y": s.rv[:, H : -H - 1, INNER] / mass,
        "mass": mass,
    }
    name, field = next(
        ((n, a) for n, a in fields.items() if not bool(torch.isfinite(a).all())), next(iter(fields.items()))
    )
    where = int(torch.nan_to_num(field.abs(), nan=torch.inf).reshape(-1).argmax().item())
    level, rest = divmod(where, g.ny * g.nx)
    j, i = divmod(rest, g.nx)
    b = context.decomposition.block_of(context.rank)
    row, column = b.y0 + j, b.x0 + i
    raise BlowUp(
        f"the atmosphere became unstable before {text}: {name} {float(field[level, j, i]):.4g} at"
        f" {'interface' if name == 'vertical velocity' else 'level'} {level + 1}, row {row}, column {column}"
        f" ({_place(context, row, column)}); {_last_restart(context.folder)};"
        " take a shorter step or smooth the relief more"
    )


def _place(context: Context, row: int, column: int) -> str:
    lat, lon = context.grid.latitude[row, column], context.grid.longitude[row, column]
    return f"{abs(lat):.1f} {'N' if lat >= 0 else 'S'} {lon:.1f} E"


def _last_restart(folder: Path) -> str:
    last = newest(folder / "run" / "restart")
    return "there is no restart to go on from" if last is None else f"the last good restart is {last} (--continue)"


def step_problems(cells: Sequence[npt.NDArray[np.float64]], step: float, acoustic_steps: int) -> list[str]:
    """What is wrong with a time step: too long for sound in the smallest cell, or an odd number of acoustic steps.

    Parameters
    ----------
    cells : lengths of the cells along both axes, m
    step : time step, s
    acoustic_steps : in a time step
    """
    problems = []
    small = float(min(a.min() for a in cells))
    longest = 0.7 * small / 350.0 * acoustic_steps
    if step > longest:
        enough = 2 * int(np.ceil(step / longest * acoustic_steps / 2))
        problems.append(
            f"a step of {step} s with {acoustic_steps} acoustic steps is too long for cells of {small / 1e3:.1f} km:"
            f" at most {longest:.0f} s, or {enough} acoustic steps"
        )
    if acoustic_steps % 2:
        problems.append(f"acoustic_steps must be even, not {acoustic_steps}")
    return problems
