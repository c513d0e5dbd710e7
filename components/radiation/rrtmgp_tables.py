# SPDX-License-Identifier: BSD-3-Clause
"""RRTMGP's correlated-k tables (Pincus, Mlawer & Delamere 2019, doi:10.1029/2019MS001621), made ready for given gases.

What the gases that are well mixed absorb as minor species depends on temperature alone, so their tables are added up
here, once: a band keeps one table for all of them, and one each for vapour's continua and ozone.
"""

from pathlib import Path
from typing import Any, NamedTuple

import netCDF4
import numpy as np
import numpy.typing as npt

from components.science.gases import Gases

Array = npt.NDArray[Any]
FOLDER = Path(__file__).parent / "rrtmgp_data"
LONGWAVE, SHORTWAVE = FOLDER / "longwave_g128.nc", FOLDER / "shortwave_g112.nc"
CLOUDS = {LONGWAVE: FOLDER / "clouds_longwave.nc", SHORTWAVE: FOLDER / "clouds_shortwave.nc"}
COLDEST_SOURCE = 160.0  # K, at which the table of Planck's function begins
BLOCK = 8  # g-points that are computed at once; bands are read in whole blocks, beyond their end into the next band
WIDEST = 16  # g-points of the widest band, in whole blocks
MOLECULES = 1.0e20  # unit of amounts, molecules cm-2: products stay within the range of single precision
KINDS = 3  # of particles in clouds: droplets, ice, snow
DRY, WATER, OZONE = 0, 1, 2  # amounts of a layer that a kernel wants
MEDIUM = 1  # roughness of ice crystals among smooth, medium, rough
NONE, SHARE, COMPLEMENT = 0, 1, 2  # by which mole fraction a minor absorber is scaled, besides its amount


class GasTables(NamedTuple):
    """Tables of one half of the spectrum; ``ng`` g-points in ``nb`` bands, ``[s]`` lower and upper atmosphere.

    Attributes
    ----------
    major : (T * p * eta * ng + slack,) absorption of the pair of major gases, cm2 per 1e20 molecules, g-points fastest
    other : as ``major``: Planck fractions; or (s * T * eta * ng + slack,) Rayleigh scattering, cm2 per 1e20 molecules
    minor : (entries * T * eta * 16 + slack,) absorption of minor gases, cm2 per 1e20 molecules
    entry : (s, nb + 1) first entry of a band
    rule : (entries, 4) amount; whether it scales with density; NONE, SHARE or COMPLEMENT of a gas; that gas
    pair : (s, nb, 2) amounts that stand for the major gases; ``parts`` (s, nb, 2) of these amounts, mole fractions
    ratio : (s, nb, T) of the pair's reference mole fractions
    first, width : (nb,) first g-point of a band, and how many are computed: whole blocks
    source : (nb, 196) Planck's function, W m-2 per band from 160 K on; or (1, ng) sunlight, W m-2, sum 1
    shape : (T, p, eta, ng)
    axes : log p of the first reference pressure, its step, the lowest temperature, its step, log p of the tropopause
    """

    major: Array
    other: Array
    minor: Array
    entry: Array
    rule: Array
    pair: Array
    parts: Array
    ratio: Array
    first: Array
    width: Array
    source: Array
    shape: Array
    axes: Array


class CloudTables(NamedTuple):
    """Extinction (m2 g-1), single scattering albedo and asymmetry (3, nb, sizes) over particle size.

    Attributes
    ----------
    liquid, ice : over the droplets' effective radius, and the ice's effective diameter; snow is ice that is larger
    sizes : (2, 2) smallest size and step of the two tables, micrometres
    """

    liquid: Array
    ice: Array
    sizes: Array


def mole_fractions(gases: Gases) -> dict[str, float]:
    """Mole fractions by RRTMGP's names; gases that are not here are left out of the tables."""
    return {
        "co2": gases.carbon_dioxide, "n2o": gases.nitrous_oxide, "ch4": gases.methane, "o2": gases.oxygen,
        "n2": gases.nitrogen, "co": gases.carbon_monoxide, "ccl4": gases.carbon_tetrachloride,
        "cfc11": gases.cfc11, "cfc12": gases.cfc12, "cfc22": gases.cfc22,
    }  # fmt: skip


def gas_tables(path: Path, gases: Gases, real: type = np.float32) -> GasTables:
    """Read the tables of ``path`` (longwave or shortwave) for ``gases``.

    Parameters
    ----------
    path : netCDF file of rrtmgp-data
    gases : mole fractions of the well-mixed gases
    real : floating-point type of the tables

    Raises
    ------
    OSError
        The file is not there or damaged.
    """
    with netCDF4.Dataset(path) as f:
        f.set_auto_mask(False)
        v = {name: np.asarray(variable[...]) for name, variable in f.variables.items()}
    names = ["dry", *_texts(v["gas_names"])]
    vmr = {"dry": 1.0, **mole_fractions(gases)}
    limits = v["bnd_limits_gpt"].astype(np.int64) - np.array([1, 0])
    n_t, n_p, n_e, ng = v["kmajor"].shape
    reference = v["vmr_ref"].astype(np.float64)  # (T, gas with dry air first, s)
    key = v["key_species"].astype(np.int64).transpose(1, 0, 2).copy()  # (s, nb, 2)
    key[(key == 0).all(-1)] = 2
    ratio = np.empty((2, len(limits), n_t))
    for s in range(2):
        ratio[s] = (reference[:, key[s, :, 0], s] / reference[:, key[s, :, 1], s]).T
    pair, parts = np.empty(key.shape, np.int64), np.empty(key.shape)
    for place in np.ndindex(key.shape):
        pair[place], parts[place] = _amount(names[key[place]], vmr)
    minor, entry, rule = _minor(v, limits, vmr)
    if "plank_fraction" in v:
        other, source = v["plank_fraction"], v["totplnk"].astype(np.float64)
    else:
        other = MOLECULES * np.stack([v["rayl_lower"], v["rayl_upper"]])
        source = _sunlight(v)[None]
    ln_p = np.log(v["press_ref"].astype(np.float64))
    t = v["temp_ref"].astype(np.float64)
    axes = [ln_p[0], (ln_p[-1] - ln_p[0]) / (len(ln_p) - 1), t[0], t[1] - t[0], np.log(float(v["press_ref_trop"]))]
    widths = limits[:, 1] - limits[:, 0]
    return GasTables(
        _flat(MOLECULES * v["kmajor"], real), _flat(other, real), _flat(minor, real), entry, rule, pair,
        parts.astype(real), ratio.astype(real), limits[:, 0].copy(), -(-widths // BLOCK) * BLOCK, source.astype(real),
        np.array([n_t, n_p, n_e, ng]), np.array(axes, dtype=real),
    )  # fmt: skip


def cloud_tables(path: Path, real: type = np.float32) -> CloudTables:
    """Read the cloud optics (Pincus et al. 2019) that go with the gas tables ``path``; ice of medium roughness.

    Parameters
    ----------
    path : netCDF file of the gas tables
    real : floating-point type of the tables
    """
    with netCDF4.Dataset(CLOUDS[path]) as f:
        f.set_auto_mask(False)
        v = {name: np.asarray(variable[...], dtype=np.float64) for name, variable in f.variables.items()}
    liquid = np.stack([v[f"{name}liq"] for name in ("ext", "ssa", "asy")])
    ice = np.stack([v[f"{name}ice"][MEDIUM] for name in ("ext", "ssa", "asy")])
    sizes = [
        [low, (high - low) / (table.shape[-1] - 1)]
        for low, high, table in (
            (v["radliq_lwr"], v["radliq_upr"], liquid),
            (v["diamice_lwr"], v["diamice_upr"], ice),
        )
    ]
    return CloudTables(liquid.astype(real), ice.astype(real), np.array(sizes, dtype=real))


def _amount(gas: str, vmr: dict[str, float]) -> tuple[int, float]:
    """Which amount of a layer stands for a gas, and what part of it the gas is: of dry air, its mole fraction."""
    if gas in ("h2o", "o3"):
        return (WATER if gas == "h2o" else OZONE), 1.0
    return DRY, vmr.get(gas, 0.0)


def _minor(v: dict[str, Array], limits: Array, vmr: dict[str, float]) -> tuple[Array, Array, Array]:
    """Tables of minor absorbers by band, those of well-mixed gases added up; first entries; rules."""
    gas_of = dict(zip(_texts(v["identifier_minor"]), _texts(v["gas_minor"]), strict=True))
    tables: list[Array] = []
    rules: list[tuple[int, ...]] = []
    entry = np.zeros((2, len(limits) + 1), np.int64)
    for s, half in enumerate(("lower", "upper")):
        k, starts = v[f"kminor_{half}"], v[f"kminor_start_{half}"] - 1
        absorbers, scaling = _texts(v[f"minor_gases_{half}"]), _texts(v[f"scaling_gas_{half}"])
        first_g = v[f"minor_limits_gpt_{half}"][:, 0] - 1
        for b, (begin, end) in enumerate(limits):
            entry[s, b] = len(tables)
            found: dict[tuple[int, ...], Array] = {}
            for m in np.flatnonzero((first_g >= begin) & (first_g < end)):
                amount, part = _amount(gas_of[absorbers[m]], vmr)
                if part == 0.0:
                    continue
                density = int(v[f"minor_scales_with_density_{half}"][m])
                kind, by, share = NONE, DRY, 1.0
                if density and scaling[m]:
                    kind = COMPLEMENT if v[f"scale_by_complement_{half}"][m] else SHARE
                    by, share = _amount(scaling[m], vmr)
                    if kind == COMPLEMENT and by == DRY:
                        raise ValueError(f"{absorbers[m]}: scaled by all but {scaling[m]}, which is well mixed")
                width = end - begin
                table = np.zeros((k.shape[0], k.shape[1], WIDEST))
                table[..., :width] = k[..., starts[m] : starts[m] + width]
                table *= MOLECULES * part * share
                rule = (amount, density, kind, by)
                found[rule] = found.get(rule, 0.0) + table
            tables += found.values()
            rules += found.keys()
        entry[s, -1] = len(tables)
    return np.stack(tables), entry, np.array(rules, np.int64)


def _sunlight(v: dict[str, Array]) -> Array:
    """Share of each g-point of the sun's light, for mean activity (Lean 2017, as RRTMGP has it); sum 1."""
    facular = (float(v["mg_default"]) - 0.1495954) * v["solar_source_facular"]
    sunspot = (float(v["sb_default"]) - 0.00066696) * v["solar_source_sunspot"]
    light = v["solar_source_quiet"].astype(np.float64) + facular + sunspot
    return np.asarray(light / light.sum())


def _flat(table: Array, real: type) -> Array:
    """A table in one row, with room to read a block beyond its end."""
    return np.concatenate([np.ascontiguousarray(table).reshape(-1), np.zeros(WIDEST)]).astype(real)


def _texts(characters: Array) -> list[str]:
    return [b"".join(row).decode().strip() for row in characters]
