# SPDX-License-Identifier: BSD-3-Clause
"""Rate constants of a mechanism's reactions, in units of mol m-3 and s.

ARRHENIUS: k = A exp(C / T) (T / D)^B (1 + E p), p in Pa. TROE: with the air M in mol m-3,
k = k0 M / (1 + k0 M / kinf) Fc^(1 / (1 + (log10(k0 M / kinf))^2 / N)), where k0 and kinf = A exp(C / T) (T / 300)^B
(Troe 1983, Ber. Bunsenges. Phys. Chem. 87, in the form of MICM).
"""

import math
from collections.abc import Mapping

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
        self._plain = _Family(plain, "", "D")
        self._pressed = [(n, r.parameters["E"]) for n, r in arrhenius if r.parameters["E"] != 0.0]
        self._with_pressure = _Family([(n, r) for n, r in arrhenius if r.parameters["E"] != 0.0], "", "D")
        troe = [(n, r) for n, r in reactions if r.kind == "TROE"]
        self._low, self._high = _Family(troe, "k0_", ""), _Family(troe, "kinf_", "")
        self._broadening = [(math.log(r.parameters["Fc"]), 1.0 / r.parameters["N"]) for _, r in troe]
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
        parts: dict[int, Tensor] = {}
        parts |= self._plain.at(inverse, log_t)
        pressed = self._with_pressure.at(inverse, log_t)
        parts |= {n: pressed[n] * (1.0 + e * pressure) for n, e in self._pressed}
        low, high = self._low.at(inverse, log_t), self._high.at(inverse, log_t)
        for (n, k0), (log_fc, inverse_n) in zip(low.items(), self._broadening, strict=True):
            ratio = k0 * air / high[n]
            decades = torch.log10(ratio)
            parts[n] = k0 * air / (1.0 + ratio) * torch.exp(log_fc / (1.0 + inverse_n * decades * decades))
        for n, name, factor in self._given:
            value = torch.as_tensor(given.get(name, 0.0), dtype=temperature.dtype, device=temperature.device)
            parts[n] = (factor * value).expand(temperature.shape)
        for n, many in self._bodies:
            for _ in range(many):
                parts[n] = parts[n] * air
        return torch.stack([parts[n] for n in range(len(self.mechanism.reactions))])


class _Family:
    """Constants A exp(C / T) (T / D)^B of several reactions."""

    def __init__(self, reactions: list[tuple[int, Reaction]], prefix: str, reference: str):
        self.entries = []
        for n, r in reactions:
            a, b, c = (r.parameters[prefix + key] for key in "ABC")
            d = r.parameters[reference] if reference else 300.0
            self.entries.append((n, a, b, c, math.log(d)))

    def at(self, inverse: Tensor, log_t: Tensor) -> dict[int, Tensor]:
        out = {}
        for n, a, b, c, log_d in self.entries:
            if b == 0.0 and c == 0.0:
                out[n] = torch.full_like(inverse, a)
            else:
                exponent = c * inverse if b == 0.0 else c * inverse + b * (log_t - log_d)
                out[n] = a * torch.exp(exponent)
        return out
