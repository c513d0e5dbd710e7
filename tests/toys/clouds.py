# SPDX-License-Identifier: BSD-3-Clause
"""A microphysics of another package: it drizzles everywhere and counts in a tracer of its own what has left the air."""

from components.atmosphere.nonhydrostatic.physics.interfaces import Clouds
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.constants import CP_DRY, LATENT_VAPORISATION
from components.science.schemes import Scheme
from components.science.tracers import Tracer

RAINED = Tracer("rained_out", boundary="hold")


def rain_out(air, theta, q, dt, share):
    """A share of the vapour an hour condenses and falls to the ground."""
    gone = share * dt / 3600.0 * q["vapour"]
    rain = (air.mass * gone).cumsum(0)[-1]
    out = {"vapour": q["vapour"] - gone, "rained_out": q["rained_out"] + gone}
    return Clouds(theta + LATENT_VAPORISATION / CP_DRY * gone / air.pi, out, rain, 0.0 * rain)


RAIN_OUT = Scheme("rain_out", rain_out, species=(VAPOUR, RAINED), options={"share": 0.02})
