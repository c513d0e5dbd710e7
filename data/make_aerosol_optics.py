# SPDX-License-Identifier: BSD-3-Clause
"""Make the optics of the chemistry's aerosol by RRTMGP's bands and by humidity, with Mie's series.

    python data/make_aerosol_optics.py [--output components/radiation/aerosol_data/mie.nc]

Spheres of one substance and the water it takes up, by volume. Sizes: lognormal by number after Randles et al. (2017),
doi:10.1175/JCLI-D-16-0609.1; salt after Gong (2003), dust after Kok (2011) within their sizes. Refractive indices stand
in aerosol_refractive_indices.csv. Soot are chains of spherules, of which a sphere of their volume absorbs too little
sunlight: what it absorbs is brought to what was measured at 550 nm, and aged soot, whose coat gathers light, absorbs
half as much again (Bond & Bergstrom 2006; Bond et al. 2013, doi:10.1002/jgrd.50171; the coat's own light is that of
its matter).
"""

import argparse
import csv
import math
import sys
from itertools import pairwise
from pathlib import Path

import netCDF4
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from components.chemistry.regional.aerosol import dust, sea_salt
from components.chemistry.regional.aerosol.species import KINDS
from components.radiation.aerosol_optics_by_band import averaged, nodes
from components.radiation.mie import Bulk, bulk, lognormal

HERE = Path(__file__).parent
OUTPUT = HERE.parent / "components" / "radiation" / "aerosol_data" / "mie.nc"
HUMIDITY = (0.0, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95)
CLASSES = 60
MODES = {  # median radius by number (m) and geometric standard deviation; substance of the index
    "sulfate": (0.0695e-6, 2.03, "sulfate"),
    "nitrate": (0.0695e-6, 2.03, "sulfate"),
    "ammonium": (0.0695e-6, 2.03, "sulfate"),
    "elemental_carbon": (0.0118e-6, 2.0, "black_carbon"),
    "aged_elemental_carbon": (0.0118e-6, 2.0, "black_carbon"),
    "particulate_organic_matter": (0.0212e-6, 2.2, "organic_matter"),
}
ABSORPTION = {"elemental_carbon": 7.5e3, "aged_elemental_carbon": 1.5 * 7.5e3}  # m2 kg-1 at 550 nm
"""Of soot, which takes up no water here, as its kappa is small."""
MEASURED_AT = np.array([0.55e-6])  # m
SOURCE = "Mie's series, data/make_aerosol_optics.py; indices: data/aerosol_refractive_indices.csv (WRF, public domain)"


def index(substance: str, wavelength: np.ndarray) -> np.ndarray:
    """Complex index at wavelengths (m): real parts linear, imaginary ones logarithmic in the logarithm of it."""
    with (HERE / "aerosol_refractive_indices.csv").open(encoding="utf-8") as f:
        rows = [
            r for r in csv.DictReader(line for line in f if not line.startswith("#")) if r["substance"] == substance
        ]
    x = np.log([1e-6 * float(r["wavelength_um"]) for r in rows])
    at = np.log(wavelength)
    real = np.interp(at, x, [float(r["real"]) for r in rows])
    return real + 1j * np.exp(np.interp(at, x, np.log([float(r["imaginary"]) for r in rows])))


def population(name: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Dry radii (m), their shares of the volume, and the substance."""
    if name in MODES:
        median, sigma, substance = MODES[name]
        middle, s = math.log(median) + 3.0 * math.log(sigma) ** 2, math.log(sigma)
        radius = np.exp(np.linspace(middle - 4.0 * s, middle + 3.0 * s, CLASSES))
        return radius, lognormal(median, sigma, radius), substance
    number = int(name[-1]) - 1
    if name.startswith("dust"):
        low, high = dust.EDGES[number : number + 2]
        edges = np.geomspace(low, high, CLASSES + 1)
        return 0.5 * np.sqrt(edges[1:] * edges[:-1]), np.array(dust.shares(tuple(edges))), "dust"
    low, high = sea_salt.EDGES[number : number + 2]
    edges = np.geomspace(max(low, 0.03e-6), high, CLASSES + 1)
    mass = np.array([m for pair in pairwise(edges) for m in sea_salt.mass(pair)])
    return np.sqrt(edges[1:] * edges[:-1]), mass / mass.sum(), "sea_salt"


def soot_absorbs_more(name: str, density: float) -> float:
    """What is absorbed over what spheres of Mie's series absorb, 1 but for soot."""
    if name not in ABSORPTION:
        return 1.0
    radius, share, substance = population(name)
    spheres = bulk(index(substance, MEASURED_AT), radius, share, MEASURED_AT)
    return ABSORPTION[name] * density / float((spheres.extinction * (1.0 - spheres.albedo))[0])


def absorbing(light: Bulk, more: float) -> Bulk:
    """The same, scattered light too, with ``more`` times as much absorbed."""
    scattered = light.extinction * light.albedo
    extinction = scattered + more * (light.extinction - scattered)
    return Bulk(extinction, scattered / extinction, light.asymmetry)


def table(name: str, density: float, kappa: float, spectrum: str) -> np.ndarray:
    """Extinction (m2 per kg of dry particles), scattered share and asymmetry (humidity, band, 3)."""
    radius, share, substance = population(name)
    wavelength, weight = nodes(spectrum)
    more = soot_absorbs_more(name, density) if spectrum == "shortwave" else 1.0
    dry, water = index(substance, wavelength), index("water", wavelength)
    out = []
    for rh in HUMIDITY:
        growth = 1.0 if name in ABSORPTION else 1.0 + kappa * rh / (1.0 - rh)
        mixed = (dry + (growth - 1.0) * water) / growth
        one = absorbing(bulk(mixed, radius * growth ** (1.0 / 3.0), share, wavelength), more)
        parts = averaged(one.extinction, one.albedo, one.asymmetry, weight)
        out.append(np.stack([parts[0] * growth / density, parts[1] / parts[0], parts[2] / parts[1]], axis=-1))
    return np.array(out)


def main() -> None:
    """Write the tables."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--output", type=Path, default=OUTPUT)
    output = arguments.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(output, "w") as f:
        f.source = SOURCE
        kinds = {kind.field: kind for kind in KINDS}  # the last of those that light does not tell apart
        f.species = ",".join(kinds)
        sizes = {"species": len(kinds), "humidity": len(HUMIDITY), "property": 3, "longwave": 16, "shortwave": 14}
        for dimension, size in sizes.items():
            f.createDimension(dimension, size)
        v = f.createVariable("relative_humidity", "f8", ("humidity",))
        v[:], v.units = HUMIDITY, "1"
        for spectrum in ("longwave", "shortwave"):
            v = f.createVariable(
                spectrum, "f4", ("species", "humidity", spectrum, "property"), zlib=True, complevel=9,
                significant_digits=5, quantize_mode="GranularBitRound",
            )  # fmt: skip
            v[:] = np.stack([table(name, kind.density, kind.kappa, spectrum) for name, kind in kinds.items()])
            v.comment = "extinction (m2 per kg of dry particles), single-scattering albedo, asymmetry"
    print(f"{output}: {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
