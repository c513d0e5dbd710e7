# SPDX-License-Identifier: BSD-3-Clause
"""Post-refinement of a mechanism's monthly fluxes at places that have no tower: trained on the other places' towers."""

from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np
import torch
from torch import nn

from coupler.files.atomic import whole_file

from .series import Series, SeriesError

DRIVERS = (
    ("air_temperature", "degC"), ("surface_downwelling_shortwave_flux_in_air", "MJ m-2 d-1"),
    ("water_vapor_saturation_deficit_in_air", "hPa"), ("precipitation_flux", "mm d-1"),
)  # fmt: skip
FLUXES = (("evapotranspiration", "mm d-1"), ("gross_primary_productivity", "g m-2 d-1"))
FEWEST = 12  # months with a measured value, below which a place is left out
MEMBERS, HIDDEN, STEPS, RATE, DECAY = 5, 8, 60, 1.0e-2, 0.1


@dataclass(frozen=True)
class Months:
    """Months of many places: what the mechanism gave and what was measured.

    Attributes
    ----------
    place : (n,) number of the place
    drivers : (n, 4) monthly weather, in the order of `DRIVERS`
    mechanism : (n, 2) its fluxes, in the order of `FLUXES`
    measured : (n, 2)
    """

    place: Series
    drivers: Series
    mechanism: Series
    measured: Series

    def with_enough(self, flux: int) -> "Months":
        """Months with this flux, of the places that have a year of them."""
        ok = np.isfinite(self.measured[:, flux]) & np.isfinite(self.mechanism).all(axis=1)
        places = [p for p in np.unique(self.place) if (ok & (self.place == p)).sum() >= FEWEST]
        kept = ok & np.isin(self.place, places)
        return Months(*(a[kept] for a in (self.place, self.drivers, self.mechanism, self.measured)))


def write(path: Path, months: Months) -> None:
    """Keep months in a netCDF file.

    Parameters
    ----------
    path : file to write
    months : of all places
    """
    with whole_file(path) as part, netCDF4.Dataset(part, "w", format="NETCDF4") as f:
        f.createDimension("month", len(months.place))
        f.createVariable("place", "i4", ("month",))[:] = months.place
        for group, names in (("drivers", DRIVERS), ("mechanism", FLUXES), ("measured", FLUXES)):
            g = f.createGroup(group)
            for (name, units), values in zip(names, getattr(months, group).T, strict=True):
                v = g.createVariable(name, "f8", ("month",))
                v.units = units
                v[:] = values


def read(path: Path) -> Months:
    """The months of `write`.

    Raises
    ------
    SeriesError
        The file is missing or damaged, lacks a variable or has another unit.
    """
    try:
        f = netCDF4.Dataset(path)
    except OSError as error:
        raise SeriesError(f"{path} cannot be read ({error}); benchmarks/tower_series.py writes it") from error
    with f:
        f.set_auto_mask(False)
        found = {}
        for group, names in (("drivers", DRIVERS), ("mechanism", FLUXES), ("measured", FLUXES)):
            for name, units in names:
                if group not in f.groups or name not in f[group].variables:
                    raise SeriesError(f"{path}: expected {group}/{name}, which is not there")
                if f[group][name].units != units:
                    raise SeriesError(f"{path}: {group}/{name}: expected {units}, found {f[group][name].units}")
            found[group] = np.stack([np.asarray(f[group][name][:], dtype=np.float64) for name, _ in names], axis=1)
        return Months(np.asarray(f["place"][:]), **found)


def line(x: Series, y: Series) -> tuple[float, float]:
    """Offset and slope of least squares."""
    a = np.stack([np.ones_like(x), x], axis=1)
    offset, slope = np.linalg.lstsq(a, y, rcond=None)[0]
    return float(offset), float(slope)


def refined(months: Months, flux: int, elsewhere: Series, seed: int) -> tuple[Series, Series]:
    """The mechanism's flux corrected by a line, and by a network on top of it; both (n,), learned ``elsewhere``.

    Parameters
    ----------
    months : of all places
    flux : number in `FLUXES`
    elsewhere : (n,) booleans of the months to learn from
    seed : of the weights; the mean of some networks is taken
    """
    own, right = months.mechanism[:, flux], months.measured[:, flux]
    offset, slope = line(own[elsewhere], right[elsewhere])
    corrected = offset + slope * own
    seen = np.concatenate([months.mechanism, months.drivers[:, :3], np.log1p(months.drivers[:, 3:])], axis=1)
    middle, width = seen[elsewhere].mean(0), seen[elsewhere].std(0)
    x = torch.tensor((seen - middle) / width, dtype=torch.float32)
    rest = torch.tensor(right - corrected, dtype=torch.float32)
    some = torch.tensor(elsewhere)
    added = np.zeros_like(own)
    for member in range(MEMBERS):
        torch.manual_seed(1000 * seed + member)
        net = nn.Sequential(nn.Linear(x.shape[1], HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 1))
        optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
        for _ in range(STEPS):
            optimiser.zero_grad(set_to_none=True)
            wrong = net(x[some])[:, 0] - rest[some]
            (wrong * wrong).mean().backward()
            optimiser.step()
        with torch.no_grad():
            added += net(x)[:, 0].double().numpy() / MEMBERS
    return corrected, corrected + added


def leave_site_out(months: Months, flux: int, seed: int) -> dict[str, float]:
    """RMSE of the mechanism as it is, corrected by a line, and refined, each place by what the others taught.

    Parameters
    ----------
    months : of all places
    flux : number in `FLUXES`
    seed : of the weights
    """
    m = months.with_enough(flux)
    right = m.measured[:, flux]
    linear, learned = np.empty_like(right), np.empty_like(right)
    for place in np.unique(m.place):
        there = m.place == place
        one, two = refined(m, flux, ~there, seed)
        linear[there], learned[there] = one[there], two[there]

    def rms(a: Series) -> float:
        return float(np.sqrt(np.mean(a * a)))

    return {
        "mechanism": rms(m.mechanism[:, flux] - right),
        "linear": rms(linear - right),
        "refined": rms(learned - right),
    }
