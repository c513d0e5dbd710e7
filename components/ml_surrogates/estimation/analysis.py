# SPDX-License-Identifier: BSD-3-Clause
"""What every system that makes a field of a tracer out of stations has in common: what it is given, what it gives."""

from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from components.science.constants import EARTH_RADIUS


class Domain(NamedTuple):
    """The cells of a grid in flat order, from south to north and from west to east.

    Attributes
    ----------
    shape : (ny, nx)
    longitude, latitude : (n,) of the middles, degrees
    area : (n,) m2
    """

    shape: tuple[int, int]
    longitude: Tensor
    latitude: Tensor
    area: Tensor

    def weights(self) -> Tensor:
        """Shares (ny, nx) of the area, of sum one."""
        return (self.area / self.area.sum()).reshape(self.shape)

    def distance(self, a: Tensor | None = None, b: Tensor | None = None) -> Tensor:
        """Great circles (a, b) between cells, m.

        Parameters
        ----------
        a, b : flat numbers of cells; all of them by default
        """
        lon, lat = torch.deg2rad(self.longitude.double()), torch.deg2rad(self.latitude.double())
        at = torch.stack([torch.cos(lat) * torch.cos(lon), torch.cos(lat) * torch.sin(lon), torch.sin(lat)], 1)
        first, second = at if a is None else at[a], at if b is None else at[b]
        chord = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
        return (2.0 * EARTH_RADIUS * torch.asin(torch.clamp(0.5 * chord, max=1.0))).to(self.longitude.dtype)


class Observations(NamedTuple):
    """What a list of stations reports at a time.

    Attributes
    ----------
    value, error : (..., p) departure from the background and its standard deviation, in the state's unit
    mask : (..., p) bool, whether a station reports
    places : (p,) int64 flat numbers of the stations' cells
    """

    value: Tensor
    error: Tensor
    mask: Tensor
    places: Tensor

    def at(self, *index: Any) -> "Observations":
        """Some of them, such as those of a time.

        Parameters
        ----------
        index : into the leading dimensions
        """
        return Observations(self.value[index], self.error[index], self.mask[index], self.places)


class Forcing(NamedTuple):
    """What drives the tracer through a period.

    Attributes
    ----------
    winds : what the transport takes
    flux : (..., ny, nx) the source that is known beforehand, in the state's unit a second
    """

    winds: Any
    flux: Tensor


class Dynamics(Protocol):
    """Transport of tracers, with its losses towards the background."""

    def __call__(self, field: Tensor, source: Tensor, winds: Any, seconds: float) -> Tensor:
        """The tracers ``seconds`` later.

        Parameters
        ----------
        field : (..., N, ny, nx) departures of N tracers from the background
        source : the same shape, or one that goes with it; in the field's unit a second
        winds : of the period, without the dimension of N
        seconds : length of the period
        """
        ...


State = TypeVar("State")


class Analysed(NamedTuple, Generic[State]):
    """An analysis: the state to go on from, and the estimate (..., ny, nx) with its standard deviation."""

    state: State
    mean: Tensor
    standard_deviation: Tensor


class Analysis(Protocol[State]):
    """A system that follows a tracer and takes stations in; its state is a named tuple of tensors."""

    def start(self, field: Tensor) -> State:
        """The state before anything has been observed.

        Parameters
        ----------
        field : (..., ny, nx) first guess, departure from the background
        """
        ...

    def advance(self, state: State, forcing: Forcing, seconds: float) -> State:
        """The state ``seconds`` later.

        Parameters
        ----------
        state : before
        forcing : winds and known flux of the period
        seconds : its length
        """
        ...

    def analyse(self, state: State, observations: Observations) -> Analysed[State]:
        """The state with what the stations say.

        Parameters
        ----------
        state : before
        observations : of this time
        """
        ...


def mean_increment(domain: Domain, before: Tensor, after: Tensor) -> Tensor:
    """Area mean (...) of what an analysis adds: tracer that no flux has brought, in the state's unit.

    Parameters
    ----------
    domain : of the fields
    before, after : (..., ny, nx) estimate before and after
    """
    change: Tensor = ((after - before) * domain.weights()).sum((-2, -1))
    return change
