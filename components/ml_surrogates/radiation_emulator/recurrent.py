# SPDX-License-Identifier: BSD-3-Clause
"""The recurrent network: gates from a small network of each layer, carried down and then up through the column.

As in Ukkonen (2022, J. Adv. Model. Earth Syst. 14) the state runs through the column as radiation does, so that the
conditions at the top and at the ground are built in and any number of layers will do. The recurrence is linear in its
state with gates that depend on the layer only (Feng et al. 2024, minGRU; Martin & Cundy 2018),

    h(k) = f(k) h(k-1) + (1 - f(k)) c(k),

which is Schwarzschild's equation with the transmissivity as the gate: each unit is a learned class of absorption
(Goody et al. 1989, correlated k), its Planck share learned too. In the shortwave the gates are the reflection and
transmission of layers (Meador & Weaver 1980, with the coefficients of Zdunkowski et al. 1980), combined by adding
(Lacis & Hansen 1974; see `adding`). Clear and cloudy parts of a layer have states of their own (see `overlap`). The
matrix products of all layers are one; only products by element follow the column.
"""

import torch
from torch import nn

from components.science.constants import STEFAN_BOLTZMANN

from .adding import added, two_stream
from .inputs import PRESSURE_UNIT, T_MIDDLE, Inputs, RadiationNetwork, layer_features
from .overlap import crossed, overlap_of

DIFFUSIVITY_PADE = 0.278  # of the source's change through a layer (Clough et al. 1992)
LOWEST_SUN = 2.0e-3  # cosine of the zenith angle of light that is slanted no more
ICE_DIAMETER = 80.0  # micrometres, about which the optics of cloud ice change with the logarithm of its diameter


def _weight(x: Inputs) -> torch.Tensor:
    """Weight of the layers (nlev, n, 1), in units of `PRESSURE_UNIT`."""
    p = x.columns.p_interface
    return ((p[:-1] - p[1:]) / PRESSURE_UNIT)[..., None]


class LayerNetwork(nn.Module):
    """Logarithm of the absorption of each class from the features of a layer."""

    def __init__(self, hidden: int, classes: int, spread: tuple[float, float]):
        super().__init__()
        last = nn.Linear(hidden, classes)
        self.net = nn.Sequential(nn.Linear(8, hidden), nn.Softsign(), nn.Linear(hidden, hidden), nn.Softsign(), last)
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
        # absorption of drops, crystals (with its change with the logarithm of their size) and snow, ln m2 kg-1
        self.liquid, self.ice, self.snow = (nn.Parameter(torch.full((classes,), a)) for a in (5.0, 3.8, 2.5))
        self.ice_by_size = nn.Parameter(torch.full((classes,), -1.0))

    def share(self, t: torch.Tensor) -> torch.Tensor:
        """Emission sigma T^4 by class (..., classes)."""
        y = ((t - T_MIDDLE) / 50.0)[..., None]
        weights = torch.softmax(self.planck[0] + y * (self.planck[1] + y * self.planck[2]), dim=-1)
        t2 = t * t
        return weights * (STEFAN_BOLTZMANN * t2 * t2)[..., None]

    def depth(self, x: Inputs, features: torch.Tensor) -> torch.Tensor:
        """Optical depth of the clear air (nlev, n, classes).

        Parameters
        ----------
        x : columns and gases
        features : (nlev, n, 8)
        """
        return _weight(x) * torch.exp(torch.clamp(self.absorption(features), max=12.0))

    def forward(self, x: Inputs, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Down from the cold sky, then up from the ground.

        Parameters
        ----------
        x : columns and gases
        features : (nlev, n, 8)
        """
        c = x.columns
        depth = self.depth(x, features)
        size = torch.log(x.ice_diameter / ICE_DIAMETER)[..., None]
        cloud = c.liquid[..., None] * torch.exp(self.liquid) + x.snow[..., None] * torch.exp(self.snow)
        cloud = cloud + c.ice[..., None] * torch.exp(self.ice + self.ice_by_size * size)
        layer, edge = self.share(c.t), self.share(c.t_interface)
        part = torch.stack([1.0 - c.fraction, c.fraction], dim=1)[..., None]
        gate, down_source, up_source = _emitted(torch.stack([depth, depth + cloud], dim=1), layer, edge, part)
        o = overlap_of(c.fraction, x.overlap)
        n = len(gate)
        state = torch.zeros_like(gate[0])
        down = [state]
        for k in range(n - 1, -1, -1):
            if k < n - 1:
                state = crossed(state, o.down[k])
            state = gate[k] * state + down_source[k]
            down.append(state)
        emissivity = c.emissivity[:, None]
        state = part[0] * (emissivity * self.share(c.t_surface) + (1.0 - emissivity) * state.sum(0))
        up = [state]
        for k in range(n):
            if k > 0:
                state = crossed(state, o.up[k - 1])
            state = gate[k] * state + up_source[k]
            up.append(state)
        return torch.stack(up).sum((1, 3)), torch.stack(down[::-1]).sum((1, 3))


def _emitted(
    depth: torch.Tensor, layer: torch.Tensor, edge: torch.Tensor, part: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Transmissivity (nlev, 2, n, classes) of parts of layers; what these send down and up per area of the whole."""
    gate = torch.exp(-depth)
    bend = DIFFUSIVITY_PADE * depth / (1.0 + DIFFUSIVITY_PADE * depth)
    sent = part * (1.0 - gate)
    middle, below, above = layer[:, None], edge[:-1, None], edge[1:, None]
    return gate, sent * (middle + bend * (below - middle)), sent * (middle + bend * (above - middle))


class Shortwave(nn.Module):
    """Fluxes up and down (nlev+1, n) as parts of the incoming flux."""

    def __init__(self, hidden: int = 32, classes: int = 16):
        super().__init__()
        self.absorption = LayerNetwork(hidden, classes, (-9.0, 1.0))
        self.incoming = nn.Parameter(torch.linspace(0.0, -3.0, classes))
        self.rayleigh = nn.Parameter(torch.linspace(-3.0, -6.0, classes))
        # extinction (ln m2 kg-1), single-scattering co-albedo and asymmetry (logits) of drops, crystals and snow, and
        # how the crystals' change with the logarithm of their size
        lost = torch.linspace(-10.0, -3.0, classes)[None] * torch.tensor([[0.0], [1.0], [0.0]])
        self.liquid = nn.Parameter(torch.tensor([[5.0], [0.0], [1.7]]) + lost)
        self.ice = nn.Parameter(torch.tensor([[3.8], [0.5], [1.2]]) + lost)
        self.snow = nn.Parameter(torch.tensor([[2.5], [1.0], [1.5]]) + lost)
        self.ice_by_size = nn.Parameter(torch.tensor([[-1.0], [1.0], [0.3]]).expand(3, classes).clone())

    def depths(self, x: Inputs, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Optical depths of absorption and of scattering by the clear air (nlev, n, classes).

        Parameters
        ----------
        x : columns and gases
        features : (nlev, n, 8)
        """
        dp = _weight(x)
        return dp * torch.exp(torch.clamp(self.absorption(features), max=10.0)), dp * torch.exp(self.rayleigh)

    def forward(self, x: Inputs, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Reflection of everything below from the ground up, of the beam and of diffuse light, then fluxes downwards.

        Parameters
        ----------
        x : columns and gases, of columns in the sun
        features : (nlev, n, 8)
        """
        c = x.columns
        absorbed, scattered = self.depths(x, features)
        size = torch.log(x.ice_diameter / ICE_DIAMETER)[..., None]
        none = torch.zeros_like(scattered)
        cloud = [none, none, none]
        ice = self.ice[:, None, None] + self.ice_by_size[:, None, None] * size
        for path, optics in ((c.liquid, self.liquid), (c.ice, ice), (x.snow, self.snow)):
            depth, lost = path[..., None] * torch.exp(optics[0]), torch.sigmoid(optics[1])
            kept = depth * (1.0 - lost)
            cloud = [a + b for a, b in zip(cloud, (depth * lost, kept, kept * torch.sigmoid(optics[2])), strict=True)]
        air = (absorbed, scattered, none)
        mu = torch.clamp(c.mu, min=LOWEST_SUN)[:, None]
        absorbed, scattered, forward = (torch.stack([a, a + b], dim=1) for a, b in zip(air, cloud, strict=True))
        layers = two_stream(absorbed, scattered, forward, mu)
        sun = torch.softmax(self.incoming, dim=0).expand(len(c.mu), -1)
        up, down = added(layers, sun, c.albedo[:, None], c.fraction, x.overlap)
        return up.sum(-1), down.sum(-1)


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
