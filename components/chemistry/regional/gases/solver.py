# SPDX-License-Identifier: BSD-3-Clause
"""Integration of a mechanism in all cells of a block, by compiled kernels.

Blocks of eight layers of one column share a step size; a block never crosses a column, so that neither ranks nor the
size of a rank's block change a bit.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.chemistry.kernels import rosenbrock
from components.chemistry.regional.gases.mechanism import KINDS, Mechanism, Reaction
from components.chemistry.regional.gases.rates import RateConstants
from components.chemistry.regional.gases.tables import net_yields, reactants, tables
from components.science.kernels.lanes import LANES
from coupler.errors import TesseraError
from coupler.made_once import compile_once

Reals = npt.NDArray[Any]
SHORTEST = 1.0e-10  # share of the period below which a step is given up
_integrate: Any = rosenbrock.integrate
CHUNK = 128  # columns whose rate constants are held at once
WHY = {
    rosenbrock.TOO_MANY: "more than {most} steps",
    rosenbrock.TOO_SHORT: "steps shorter than {shortest:.1e} s do not meet the tolerance",
    rosenbrock.NOT_FINITE: "values that are not finite",
}


class SolverFailure(TesseraError):
    """The mechanism could not be integrated in a cell.

    Parameters
    ----------
    cell : layer, row and column in the block of arrays
    species : the one to blame
    text : what happened, with the largest rates of that species
    """

    def __init__(self, cell: tuple[int, ...], species: str, text: str):
        self.cell, self.species, self.text = cell, species, text
        place = ", ".join(f"{word} {n + 1}" for word, n in zip(("layer", "row", "column"), cell, strict=False))
        super().__init__(f"gas chemistry: no solution in {place}: {text}")


def compile_kernels() -> None:
    """Compile what a run needs, in double precision: one step of one reaction in one cell."""
    decay = Mechanism("decay", ("A",), (Reaction("ARRHENIUS", ("A",), (), KINDS["ARRHENIUS"]),))
    one = torch.ones((1, 1), dtype=torch.float64)
    GasSolver(decay).advance(one[None], 300.0 * one, 1.0e5 * one, {}, 1.0)


class GasSolver:
    """Rodas3 with the mechanism's sparse Jacobian.

    Parameters
    ----------
    mechanism : species and reactions
    rtol : relative tolerance of a step
    atol : absolute tolerance, mol m-3; by species, where some need another
    precision : of the kernels
    most_steps : number of steps in a period after which a block is tried again, and then given up
    """

    def __init__(
        self,
        mechanism: Mechanism,
        rtol: float = 1.0e-3,
        atol: float | Mapping[str, float] = 1.0e-15,
        precision: Literal["double", "single"] = "double",
        most_steps: int = 1000,
    ):
        self.mechanism, self.rtol, self.most_steps = mechanism, rtol, most_steps
        self.real = np.float64 if precision == "double" else np.float32
        self.rates = RateConstants(mechanism)
        self._tables = tables(mechanism, self.real)
        by_name = atol if isinstance(atol, Mapping) else dict.fromkeys(mechanism.species, atol)
        self.atol = np.array([by_name.get(s, 1.0e-15) for s in mechanism.species], self.real)
        self.steps = 0
        """Steps of blocks, the rejected ones too, since the solver was made."""

    def step_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the step sizes of cells (nz, ...): one for each block of eight layers.

        Parameters
        ----------
        shape : of the cells
        """
        return (-(-shape[0] // LANES), *shape[1:])

    def advance(
        self,
        c: Tensor,
        temperature: Tensor,
        pressure: Tensor,
        given: Mapping[str, Tensor | float],
        seconds: float,
        step: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Concentrations after ``seconds`` of reactions at constant rates.

        Parameters
        ----------
        c : (species, nz, ...) mol m-3
        temperature, pressure : (nz, ...) K and Pa
        given : (nz, ...) rates from outside, see `RateConstants`
        seconds : period, s
        step : step sizes with which to begin (see `step_shape`), s; 0 or None: chosen

        Returns
        -------
        c, step : concentrations, and step sizes with which to go on

        Raises
        ------
        SolverFailure
            No solution, after a second attempt from shorter steps.
        ValueError
            Another number of species than the mechanism's, or temperatures or pressures of other cells.
        """
        wanted = (len(self.mechanism.species), *temperature.shape)
        if tuple(c.shape) != wanted or pressure.shape != temperature.shape:
            raise ValueError(
                f"gas chemistry: expected concentrations of shape {wanted}, found {tuple(c.shape)}, and pressures of"
                f" {tuple(temperature.shape)}, found {tuple(pressure.shape)}"
            )
        compile_once((rosenbrock.integrate,), compile_kernels, "the gas chemistry", 40, versions=1)
        shape = tuple(c.shape[1:])
        nz, columns = shape[0], int(np.prod(shape[1:], dtype=int))
        blocks = -(-nz // LANES)
        layers = torch.clamp(torch.arange(blocks * LANES), max=nz - 1)

        def turned(a: Tensor) -> Tensor:  # columns first, whole blocks
            return a.reshape(nz, columns).T[:, layers].contiguous()

        t, p = turned(temperature.double()), turned(pressure.double())
        varying = {k: turned(v.expand(shape)) for k, v in given.items() if isinstance(v, Tensor) and v.dim() > 0}
        fixed = {k: v for k, v in given.items() if k not in varying}
        old = c.detach().reshape(c.shape[0], nz, columns)
        new = torch.empty_like(old)
        first = np.zeros((columns, blocks)) if step is None else step.reshape(blocks, columns).T.numpy().copy()
        for begin in range(0, columns, CHUNK):
            part = slice(begin, min(begin + CHUNK, columns))
            k = self.rates(t[part], p[part], {**fixed, **{name: a[part] for name, a in varying.items()}})
            y = np.ones((c.shape[0] + 1, k.shape[1] * blocks, LANES), self.real)
            y[:-1] = old[:, layers, part].permute(0, 2, 1).reshape(y.shape[0] - 1, -1, LANES).numpy()
            constants = np.ascontiguousarray(k.reshape(k.shape[0], -1, LANES).numpy(), self.real)
            h = first[part].reshape(-1)
            self._integrate(constants, y, h, seconds, lambda n, b=begin: self._cell(b * blocks + n, blocks, shape))
            first[part] = h.reshape(-1, blocks)
            after = torch.from_numpy(y[:-1]).reshape(c.shape[0], -1, blocks * LANES)[:, :, :nz]
            new[:, :, part] = after.permute(0, 2, 1).to(new)
        return new.reshape(c.shape), torch.from_numpy(np.ascontiguousarray(first.T)).reshape(self.step_shape(shape))

    def _integrate(self, k: Reals, y: Reals, first: Reals, seconds: float, cell: Any) -> None:
        status, steps = np.zeros(first.size, np.int64), np.zeros(first.size, np.int64)
        shortest = SHORTEST * seconds
        _integrate(self._tables, k, y, first, seconds, self.rtol, self.atol, shortest, self.most_steps, status, steps)
        self.steps += int(steps.sum())
        failed = np.nonzero(status)[0]
        if failed.size == 0:
            return
        again = np.ascontiguousarray(y[:, failed])
        shorter, status, steps = np.full(failed.size, 10.0 * shortest), status[failed], steps[failed]
        shortest, most = 1.0e-3 * shortest, 20 * self.most_steps
        _integrate(
            self._tables, np.ascontiguousarray(k[:, failed]), again, shorter, seconds, self.rtol, self.atol, shortest,
            most, status, steps,
        )  # fmt: skip
        self.steps += int(steps.sum())
        y[:, failed], first[failed] = again, shorter
        if status.any():
            worst = int(np.nonzero(status)[0][0])
            n, why = int(failed[worst]), WHY[int(status[worst])].format(most=most, shortest=shortest)
            raise self._failure(k[:, n], y[:, n], seconds, why, lambda lane: cell(n)(lane))

    def _cell(self, block: int, blocks: int, shape: tuple[int, ...]) -> Any:
        column, b = divmod(block, blocks)
        place = tuple(int(i) for i in np.unravel_index(column, shape[1:])) if len(shape) > 1 else ()
        return lambda lane: (min(b * LANES + lane, shape[0] - 1), *place)

    def _failure(self, k: Reals, y: Reals, seconds: float, why: str, cell: Any) -> SolverFailure:
        """Name cell and species: a number that is none, or the species that changes most for its tolerance."""
        names = self.mechanism.species
        c: Any = y[:-1].astype(np.float64)
        padded: Reals = np.vstack([c, np.ones((1, LANES))])
        rate: Any = k.astype(np.float64)
        for r, members in enumerate(reactants(self.mechanism)):
            for s in members:
                rate[r] = rate[r] * padded[s]
        terms: list[list[tuple[int, float]]] = [[] for _ in names]
        change: Any = np.zeros_like(c)
        for r, yields in enumerate(net_yields(self.mechanism)):
            for s, amount in yields.items():
                terms[s].append((r, amount))
                change[s] = change[s] + amount * rate[r]
        with np.errstate(all="ignore"):
            badness: Any = np.abs(change) / (self.atol[:, None] + self.rtol * np.abs(c))
        badness = np.where(np.isfinite(badness), badness, np.inf)
        badness = np.where(np.isfinite(c), badness, np.nan)
        s, lane = (
            int(i)
            for i in np.unravel_index(
                int(np.argmax(np.isnan(badness)) if np.isnan(badness).any() else np.argmax(badness)), badness.shape
            )
        )
        sizes = [(r, amount * rate[r, lane]) for r, amount in terms[s]]
        largest = sorted(sizes, key=lambda a: -abs(a[1]) if np.isfinite(a[1]) else -np.inf)[:4]
        shown = "; ".join(f"{self.mechanism.reactions[r]}: {v:.3e}" for r, v in largest) or "none"
        text = (
            f"{why} within {seconds:g} s, also after a second attempt from shorter steps; {names[s]} ="
            f" {c[s, lane]:.6g} mol m-3 changes fastest for its tolerance; its largest rates in mol m-3 s-1: {shown}."
            " Look for rates or concentrations that are too large, or loosen rtol"
        )
        return SolverFailure(cell(int(lane)), names[s], text)
