# SPDX-License-Identifier: BSD-3-Clause
"""Optical properties of aerosol by RRTMGP's bands, from the tables of MERRA-2/GOCART or of Mie's series.

Radiation takes `BandOptics` of any origin. Tables of the chemistry's species are made by `data/make_aerosol_optics.py`.
Those of MERRA-2's (rrtmgp-data) hold dust, sea salt, sulfate and black and organic carbon (Randles et al. 2017,
doi:10.1175/JCLI-D-16-0609.1).
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import netCDF4
import numpy as np
import numpy.typing as npt

from components.radiation.rrtmgp_tables import FOLDER

Array = npt.NDArray[Any]
MIE = Path(__file__).parent / "aerosol_data" / "mie.nc"
VISIBLE = 10  # RRTMGP's shortwave band from 16000 to 22650 cm-1
TABLES = {"longwave": FOLDER / "aerosols_longwave.nc", "shortwave": FOLDER / "aerosols_shortwave.nc"}
SPECIES = {
    "sulfate": "aero_sulf_tbl",
    "elemental_carbon": "aero_bcar_tbl",
    "aged_elemental_carbon": "aero_bcar_rh_tbl",
    "particulate_organic_matter": "aero_ocar_tbl",
    "aged_particulate_organic_matter": "aero_ocar_rh_tbl",
    **{f"dust_{n + 1}": "aero_dust_tbl" for n in range(5)},
    **{f"sea_salt_{n + 1}": "aero_salt_tbl" for n in range(5)},
}
"""The species; dust and sea salt in five sizes each, of the GOCART bins (dust: .1-1-1.8-3-6-10 um)."""


class BandOptics(NamedTuple):
    """Aerosol of ``n`` columns of ``nlev`` layers, lowest first, by band.

    Attributes
    ----------
    longwave : (1, 16, nlev, n) optical depth of absorption
    shortwave : (3, 14, nlev, n) optical depth, its scattered part, and that times the asymmetry; not delta-scaled
    """

    longwave: Array
    shortwave: Array


def under_a_clean_sky(optics: BandOptics, layers: int) -> BandOptics:
    """The same with ``layers`` without aerosol on top."""
    none = lambda a: np.concatenate([a, np.zeros((*a.shape[:2], layers, a.shape[3]))], axis=2)  # noqa: E731
    return BandOptics(*(none(a) for a in optics))


def merra_optics(mass: Mapping[str, Array], humidity: Array) -> BandOptics:
    """Optical properties of a mixture of MERRA-2's species beside each other.

    Parameters
    ----------
    mass : (nlev, n) dry mass of the layers by name (see `SPECIES`), kg m-2
    humidity : (nlev, n) relative humidity, 1

    Raises
    ------
    KeyError
        A species that is not in the tables.
    """
    return _mixture(mass, humidity, {spectrum: _merra(spectrum) for spectrum in TABLES})


def mie_optics(mass: Mapping[str, Array], humidity: Array) -> BandOptics:
    """Optical properties of a mixture of the chemistry's species beside each other, after the tables of Mie's series.

    Parameters
    ----------
    mass : (nlev, n) dry mass of the layers by name, kg m-2: sulfate, nitrate, ammonium, elemental_carbon (fresh),
        aged_elemental_carbon, particulate_organic_matter, sea_salt_1 and _2, dust_1 to _5
    humidity : (nlev, n) relative humidity, 1; more than the tables' last, 0.95, counts as that

    Raises
    ------
    KeyError
        A species that is not in the tables.
    """
    return _mixture(mass, humidity, {spectrum: _mie(spectrum) for spectrum in TABLES})


def mie_shortwave(mass: Mapping[str, Array], humidity: Array, bands: Sequence[int]) -> Array:
    """The shortwave of `mie_optics` (3, bands, nlev, n) in some of its bands.

    Parameters
    ----------
    mass, humidity : see `mie_optics`
    bands : numbers of bands
    """
    of, rh = _mie("shortwave")
    return _summed(mass, humidity, {name: a[:, list(bands)] for name, a in of.items()}, rh)


def visible_depth(optics: BandOptics) -> Array:
    """Optical depth (n,) of columns in RRTMGP's band from 442 to 625 nm, that of 550 nm.

    Parameters
    ----------
    optics : of layers
    """
    total: Array = np.zeros(optics.shortwave.shape[-1])
    for layer in optics.shortwave[0, VISIBLE]:
        total = total + layer
    return total


Tables = tuple[dict[str, Array], Array]


def _mixture(mass: Mapping[str, Array], humidity: Array, tables: Mapping[str, Tables]) -> BandOptics:
    """Sum over the species of tables (humidity, band, 3), linear in humidity; one humidity: no water is taken up."""
    parts = {spectrum: _summed(mass, humidity, of, rh) for spectrum, (of, rh) in tables.items()}
    absorbed = parts["longwave"][:1] - parts["longwave"][1:2]
    return BandOptics(absorbed, parts["shortwave"])


def _summed(mass: Mapping[str, Array], humidity: Array, of: Mapping[str, Array], rh: Array) -> Array:
    """Optical depth, its scattered part, and that times the asymmetry, (3, band, nlev, n)."""
    unknown = sorted(set(mass) - set(of))
    if unknown:
        raise KeyError(f"no aerosol optics of {', '.join(unknown)}; known: {', '.join(of)}")
    at = np.clip(humidity, rh[0], rh[-1])
    low = np.clip(np.searchsorted(rh, at, side="right") - 1, 0, rh.size - 2)
    f = ((at - rh[low]) / (rh[low + 1] - rh[low]))[..., None, None]
    total: Array = np.zeros(())
    for name, m in mass.items():
        table = of[name]
        wet = table[low] + f * (table[low + 1] - table[low]) if table.shape[0] > 1 else table[0]
        depth = np.asarray(m)[..., None] * wet[..., 0]
        scattered = depth * wet[..., 1]
        total = total + np.stack([depth, scattered, scattered * wet[..., 2]])
    return np.moveaxis(total, -1, 1)


@cache
def _mie(spectrum: str) -> Tables:
    """Tables by species, and their humidity."""
    with netCDF4.Dataset(MIE) as f:
        f.set_auto_mask(False)
        tables = np.asarray(f[spectrum][...], np.float64)
        of = {name: tables[n] for n, name in enumerate(f.species.split(","))}
        return of, np.asarray(f["relative_humidity"][...])


@cache
def _merra(spectrum: str) -> Tables:
    """Tables (humidity, band, 3) by species, and their humidity."""
    with netCDF4.Dataset(TABLES[spectrum]) as f:
        f.set_auto_mask(False)
        v = {name: np.asarray(variable[...], dtype=np.float64) for name, variable in f.variables.items()}
    out = {}
    for name, table in SPECIES.items():
        a = v[table]
        if table in ("aero_dust_tbl", "aero_salt_tbl"):
            a = a[:, int(name[-1]) - 1]  # (band, bin, [humidity,] 3)
        out[name] = a[None] if a.ndim == 2 else np.moveaxis(a, 1, 0)
    return out, v["aero_rh"]
