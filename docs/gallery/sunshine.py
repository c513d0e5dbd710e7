# SPDX-License-Identifier: BSD-3-Clause
"""Sunshine at the top of the atmosphere: the day's mean by latitude and day of the year.

From the declination and the distance of the sun that every radiation scheme here shares (``components.science.sun``).
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

from components.science.sun import cosine_zenith, sun_position

SOLAR_CONSTANT = 1361.0  # W m-2 (Kopp and Lean 2011)


def daily_mean(latitudes, day):
    """The day's mean insolation, W m-2: longitudes at one moment stand for the hours of a day."""
    lon, lat = np.meshgrid(np.arange(0.0, 360.0, 5.0), latitudes)
    cosine = cosine_zenith(torch.from_numpy(lon), torch.from_numpy(lat), day + 0.5)
    return SOLAR_CONSTANT * sun_position(day + 0.5)[2] * cosine.numpy().mean(axis=1)


def draw():
    """The figure."""
    latitudes, days = np.linspace(-90.0, 90.0, 91), np.arange(0, 365, 3)
    values = np.stack([daily_mean(latitudes, float(day)) for day in days], axis=1)
    figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    picture = ax.contourf(days, latitudes, values, levels=np.arange(0, 601, 50), cmap="inferno")
    ax.contour(days, latitudes, values, levels=np.arange(0, 601, 50), colors="white", linewidths=0.4)
    ax.set(xlabel="day of the year", ylabel="latitude", yticks=range(-90, 91, 30))
    figure.colorbar(picture, label="W m-2")
    return figure
