# SPDX-License-Identifier: BSD-3-Clause
"""Drag and heat transfer over the sea with the wind, by the laws that a flux node may name.

A sea 1 K warmer than air of 75 % relative humidity at 10 m. Every law in ``components.atmosphere.air_sea`` is called as
the coupler calls it: with what the two sides of a namelist's ``flux: air_sea`` deliver.
"""

import matplotlib.pyplot as plt
import numpy as np

from components.atmosphere.air_sea.surface_fluxes import SCHEMES

DENSITY = 1.19  # kg m-3, of this air


def given(wind):
    """What atmosphere and ocean deliver at points with these wind speeds, m/s."""
    values = {
        "air_temperature": 292.15,
        "specific_humidity": 0.0103,
        "northward_wind": 0.0,
        "air_pressure_at_mean_sea_level": 101325.0,
        "surface_downwelling_shortwave_flux_in_air": 0.0,
        "surface_downwelling_longwave_flux_in_air": 380.0,
        "sea_surface_temperature": 293.15,
    }
    return {"eastward_wind": wind, **{name: np.full_like(wind, value) for name, value in values.items()}}


def draw():
    """The figure."""
    wind = np.linspace(1.0, 50.0, 99)
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name, law in SCHEMES.items():
        fluxes = law(**given(wind))
        drag = fluxes["surface_downward_eastward_stress"] / (DENSITY * wind**2)
        axes[0].plot(wind, 1e3 * drag, label=name)
        axes[1].plot(wind, -fluxes["surface_downward_latent_heat_flux"], label=name)
    axes[0].set(xlabel="wind at 10 m, m/s", ylabel="drag coefficient, 1e-3")
    axes[1].set(xlabel="wind at 10 m, m/s", ylabel="latent heat lost by the sea, W m-2")
    for ax in axes:
        ax.legend()
        ax.grid(alpha=0.3)
    return figure
