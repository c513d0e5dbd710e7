# SPDX-License-Identifier: BSD-3-Clause
"""The words of a training: what network, on what prior, with which parts."""

from typing import Annotated, Literal

from coupler.namelist import Namelist, Range


class Settings(Namelist):
    """A namelist of `train`; each comparison of the table is one of its words."""

    network: Literal["unet", "co2_net"] = "unet"
    """Which network."""
    prior: Literal["kriging", "interpolation", "enkf"] = "interpolation"
    """What the network adds to: kriging, or an inversion, by optimal interpolation or an ensemble Kalman filter."""
    frames: Annotated[int, Range(1, 16)] = 8
    """Frames of the window, six hours apart; the last is the one that is estimated."""
    embedding: Literal["none", "climode", "wind", "carried"] = "none"
    """Of places (ClimODE), of the way that the wind goes, or earlier frames carried by the wind to the newest."""
    meteorology: bool = True
    """Whether winds and geopotential are given."""
    wind_loss: Annotated[float, Range(0.0, 10.0)] = 0.0
    """Weight of the loss by which the wind must follow from the field (the paper: 0.2)."""
    space: bool = True
    """CO2-Net: attention in space."""
    time: bool = True
    """CO2-Net: attention in time."""
    cross_attention: bool = True
    """CO2-Net: whether the two look at each other."""
    superposition: bool = True
    """Whether each sample is a fresh combination of a flow's tracers."""
    silent: Annotated[float, Range(0.0, 0.9)] = 0.5
    """Share of the stations that are silent at most, in every third sample; on kriging."""
    width: Annotated[int, Range(4, 512)] = 32
    """Channels of the finest scale, or of a token."""
    depth: Annotated[int, Range(1, 16)] = 3
    """CO2-Net: layers."""
    steps: Annotated[int, Range(1, 1000000)] = 400
    """Steps of Adam."""
    batch: Annotated[int, Range(1, 1024)] = 16
    """Samples a step."""
    rate: Annotated[float, Range(1e-6, 1.0)] = 2e-3
    """Step of Adam at its largest."""
    cyclic: bool = True
    """Whether the grid goes around the Earth; a limited area does not."""
    begin: str = ""
    """Network whose weights the training begins with, shipped or the path of its files; its shape must be the same."""
    seed: Annotated[int, Range(0, 2**31)] = 1
    """Of weights and samples."""
