# SPDX-License-Identifier: BSD-3-Clause
"""The same mechanism integrated by musica (NCAR's MICM), to compare; for that it must be installed."""

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.chemistry.regional.gases.mechanism import Mechanism
from components.chemistry.regional.gases.rates import air_amount
from components.chemistry.regional.gases.solver import SolverFailure


def missing() -> str:
    """Why musica cannot be used; empty where it can."""
    return "" if find_spec("musica") else "backend: musica needs the package musica: pip install musica"


class MusicaSolver:
    """MICM's Rosenbrock solver with the interface of `GasSolver`.

    Parameters
    ----------
    paths : file of the mechanism, or files that are one together
    mechanism : the same, read
    rtol, atol : tolerances, the absolute one in mol m-3. They are set before the state is made: a state keeps those
        that it was made with, and the default, 1e-3 mol m-3, controls nothing
    cells : cells of one state; what is fastest depends on the processor's caches
    """

    def __init__(
        self,
        paths: Path | Sequence[Path],
        mechanism: Mechanism,
        rtol: float = 1.0e-3,
        atol: float = 1.0e-15,
        cells: int = 64,
    ):
        import musica
        from musica.micm.solver_parameters import RosenbrockSolverParameters

        self.mechanism, self.cells = mechanism, cells
        files = [paths] if isinstance(paths, Path) else list(paths)
        found = _merged([json.loads(path.read_text(encoding="utf-8")) for path in files])
        with TemporaryDirectory() as folder:  # MICM reads a file of the mechanism alone
            alone = Path(folder) / "mechanism.json"
            alone.write_text(json.dumps(found), encoding="utf-8")
            self._solver: Any = musica.MICM(config_path=str(alone), solver_type=musica.SolverType.rosenbrock)
        many = len(mechanism.species) + len(mechanism.third_bodies)
        self._solver.set_solver_parameters(
            RosenbrockSolverParameters(
                relative_tolerance=rtol, absolute_tolerances=[atol] * many, max_number_of_steps=100000
            )
        )
        self._states: dict[int, Any] = {}

    def advance(
        self,
        c: Tensor,
        temperature: Tensor,
        pressure: Tensor,
        given: Mapping[str, Tensor | float],
        seconds: float,
        step: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Concentrations after ``seconds``; see `GasSolver.advance`. ``step`` is handed back.

        Parameters
        ----------
        c : (species, nz, ...) mol m-3
        temperature, pressure : (nz, ...) K and Pa
        given : (nz, ...) rates from outside
        seconds : period, s
        step : not used

        Raises
        ------
        SolverFailure
            MICM does not converge.
        """
        shape, species = tuple(c.shape[1:]), c.shape[0]
        flat = c.detach().double().reshape(species, -1).numpy()
        t, p = (a.double().reshape(-1).numpy() for a in (temperature, pressure))
        air = air_amount(temperature.double(), pressure.double()).reshape(-1).numpy()
        outside = {k: torch.as_tensor(v, dtype=torch.float64).expand(shape).reshape(-1) for k, v in given.items()}
        out = np.empty_like(flat)
        for begin in range(0, flat.shape[1], self.cells):
            part = slice(begin, min(begin + self.cells, flat.shape[1]))
            state = self._state(part.stop - part.start)
            state.set_conditions(t[part].tolist(), p[part].tolist(), air[part].tolist())
            state.set_concentrations({s: flat[n, part].tolist() for n, s in enumerate(self.mechanism.species)})
            state.set_user_defined_rate_parameters({name: v[part].tolist() for name, v in outside.items()})
            result = self._solver.solve(state, float(seconds))
            if "Converged" not in str(result.state):
                place = tuple(int(i) for i in np.unravel_index(begin, shape))
                raise SolverFailure(
                    place, "", f"musica stopped with {result.state} in one of {self.cells} cells from here"
                )
            values = state.get_concentrations()
            for n, s in enumerate(self.mechanism.species):
                out[n, part] = values[s]
        return torch.from_numpy(out).reshape(c.shape).to(c), torch.zeros(()) if step is None else step

    def _state(self, cells: int) -> Any:
        if cells not in self._states:
            self._states[cells] = self._solver.create_state(cells)
        return self._states[cells]

    def step_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """MICM keeps its step sizes to itself; those of the state are zeros of the shape that `GasSolver` has.

        Parameters
        ----------
        shape : of the cells
        """
        return (1, *shape[1:])


def _merged(files: Sequence[Any]) -> Any:
    """One mechanism of several files: species and members of phases once, reactions one after the other."""
    first, *others = (f.get("mechanism", f) for f in files)
    for other in others:
        there = {s["name"] for s in first["species"]}
        first["species"] += [s for s in other["species"] if s["name"] not in there]
        gas, more = first["phases"][0]["species"], other["phases"][0]["species"]
        names = {s["name"] for s in gas}
        gas += [s for s in more if s["name"] not in names]
        first["reactions"] += other["reactions"]
    return first
