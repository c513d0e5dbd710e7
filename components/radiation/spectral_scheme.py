# SPDX-License-Identifier: BSD-3-Clause
"""A scheme that wants whole columns: a standard atmosphere goes on top, and fluxes become heating."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from components.radiation.full_columns import FullColumns, full_columns
from components.radiation.scheme import Air, Radiation, heating_rate

Array = npt.NDArray[np.float64]


class SpectralScheme(ABC):
    """Radiation of the model's columns by a scheme for columns up to .1 hPa.

    Above the model's lid, five layers of the US Standard Atmosphere 1976 up to 0.1 hPa are put on top, warmed or cooled
    to join the model's top layer; ozone follows a standard mid-latitude profile in pressure; well-mixed gases are
    numbers. Heating is the divergence of the fluxes with this model's c_p, so energy is conserved. A layer is cloudy
    or clear as a whole.
    """

    @abstractmethod
    def of_full(self, columns: FullColumns, distance: float = 1.0) -> dict[str, Array]:
        """Fluxes (nlev+1, n) W m-2 of whole columns: ``lw_up``, ``lw_down``, ``sw_up``, ``sw_down``.

        Parameters
        ----------
        columns : whole columns of n places
        distance : (mean / actual distance of the sun)^2
        """

    def __call__(self, air: Air) -> Radiation:
        """Radiation of columns with a standard atmosphere on top."""
        return self._of_air(air, lambda given, whole: self.of_full(whole, given.distance))

    def _of_air(self, air: Air, fluxes: Callable[[Air, FullColumns], dict[str, Array]]) -> Radiation:
        """Radiation of columns by the ``fluxes`` of them and of their extension upwards."""
        shape, nz = air.t.shape, air.t.shape[0]
        given = air.each(lambda a: a.detach().cpu().double() if a.is_floating_point() else a.cpu())
        whole = full_columns(given)
        f = fluxes(given, whole)
        net = torch.as_tensor(f["lw_up"] - f["lw_down"] + f["sw_up"] - f["sw_down"])
        heating = heating_rate(net[: nz + 1], whole.p_interface[: nz + 1])

        def plane(a: Array) -> torch.Tensor:
            return torch.as_tensor(np.ascontiguousarray(a)).to(air.t).reshape(shape[1:])

        return Radiation(
            heating.to(air.t).reshape(shape),
            plane(f["sw_down"][0]), plane(f["lw_down"][0]), plane(f["sw_up"][0]), plane(f["lw_up"][0]),
            plane(f["lw_up"][-1]), plane(f["sw_up"][-1]), plane(f["sw_down"][-1]), plane(-net[nz].numpy()),
        )  # fmt: skip
