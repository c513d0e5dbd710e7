# SPDX-License-Identifier: BSD-3-Clause
"""The recurrent network: gates from a small network of each layer, carried down and then up through the column.

As in Ukkonen (2022, J. Adv. Model. Earth Syst. 14) the state runs through the column as radiation does, so that the
conditions at the top and at the ground are built in and any number of layers will do. The recurrence is linear in its
state with gates that depend on the layer only (Feng et al. 2024, minGRU; Martin & Cundy 2018),

    h(k) = f(k) h(k-1) + (1 - f(k)) c(k),

which is Schwarzschild's equation with the transmissivity as the gate: each unit is a learned class of absorption
(Goody et al. 1989, correlated k), its Planck share learned too. In the shortwave the gates are the reflection and
transmission of layers (Meador & Weaver 1980, with the coefficients of Zdunkowski et al. 1980), combined by adding
(Lacis & Hansen 1974). The matrix products of all layers are one; only products by element follow the column.
"""

import torch
from torch import nn

from components.science.constants import STEFAN_BOLTZMANN

from .inputs import PRESSURE_UNIT, T_MIDDLE, Inputs, RadiationNetwork, layer_features

DIFFUSIVITY_PADE = 0.278  # of the source's change through a layer (Clough et al. 1992)


class LayerNetwork(nn.Module):
    """Logarithm of the absorption of each class from the features of a layer."""

    def __init__(self, hidden: int, classes: int, spread: tuple[float, float]):
        super().__init__()
        last = nn.Linear(hidden, classes)
        self.net = nn.Sequential(nn.Linear(8, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), last)
        with torch.no_grad():
            last.weight.mul_(0.5)
            last.bias.copy_(torch.linspace(*spread, classes))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(nlev, n, 8) to (nlev, n, classes)."""
        made: torch.Tensor = self.net(features)
        return made


class Longwave(nn.Module):
    """Fluxes up and down (nlev+1, n) W m-2."""

    def __init__(self, hidden: int = 32, classes: int = 16):
        super().__init__()
        self.absorption = LayerNetwork(hidden, classes, (-6.0, 5.0))
        self.planck = nn.Parameter(torch.zeros(3, classes))
        self.liquid, self.ice = (nn.Parameter(torch.full((classes,), a)) for a in (5.0, 3.8))

    def share(self, t: torch.Tensor) -> torch.Tensor:
        """Emission sigma T^4 by class (..., classes)."""
        y = ((t - T_MIDDLE) / 50.0)[..., None]
        weights = torch.softmax(self.planck[0] + y * (self.planck[1] + y * self.planck[2]), dim=-1)
        t2 = t * t
        return weights * (STEFAN_BOLTZMANN * t2 * t2)[..., None]

    def forward(self, x: Inputs, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Down from the cold sky, then up from the ground.

        Parameters
        ----------
        x : columns and gases
        features : (nlev, n, 8)
        """
        c = x.columns
        dp = ((c.p_interface[:-1] - c.p_interface[1:]) / PRESSURE_UNIT)[..., None]
        depth = dp * torch.exp(torch.clamp(self.absorption(features), max=12.0))
        depth = depth + c.liquid[..., None] * torch.exp(self.liquid) + c.ice[..., None] * torch.exp(self.ice)
        gate = torch.exp(-depth)
        part = DIFFUSIVITY_PADE * depth / (1.0 + DIFFUSIVITY_PADE * depth)
        layer, edge = self.share(c.t), self.share(c.t_interface)
        new_down = (1.0 - gate) * (layer + part * (edge[:-1] - layer))
        new_up = (1.0 - gate) * (layer + part * (edge[1:] - layer))
        state = torch.zeros_like(layer[0])
        down = [state]
        for f, a in zip(gate.flip(0), new_down.flip(0), strict=True):
            state = f * state + a
            down.append(state)
        emissivity = c.emissivity[:, None]
        state = emissivity * self.share(c.t_surface) + (1.0 - emissivity) * state
        up = [state]
        for f, a in zip(gate, new_up, strict=True):
            state = f * state + a
            up.append(state)
        return torch.stack(up).sum(-1), torch.stack(down[::-1]).sum(-1)


class Shortwave(nn.Module):
    """Fluxes up and down (nlev+1, n) as parts of the incoming flux."""

    def __init__(self, hidden: int = 32, classes: int = 16):
        super().__init__()
        self.absorption = LayerNetwork(hidden, classes, (-9.0, 1.0))
        self.incoming = nn.Parameter(torch.linspace(0.0, -3.0, classes))
        self.rayleigh = nn.Parameter(torch.linspace(-3.0, -6.0, classes))
        # extinction (ln m2 kg-1), single-scattering co-albedo and asymmetry (logits) of drops and crystals
        lost = torch.linspace(-10.0, -3.0, classes)[None] * torch.tensor([[0.0], [1.0], [0.0]])
        self.liquid = nn.Parameter(torch.tensor([[5.0], [0.0], [1.7]]) + lost)
        self.ice = nn.Parameter(torch.tensor([[3.8], [0.5], [1.2]]) + lost)

    def forward(self, x: Inputs, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Reflection of everything below from the ground up, then fluxes from the sun down.

        Parameters
        ----------
        x : columns and gases, of columns in the sun
        features : (nlev, n, 8)
        """
        c = x.columns
        dp = ((c.p_interface[:-1] - c.p_interface[1:]) / PRESSURE_UNIT)[..., None]
        absorbed = dp * torch.exp(torch.clamp(self.absorption(features), max=10.0))
        scattered = dp * torch.exp(self.rayleigh)
        forward = torch.zeros_like(scattered)
        for path, optics in ((c.liquid, self.liquid), (c.ice, self.ice)):
            depth = path[..., None] * torch.exp(optics[0])
            lost = torch.sigmoid(optics[1])
            absorbed = absorbed + depth * lost
            scattered = scattered + depth * (1.0 - lost)
            forward = forward + depth * ((1.0 - lost) * torch.sigmoid(optics[2]))
        mu = torch.clamp(c.mu, min=2e-3)[:, None]
        reflect, transmit, reflect_sun, transmit_sun, beam = _two_stream(absorbed, scattered, forward, mu)
        sun = torch.softmax(self.incoming, dim=0).expand(reflect.shape[1:])
        direct = [sun]
        for f in beam.flip(0):
            direct.append(direct[-1] * f)
        direct = direct[::-1]
        albedo = c.albedo[:, None]
        mirror, source = [albedo.expand(sun.shape)], [albedo * direct[0]]
        share = []
        for k in range(reflect.shape[0]):
            between = 1.0 / (1.0 - mirror[k] * reflect[k])
            share.append(between)
            through = transmit[k] * between
            lit = direct[k + 1]
            source.append(reflect_sun[k] * lit + through * (source[k] + mirror[k] * transmit_sun[k] * lit))
            mirror.append(reflect[k] + transmit[k] * through * mirror[k])
        diffuse = torch.zeros_like(sun)
        up, down = [mirror[-1] * diffuse + source[-1]], [direct[-1]]
        for k in range(reflect.shape[0] - 1, -1, -1):
            lit = transmit_sun[k] * direct[k + 1]
            diffuse = (transmit[k] * diffuse + reflect[k] * source[k] + lit) * share[k]
            up.append(mirror[k] * diffuse + source[k])
            down.append(diffuse + direct[k])
        return torch.stack(up[::-1]).sum(-1), torch.stack(down[::-1]).sum(-1)


def _two_stream(
    absorbed: torch.Tensor, scattered: torch.Tensor, forward: torch.Tensor, mu: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Reflection and transmission of layers for diffuse light, of the beam into diffuse light, and of the beam.

    Optical depths of absorption and scattering, the latter's part that goes on (delta-scaled: Joseph et al. 1976).
    """
    g = forward / scattered
    kept = scattered * (1.0 - g * g)
    depth = absorbed + kept
    albedo = torch.clamp(kept / depth, max=0.99999)
    g = g / (1.0 + g)
    gamma_1 = 2.0 - albedo * (1.25 + 0.75 * g)
    gamma_2 = 0.75 * albedo * (1.0 - g)
    gamma_3 = 0.5 - 0.75 * g * mu
    gamma_4 = 1.0 - gamma_3
    k = torch.sqrt(torch.clamp((gamma_1 - gamma_2) * (gamma_1 + gamma_2), min=1e-6))
    beam = torch.exp(-torch.clamp(depth / mu, max=60.0))
    e = torch.exp(-torch.clamp(k * depth, max=30.0))
    e2 = e * e
    divided = 1.0 / (k + gamma_1 + (k - gamma_1) * e2)
    reflect = gamma_2 * (1.0 - e2) * divided
    transmit = 2.0 * k * e * divided
    k_mu = k * mu
    resonance = 1.0 - k_mu * k_mu
    resonance = torch.where(resonance.abs() < 2e-3, 2e-3, resonance)
    alpha_1 = gamma_1 * gamma_4 + gamma_2 * gamma_3
    alpha_2 = gamma_1 * gamma_3 + gamma_2 * gamma_4
    factor = albedo * divided / resonance
    k_g3, k_g4 = k * gamma_3, k * gamma_4
    reflect_sun = factor * (
        (1.0 - k_mu) * (alpha_2 + k_g3)
        - (1.0 + k_mu) * (alpha_2 - k_g3) * e2
        - 2.0 * (k_g3 - alpha_2 * k_mu) * e * beam
    )
    transmit_sun = -factor * (
        ((1.0 + k_mu) * (alpha_1 + k_g4) - (1.0 - k_mu) * (alpha_1 - k_g4) * e2) * beam
        - 2.0 * (k_g4 + alpha_1 * k_mu) * e
    )
    # rounding and the resonance must not make light
    room = 1.0 - beam
    reflect_sun = torch.minimum(torch.clamp(reflect_sun, min=0.0), room)
    transmit_sun = torch.minimum(torch.clamp(transmit_sun, min=0.0), room - reflect_sun)
    return reflect, transmit, reflect_sun, transmit_sun, beam


class RecurrentRadiation(RadiationNetwork):
    """Longwave W m-2 and shortwave as part of the incoming flux: ``lw_up, lw_down, sw_up, sw_down`` (nlev+1, n)."""

    def __init__(self, hidden: int = 32, classes: int = 16):
        super().__init__()
        self.longwave, self.shortwave = Longwave(hidden, classes), Shortwave(hidden, classes)

    def long(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Longwave fluxes up and down."""
        fluxes: tuple[torch.Tensor, torch.Tensor] = self.longwave(x, layer_features(x))
        return fluxes

    def short(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Shortwave fluxes up and down of columns in the sun."""
        fluxes: tuple[torch.Tensor, torch.Tensor] = self.shortwave(x, layer_features(x))
        return fluxes
