# SPDX-License-Identifier: BSD-3-Clause
"""Rate constants of a mechanism's reactions, in units of mol m-3 and s.

ARRHENIUS: k = A exp(C / T) (T / D)^B (1 + E p), p in Pa. TROE: with the air M in mol m-3,
k = k0 M / (1 + k0 M / kinf) Fc^(1 / (1 + (log10(k0 M / kinf))^2 / N)), where k0 and kinf = A exp(C / T) (T / 300)^B
(Troe 1983, Ber. Bunsenges. Phys. Chem. 87, in the form of MICM).
"""

import math
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

from components.chemistry.regional.gases.mechanism import Mechanism, Reaction
from components.science.constants import GAS_CONSTANT


def air_amount(temperature: Tensor, pressure: Tensor) -> Tensor:
    """Air in mol m-3 of an ideal gas.

    Parameters
    ----------
    temperature : K
    pressure : Pa
    """
    return pressure / (GAS_CONSTANT * temperature)


class RateConstants:
    """Computes the rate constants of all reactions at once.

    Parameters
    ----------
    mechanism : its reactions; a third body among the reactants multiplies the constant by the air
    """

    def __init__(self, mechanism: Mechanism):
        self.mechanism = mechanism
        reactions = list(enumerate(mechanism.reactions))
        arrhenius = [(n, r) for n, r in reactions if r.kind == "ARRHENIUS"]
        plain = [(n, r) for n, r in arrhenius if r.parameters["E"] == 0.0]
        pressed = [(n, r) for n, r in arrhenius if r.parameters["E"] != 0.0]
        self._plain, self._pressed = _Family(plain, "", "D"), _Family(pressed, "", "D")
        self._by_pressure = _column(r.parameters["E"] for _, r in pressed)
        troe = [(n, r) for n, r in reactions if r.kind == "TROE"]
        self._low, self._high = _Family(troe, "k0_", ""), _Family(troe, "kinf_", "")
        self._log_fc = _column(math.log(r.parameters["Fc"]) for _, r in troe)
        self._inverse_n = _column(1.0 / r.parameters["N"] for _, r in troe)
        self._given = [(n, r.name, r.parameters["scaling factor"]) for n, r in reactions if r.name]
        third = set(mechanism.third_bodies)
        self._bodies = [(n, m) for n, r in reactions if (m := sum(s in third for s in r.reactants))]

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
        for n, name, factor in self._given:
            if name in given:
                k[n] = factor * torch.as_tensor(given[name], dtype=t.dtype, device=t.device)
        for n, many in self._bodies:
            for _ in range(many):
                k[n] = k[n] * air
        return k


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
