# SPDX-License-Identifier: BSD-3-Clause
"""Rate constants of a mechanism's reactions, in units of mol m-3 and s.

ARRHENIUS: k = A exp(C / T) (T / D)^B (1 + E p), p in Pa. TROE: with the air M in mol m-3,
k = k0 M / (1 + k0 M / kinf) Fc^(1 / (1 + (log10(k0 M / kinf))^2 / N)), where k0 and kinf = A exp(C / T) (T / 300)^B
(Troe 1983, Ber. Bunsenges. Phys. Chem. 87, in the form of MICM). TERNARY_CHEMICAL_ACTIVATION: the same over M.
TUNNELING: k = A exp(-B / T + C / T^3). BRANCHED_NO_RO2: k = X exp(-Y / T) times the share of the nitrates, or of the
rest (`nitrate_weight`). SURFACE: k = 4 pi r^2 N / (r / D + 4 / (v gamma)) on N particles of radius r, with the gas's
diffusivity D and mean speed v = (8 R T / (pi m))^1/2 (Schwartz 1986; Seinfeld & Pandis 2006, ch. 12).
"""

import math
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

from components.chemistry.regional.gases.mechanism import (
    DIFFUSIVITY,
    MOLAR_MASS,
    NITRATE,
    Constant,
    Mechanism,
    Reaction,
)
from components.science.constants import AVOGADRO, GAS_CONSTANT

AIR_AS_THIRD_BODY = Constant(share=1.0)


def air_amount(temperature: Tensor, pressure: Tensor) -> Tensor:
    """Air in mol m-3 of an ideal gas.

    Parameters
    ----------
    temperature : K
    pressure : Pa
    """
    return pressure / (GAS_CONSTANT * temperature)


def nitrate_weight(n: float, temperature: Tensor | float, air: Tensor | float) -> Tensor:
    """Weight of the branch that makes organic nitrates beside that of 293 K and 2.45e19 molecules cm-3.

    Arey et al. (2001, J. Phys. Chem. A 105, 1020), with ``n`` heavy atoms: alpha / (1 + alpha / beta) .41^f.

    Parameters
    ----------
    n : heavy atoms besides the peroxy group's
    temperature : K
    air : mol m-3
    """
    t, m = torch.as_tensor(temperature, dtype=torch.float64), torch.as_tensor(air, dtype=torch.float64)
    low = 2.0e-22 * math.exp(n) * (m * (1.0e-6 * AVOGADRO))
    ratio = low / (0.43 * torch.exp(-8.0 * torch.log(t / 298.0)))
    decades = torch.log10(ratio)
    return low / (1.0 + ratio) * torch.exp(math.log(0.41) / (1.0 + decades * decades))


class RateConstants:
    """Computes the rate constants of all reactions at once.

    Parameters
    ----------
    mechanism : its reactions; a third body, or a constant species, among the reactants multiplies the constant
    """

    def __init__(self, mechanism: Mechanism):
        self.mechanism = mechanism
        reactions = list(enumerate(mechanism.reactions))
        arrhenius = [(n, r) for n, r in reactions if r.kind == "ARRHENIUS"]
        plain = [(n, r) for n, r in arrhenius if r.parameters["E"] == 0.0]
        pressed = [(n, r) for n, r in arrhenius if r.parameters["E"] != 0.0]
        self._plain, self._pressed = _Family(plain, "", "D"), _Family(pressed, "", "D")
        self._by_pressure = _column(r.parameters["E"] for _, r in pressed)
        troe = [(n, r) for n, r in reactions if r.kind in ("TROE", "TERNARY_CHEMICAL_ACTIVATION")]
        self._activated = [n for n, r in troe if r.kind == "TERNARY_CHEMICAL_ACTIVATION"]
        self._low, self._high = _Family(troe, "k0_", ""), _Family(troe, "kinf_", "")
        self._log_fc = _column(math.log(r.parameters["Fc"]) for _, r in troe)
        self._inverse_n = _column(1.0 / r.parameters["N"] for _, r in troe)
        self._tunnelling, self._branched, self._surface = (
            [(n, r) for n, r in reactions if r.kind == kind] for kind in ("TUNNELING", "BRANCHED_NO_RO2", "SURFACE")
        )
        self._given = [(n, r.name, f) for n, r in reactions if (f := r.parameters.get("scaling factor")) and r.name]
        held = {**mechanism.constants, **dict.fromkeys(mechanism.third_bodies, AIR_AS_THIRD_BODY)}
        self._held = [(n, held[s]) for n, r in reactions for s in r.reactants if s in held]

    def __call__(self, temperature: Tensor, pressure: Tensor, given: Mapping[str, Tensor | float]) -> Tensor:
        """Rate constants (reactions, *cells).

        Parameters
        ----------
        temperature : (*cells) K
        pressure : (*cells) Pa
        given : rates from outside by name, such as ``PHOTO.NO2`` in s-1 or ``EMIS.NO`` in mol m-3 s-1; what is left out
            is 0

        Raises
        ------
        KeyError
            A rate that the mechanism does not have.
        """
        unknown = sorted(set(given) - set(self.mechanism.given_rates))
        if unknown:
            raise KeyError(
                f"mechanism {self.mechanism.name} takes no rate {', '.join(unknown)};"
                f" it takes: {', '.join(self.mechanism.given_rates)}"
            )
        air = air_amount(temperature, pressure)
        inverse, log_t = 1.0 / temperature, torch.log(temperature)
        t = temperature

        def row(values: Tensor) -> Tensor:  # one number a reaction, for all cells
            return values.to(t).reshape(-1, *[1] * t.dim())

        k = t.new_zeros((len(self.mechanism.reactions), *t.shape))
        k[self._plain.numbers] = self._plain.at(inverse, log_t, row)
        k[self._pressed.numbers] = self._pressed.at(inverse, log_t, row) * (1.0 + row(self._by_pressure) * pressure)
        low = self._low.at(inverse, log_t, row) * air
        ratio = low / self._high.at(inverse, log_t, row)
        decades = torch.log10(ratio)
        narrower = torch.exp(row(self._log_fc) / (1.0 + row(self._inverse_n) * decades * decades))
        k[self._low.numbers] = low / (1.0 + ratio) * narrower
        for n in self._activated:
            k[n] = k[n] / air
        for n, r in self._tunnelling:
            a, b, c = (r.parameters[key] for key in "ABC")
            k[n] = a * torch.exp(-b * inverse + c * inverse * inverse * inverse)
        for n, r in self._branched:
            k[n] = self._of_branch(r, t, air)
        for n, r in self._surface:
            k[n] = self._on_particles(r, t, given)
        for n, name, factor in self._given:
            if name in given:
                k[n] = factor * torch.as_tensor(given[name], dtype=t.dtype, device=t.device)
        for n, there in self._held:
            k[n] = k[n] * (air if there.amount == 0.0 and there.share == 1.0 else there.amount + there.share * air)
        return k

    @staticmethod
    def _of_branch(r: Reaction, t: Tensor, air: Tensor) -> Tensor:
        p = r.parameters
        z = nitrate_weight(p["n"], 293.0, 2.45e25 / AVOGADRO) * ((1.0 - p["a0"]) / p["a0"])
        weight = nitrate_weight(p["n"], t, air).to(t)
        return p["X"] * torch.exp(-p["Y"] / t) * ((weight if p[NITRATE] else z.to(t)) / (weight + z.to(t)))

    @staticmethod
    def _on_particles(r: Reaction, t: Tensor, given: Mapping[str, Tensor | float]) -> Tensor:
        radius, number = (torch.as_tensor(given.get(name, 0.0), dtype=t.dtype, device=t.device) for name in r.given)
        p = r.parameters
        if p["reaction probability"] == 0.0:
            return torch.zeros_like(t)
        speed = torch.sqrt(8.0 * GAS_CONSTANT / (math.pi * p[MOLAR_MASS]) * t)
        slow = radius / p[DIFFUSIVITY] + 4.0 / (speed * p["reaction probability"])
        return 4.0 * math.pi * radius * radius * number / slow


def _column(values: Iterable[float]) -> Tensor:
    return torch.tensor(list(values), dtype=torch.float64)


class _Family:
    """Constants A exp(C / T) (T / D)^B of several reactions."""

    def __init__(self, reactions: list[tuple[int, Reaction]], prefix: str, reference: str):
        self.numbers = [n for n, _ in reactions]
        self._a, self._b, self._c = (_column(r.parameters[prefix + key] for _, r in reactions) for key in "ABC")
        self._log_d = _column(math.log(r.parameters[reference] if reference else 300.0) for _, r in reactions)

    def at(self, inverse: Tensor, log_t: Tensor, row: Callable[[Tensor], Tensor]) -> Tensor:
        """Constants (reactions, *cells)."""
        exponent = row(self._c) * inverse + row(self._b) * (log_t - row(self._log_d))
        return row(self._a) * torch.exp(exponent)
