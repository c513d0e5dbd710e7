# SPDX-License-Identifier: BSD-3-Clause
"""The same mechanism and method in torch, for gradients and CUDA: dense linear systems, all cells with one step size.

The steps are chosen first, without gradients; what is differentiated is the run with these steps.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.chemistry.kernels.rosenbrock import GAMMA, LEAST, MOST, SAFETY
from components.chemistry.regional.gases.mechanism import Mechanism
from components.chemistry.regional.gases.rates import RateConstants
from components.chemistry.regional.gases.tables import tables

FIRST = 1.0e-6  # share of the period of the first step that is tried


class TorchSolver:
    """Rodas3 in torch.

    Parameters
    ----------
    mechanism : species and reactions
    rtol, atol : tolerances, by which steps are chosen; atol in mol m-3
    device : of the lists
    """

    def __init__(self, mechanism: Mechanism, rtol: float = 1.0e-3, atol: float = 1.0e-15, device: str = "cpu"):
        self.mechanism, self.rtol, self.atol = mechanism, rtol, atol
        self.rates = RateConstants(mechanism)
        t = tables(mechanism)
        n, reactions, partials = len(mechanism.species), len(mechanism.reactions), t.partial.shape[0]
        yields, entries = np.zeros((n, reactions)), np.zeros((n * n, partials))
        yields[t.term_species, t.term_reaction] = t.term_yield
        entries[t.place[t.term_entry], t.term_partial] = t.term_factor

        def to(a: Any) -> Tensor:
            return torch.as_tensor(a, device=device)

        self._yields, self._entries = to(yields), to(entries)
        self._reactant, self._partial = to(t.reactant).long(), to(t.partial).long()

    def tendency(self, k: Tensor, c: Tensor) -> Tensor:
        """Change of the species (species, cells), mol m-3 s-1.

        Parameters
        ----------
        k : (reactions, cells) rate constants
        c : (species, cells) mol m-3
        """
        y = torch.cat([c, torch.ones_like(c[:1])])
        a, b, d = self._reactant.unbind(1)
        return self._yields.to(c) @ (k * y[a] * y[b] * y[d])

    def jacobian(self, k: Tensor, c: Tensor) -> Tensor:
        """Derivatives of `tendency` (cells, species, species), s-1.

        Parameters
        ----------
        k : (reactions, cells) rate constants
        c : (species, cells) mol m-3
        """
        y = torch.cat([c, torch.ones_like(c[:1])])
        r, a, b = self._partial.unbind(1)
        n = c.shape[0]
        return (self._entries.to(c) @ (k[r] * y[a] * y[b])).T.reshape(-1, n, n)

    def one_step(self, k: Tensor, y: Tensor, h: float) -> tuple[Tensor, Tensor]:
        """Concentrations after a step, and the estimate of their error; the stages are those of the kernel.

        Parameters
        ----------
        k : (reactions, cells) rate constants
        y : (species, cells) mol m-3
        h : step, s
        """
        eye = torch.eye(y.shape[0], dtype=y.dtype, device=y.device)
        factors = torch.linalg.lu_factor(eye / (h * GAMMA) - self.jacobian(k, y))

        def solve(right: Tensor) -> Tensor:
            x: Tensor = torch.linalg.lu_solve(*factors, right.T.unsqueeze(-1))
            return x.squeeze(-1).T

        f = self.tendency(k, y)
        k1 = solve(f)
        k2 = solve(f + (4.0 / h) * k1)
        new = y + 2.0 * k1
        k3 = solve(self.tendency(k, new) + (k1 - k2) / h)
        new = new + k3
        k4 = solve(self.tendency(k, new) + (k1 - k2 - (8.0 / 3.0) * k3) / h)
        return new + k4, k4

    @torch.no_grad()
    def choose_steps(self, k: Tensor, c: Tensor, seconds: float) -> list[float]:
        """Step sizes that meet the tolerances in all cells, s.

        Parameters
        ----------
        k : (reactions, cells) rate constants
        c : (species, cells) mol m-3
        seconds : period, s

        Raises
        ------
        ValueError
            No step is short enough.
        """
        time, h, steps, rejected = 0.0, FIRST * seconds, [], False
        while seconds - time > 1.0e-9 * seconds:
            h = min(h, seconds - time)
            new, estimate = self.one_step(k, c, h)
            scaled = estimate / (self.atol + self.rtol * torch.maximum(c.abs(), new.abs()))
            error = float((scaled * scaled).mean(0).max().sqrt())
            if not np.isfinite(error) or error > 1.0:
                h *= max(LEAST, SAFETY / error ** (1.0 / 3.0)) if np.isfinite(error) else LEAST
                rejected = True
                if h < 1.0e-12 * seconds:
                    raise ValueError(f"no step meets the tolerance at {time:g} s of {seconds:g} s")
                continue
            steps.append(h)
            time, c = time + h, new
            share = min(MOST, max(LEAST, SAFETY / max(error, 1.0e-10) ** (1.0 / 3.0)))
            h, rejected = h * (min(share, 1.0) if rejected else share), False
        return steps

    def advance(self, k: Tensor, c: Tensor, seconds: float, steps: Sequence[float] | None = None) -> Tensor:
        """Concentrations after ``seconds``; differentiable by ``c`` and ``k``.

        Parameters
        ----------
        k : (reactions, cells) rate constants, of ``self.rates``
        c : (species, cells) mol m-3
        seconds : period, s
        steps : step sizes, s, whose sum is the period; None: those of `choose_steps`
        """
        for h in self.choose_steps(k.detach(), c.detach(), seconds) if steps is None else steps:
            c, _ = self.one_step(k, c, h)
        return c
