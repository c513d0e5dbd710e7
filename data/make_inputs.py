# SPDX-License-Identifier: BSD-3-Clause
"""Make the inputs of the East Asia case from public-domain climatologies.

    python data/make_inputs.py --datasets FOLDER [--output data]

FOLDER holds the files of the Debian package ferret-datasets (apt-get install ferret-datasets puts them under
/usr/share/ferret-vis/data): coads_climatology.cdf, esku_heat_budget.cdf, ocean_atlas_subset.nc, etopo20.cdf; they may
be gzipped and lie in subfolders. Everything that is not in those files is a formula with its source; data/README.md
says which, and what they are worth.
"""

import argparse
import datetime
import warnings
from pathlib import Path

import numpy as np
import scipy.ndimage
import scipy.sparse
import scipy.sparse.linalg
import xarray as xr
from ferret_datasets import open_file

ALBEDO, EMISSIVITY, STEFAN_BOLTZMANN = 0.066, 0.97, 5.670374e-8  # as in the air-sea flux laws
SOLAR_CONSTANT = 1361.0  # W m-2
LAPSE_RATE = 6.5e-3  # K m-1, standard atmosphere
LAND_WIND = 0.6  # 10 m wind over roughness 0.3 m against that over the sea (EN 1991-1-4, section 4.3.2)
CONTINENTALITY, MARITIME_FRINGE = 75.0, 400.0e3  # Gorczynski's K far inland, and the distance over which it grows
RESIDENCE_TIME = 8.9 * 86400.0  # of water vapour (van der Ent and Tuinenburg 2017)
EARTH_RADIUS = 6371.0e3
MIXED_LAYER_CRITERION = 0.8  # K below the temperature at 10 m (Kara et al. 2000)
MID_MONTH = np.array([15.5, 45.0, 74.5, 105.0, 135.5, 166.0, 196.5, 227.5, 258.0, 288.5, 319.0, 349.5])
MONTH_START = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365])


# --- cells ---


def cell_centres(west, east, step):
    """Centres of cells of ``step`` degrees between two edges."""
    return np.arange(west + 0.5 * step, east, step)


# --- filling ---


def laplace_fill(field):
    """Fill NaN by the solution of Laplace's equation (5 points, no gradient across the border of the map).

    Data stay as they are; ``field`` has shape (..., y, x).
    """
    flat = field.reshape(-1, *field.shape[-2:])
    return np.stack([_laplace_fill_map(one) for one in flat]).reshape(field.shape)


def _laplace_fill_map(field):
    unknown = np.isnan(field)
    if not unknown.any():
        return field
    ny, nx = field.shape
    number = np.full(field.shape, -1)
    number[unknown] = np.arange(unknown.sum())
    rows, columns, values = [], [], []
    right = np.zeros(unknown.sum())
    for j, i in np.argwhere(unknown):
        me = number[j, i]
        count = 0
        for y, x in ((j - 1, i), (j + 1, i), (j, i - 1), (j, i + 1)):
            if not (0 <= y < ny and 0 <= x < nx):
                continue
            count += 1
            if unknown[y, x]:
                rows.append(me), columns.append(number[y, x]), values.append(-1.0)
            else:
                right[me] += field[y, x]
        rows.append(me), columns.append(me), values.append(count)
    matrix = scipy.sparse.csc_matrix((values, (rows, columns)))
    out = field.copy()
    out[unknown] = scipy.sparse.linalg.spsolve(matrix, right)
    return out


def without_outliers(field, limit):
    """NaN where a value is further than ``limit`` from the median of the 25 around it (few observations)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # neighbourhoods without any value
        median = scipy.ndimage.generic_filter(field, np.nanmedian, size=(1, 5, 5), mode="nearest")
    return np.where(np.abs(field - median) > limit, np.nan, field)


def onto(source_x, source_y, field, x, y):
    """Bilinear interpolation of a field (..., y, x) without gaps."""
    data = xr.DataArray(field, dims=("t", "y", "x"), coords={"y": source_y, "x": source_x})
    return data.interp(x=x, y=y, kwargs={"fill_value": "extrapolate"}).values


# --- formulas ---


def saturation_pressure(t):
    """Over water, hPa, from degrees C (Buck 1981)."""
    return 6.1121 * np.exp(17.502 * t / (240.97 + t))


def clear_sky_shortwave(latitude):
    """Daily mean clear-sky shortwave at the surface, W m-2 (Rosati and Miyakoda 1988, eq. 3.2-3.4).

    Direct beam S t^(sec z) with t = 0.7; half of what is scattered, less 9 % absorbed, comes down as diffuse light.
    Returns it and the noon altitude of the sun in degrees, both monthly, of shape (12, y).
    """
    phi = np.deg2rad(latitude)[None, :, None]
    angle = 2.0 * np.pi * MID_MONTH / 365.0
    declination = (  # Spencer (1971)
        0.006918
        - 0.399912 * np.cos(angle)
        + 0.070257 * np.sin(angle)
        - 0.006758 * np.cos(2 * angle)
        + 0.000907 * np.sin(2 * angle)
        - 0.002697 * np.cos(3 * angle)
        + 0.00148 * np.sin(3 * angle)
    )[:, None, None]
    distance = 1.0 + 0.033 * np.cos(angle)[:, None, None]  # (mean distance / distance)^2
    hour = np.deg2rad(np.arange(-179.5, 180.0))[None, None, :]
    cosine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour)
    top = np.where(cosine > 0.0, SOLAR_CONSTANT * distance * cosine, 0.0)
    direct = top * 0.7 ** (1.0 / np.maximum(cosine, 1.0e-3))
    diffuse = 0.5 * ((1.0 - 0.09) * top - direct)
    noon = np.rad2deg(np.arcsin(np.clip(np.cos(phi - declination)[..., 0], -1.0, 1.0)))
    return (direct + diffuse).mean(axis=-1), noon


def cloudy_shortwave(clear, noon, cloud):
    """Downward shortwave under cloud, W m-2: Q0 (1 - 0.62 C + 0.0019 noon altitude), at most Q0 (Reed 1977)."""
    return clear[..., None] * np.minimum(1.0 - 0.62 * cloud + 0.0019 * noon[..., None], 1.0)


def longwave_down(t_air, e_air, cloud):
    """Downward longwave, W m-2, from air temperature [K], vapour pressure [hPa] and cloud.

    Clear-sky emissivity of Prata (1996), times 1 + 0.22 C^2.75 for cloud (Maykut and Church 1973).
    """
    xi = 46.5 * e_air / t_air
    clear = 1.0 - (1.0 + xi) * np.exp(-np.sqrt(1.2 + 3.0 * xi))
    return clear * (1.0 + 0.22 * cloud**2.75) * STEFAN_BOLTZMANN * t_air**4


def precipitation(e_air):
    """Kg m-2 s-1: precipitable water over its residence time.

    Precipitable water from the dew point at the surface, ln W[cm] = -0.981 + 0.0341 Td[F] (Reitan 1963).
    """
    x = np.log(np.maximum(e_air, 0.05) / 6.1121)
    dew_fahrenheit = 32.0 + 1.8 * 240.97 * x / (17.502 - x)
    return 10.0 * np.exp(-0.981 + 0.0341 * dew_fahrenheit) / RESIDENCE_TIME


def mixed_layer(temperature, depth):
    """Depth where it is `MIXED_LAYER_CRITERION` colder than at 10 m, m; (12, z, y, x) in, (12, y, x) out."""
    reference = temperature[:, 1]
    top = np.searchsorted(depth, 10.0)
    found = np.full(reference.shape, np.nan)
    for k in range(top, len(depth) - 1):
        upper, lower = temperature[:, k], temperature[:, k + 1]
        limit = reference - MIXED_LAYER_CRITERION
        here = np.isnan(found) & (lower <= limit)
        slope = np.where(here, (upper - limit) / np.where(upper > lower, upper - lower, 1.0), 0.0)
        found = np.where(here, depth[k] + slope * (depth[k + 1] - depth[k]), found)
        bottom = np.isnan(found) & np.isnan(lower) & ~np.isnan(upper)  # mixed to the last level with data
        found = np.where(bottom, depth[k], found)
    return np.where(np.isnan(reference), np.nan, np.where(np.isnan(found), depth[-1], found))


# --- topography ---


def topography(datasets, west, east, south, north, step):
    """Height of land, depth of sea and sea fraction on cells of ``step`` degrees, from the 1/3 degree relief.

    Sea is what lies below zero and is joined to the ocean, so that depressions and lakes are land.
    """
    relief = open_file(datasets, "etopo20.cdf")
    x, y = relief["ETOPO20X1_1081"].values, relief["ETOPO20Y"].values
    height = relief["ROSE"].values[(y > south) & (y < north)][:, (x > west) & (x < east)].astype(float)
    basins, _ = scipy.ndimage.label(height < 0.0)
    sea = basins == np.argmax(np.bincount(basins[basins > 0]))

    def average(values):  # thirds of a degree are two sixths; a cell of `step` degrees is 6 x step of them
        sixths = values.repeat(2, axis=0).repeat(2, axis=1)
        n = round(6 * step)
        return sixths.reshape(sixths.shape[0] // n, n, sixths.shape[1] // n, n).mean(axis=(1, 3))

    fraction = average(sea.astype(float))
    with np.errstate(invalid="ignore"):
        depth = average(np.where(sea, -height, 0.0)) / fraction
    return average(np.where(sea, 0.0, np.maximum(height, 0.0))), np.where(fraction > 0.0, depth, 0.0), fraction


# --- the three files ---


def atmosphere(datasets):
    """Monthly climatology of the lowest air, 2 degrees, 66-164E, 14S-70N; marine where COADS has observations."""
    coads = open_file(datasets, "coads_climatology.cdf")
    esku = open_file(datasets, "esku_heat_budget.cdf")
    lon, lat = cell_centres(66, 164, 2), cell_centres(-14, 70, 2)
    marine = coads.sel(COADSX=lon, COADSY=lat, method="nearest", tolerance=0.01)
    data = {v: marine[v].values.astype(float) for v in ("SST", "AIRT", "SPEH", "WSPD", "UWND", "VWND", "SLP")}
    height, _, sea = topography(datasets, 66, 164, -14, 70, 2)

    t_sea_level = laplace_fill(without_outliers(data["AIRT"], 6.0))
    observed = ~np.isnan(data["AIRT"]).any(axis=0)
    sea_pressure = laplace_fill(without_outliers(data["SLP"], 6.0))
    e = 0.01 * sea_pressure * data["SPEH"] / (622.0 + 0.378 * data["SPEH"]) * 100.0
    humidity = np.clip(laplace_fill(e / saturation_pressure(data["AIRT"])), 0.2, 1.0)
    u, v = laplace_fill(data["UWND"]), laplace_fill(data["VWND"])
    speed = laplace_fill(data["WSPD"])

    # Over land: a wider year (Gorczynski 1920) about the zonal mean (North et al. 1981), standard lapse rate.
    inland = ~observed & (sea < 0.9)
    distance = scipy.ndimage.distance_transform_edt(~observed, sampling=np.deg2rad(2.0) * EARTH_RADIUS)
    share = 1.0 - np.exp(-np.maximum(distance - 111.0e3, 0.0) / MARITIME_FRINGE)
    sine = np.sin(np.deg2rad(lat))[:, None]
    zonal_mean = 14.9 - 28.0 * 0.5 * (3.0 * sine**2 - 1.0)
    annual_range = (CONTINENTALITY * share + 20.4) * np.abs(sine) / 1.7
    longer = np.maximum(annual_range - np.ptp(t_sea_level, axis=0), 0.0) * (share > 0.0)
    season = np.cos(2.0 * np.pi * (MID_MONTH - 196.5) / 365.0)[:, None, None] * np.sign(sine)
    colder = share * (zonal_mean - t_sea_level.mean(axis=0)) - LAPSE_RATE * height
    t = t_sea_level + np.where(inland, 0.5 * longer * season + colder, 0.0) + 273.15
    e_sea = humidity * saturation_pressure(t_sea_level)
    e_air = np.minimum(humidity * saturation_pressure(t - 273.15), e_sea)  # no more vapour than at sea
    height = np.where(inland, height, 0.0)
    pressure = 100.0 * sea_pressure * np.exp(-9.80665 * height / (287.05 * (t + 0.5 * LAPSE_RATE * height)))
    q = 0.622 * e_air / (0.01 * pressure - 0.378 * e_air)
    speed = np.maximum(speed, np.hypot(u, v)) * np.where(inland, LAND_WIND, 1.0)
    u, v = (w * np.where(inland, LAND_WIND, 1.0) for w in (u, v))

    # Radiation: a formula everywhere, corrected to what Esbensen and Kushnir have where they have it.
    ex, ey = esku["ESKUX"].values, esku["ESKUY"].values
    ex, ey = ex[(ex > 55) & (ex < 176)], ey[(ey > -25) & (ey < 75)]
    near = esku.sel(ESKUX=ex, ESKUY=ey)
    their = {v: near[v].values.astype(float) for v in ("FSR", "FUL", "CLD", "SST", "AT", "AH", "SLP")}
    clear, noon = clear_sky_shortwave(ey)
    solar = cloudy_shortwave(clear, noon, their["CLD"])
    ratio = laplace_fill(their["FSR"] / (1.0 - ALBEDO) / solar)
    their_e = their["SLP"] * their["AH"] / (622.0 + 0.378 * their["AH"])
    thermal = longwave_down(their["AT"] + 273.15, their_e, their["CLD"])
    excess = STEFAN_BOLTZMANN * (their["SST"] + 273.15) ** 4 - their["FUL"] / EMISSIVITY - thermal
    print(
        f"  shortwave: data / formula {np.nanmean(their['FSR'] / (1.0 - ALBEDO) / solar):.3f}, "
        f"longwave: data - formula {np.nanmean(excess):.1f} W m-2, coverage "
        f"{100 * np.isfinite(excess).mean():.0f} %"
    )
    cloud = np.clip(onto(ex, ey, laplace_fill(their["CLD"]), lon, lat), 0.0, 1.0)
    clear, noon = clear_sky_shortwave(lat)
    shortwave = np.maximum(cloudy_shortwave(clear, noon, cloud) * onto(ex, ey, ratio, lon, lat), 0.0)
    fade = np.where(inland, np.exp(-distance / MARITIME_FRINGE), 1.0)
    longwave = longwave_down(t, e_air, cloud) + fade * onto(ex, ey, laplace_fill(excess), lon, lat)

    fields = {
        "air_temperature": (t, "K", "air temperature near the surface"),
        "specific_humidity": (q, "1", "specific humidity near the surface"),
        "eastward_wind": (u, "m s-1", "eastward wind near the surface, mean of the vectors"),
        "northward_wind": (v, "m s-1", "northward wind near the surface, mean of the vectors"),
        "wind_speed": (speed, "m s-1", "mean of the wind speeds, larger than the speed of the mean wind"),
        "air_pressure_at_mean_sea_level": (100.0 * sea_pressure, "Pa", "pressure at sea level"),
        "surface_air_pressure": (pressure, "Pa", "pressure at the surface"),
        "surface_downwelling_shortwave_flux_in_air": (shortwave, "W m-2", "solar radiation at the surface"),
        "surface_downwelling_longwave_flux_in_air": (longwave, "W m-2", "thermal radiation at the surface"),
        "precipitation_flux": (precipitation(e_air), "kg m-2 s-1", "precipitation"),
        "cloud_area_fraction": (cloud, "1", "cloud cover"),
    }
    fixed = {"surface_altitude": (height, "m", "height of the land, 0 where the fields are marine")}
    sources = "COADS 1946-1989; radiation: Esbensen and Kushnir (1981) and formulas; land: see data/README.md"
    return dataset(lon, lat, 2, fields, fixed, "Surface climate of East Asia", sources)


def ocean(datasets):
    """Wet mask, depth, monthly temperature and mixed layer, 0.5 degree, 70-160E, 10S-65N."""
    atlas = open_file(datasets, "ocean_atlas_subset.nc").sel(XAX_SUBSET=slice(60, 170), YAX_SUBSET=slice(-20, 75))
    lon, lat = cell_centres(70, 160, 0.5), cell_centres(-10, 65, 0.5)
    x, y, z = (atlas[n].values for n in ("XAX_SUBSET", "YAX_SUBSET", "ZAXLEVIT19"))
    temperature = atlas["TEMP"].values.astype(float)
    _, depth, fraction = topography(datasets, 70, 160, -10, 65, 0.5)
    basins, _ = scipy.ndimage.label(fraction >= 0.5)
    wet = basins == np.argmax(np.bincount(basins[basins > 0]))
    # Near coasts the sea follows the air: what is filled and interpolated is their difference.
    coads = open_file(datasets, "coads_climatology.cdf").sel(COADSX=slice(60, 170), COADSY=slice(-20, 75))
    air = laplace_fill(without_outliers(coads["AIRT"].values.astype(float), 6.0))
    nodes = coads["COADSX"].values, coads["COADSY"].values, air
    excess = laplace_fill(temperature[:, 0] - onto(*nodes, x, y))
    sst = np.maximum(onto(x, y, excess, lon, lat) + onto(*nodes, lon, lat), -1.9) + 273.15
    layer = onto(x, y, laplace_fill(mixed_layer(temperature, z)), lon, lat)
    depth = np.maximum(depth, 10.0)
    layer = np.clip(layer, 10.0, depth)
    fields = {
        "sea_surface_temperature": (np.where(wet, sst, np.nan), "K", "sea surface temperature"),
        "ocean_mixed_layer_thickness": (np.where(wet, layer, np.nan), "m", "mixed layer, 0.8 K criterion"),
    }
    fixed = {
        "sea_binary_mask": (wet.astype(np.int8), "1", "1 where there is sea"),
        "sea_floor_depth_below_geoid": (np.where(wet, depth, np.nan), "m", "depth of the sea"),
    }
    sources = "World Ocean Atlas monthly temperature; ETOPO relief"
    return dataset(lon, lat, 0.5, fields, fixed, "Sea surface of East Asia", sources)


def land(datasets, air, water):
    """Mask, height and share of the land, monthly surface temperature (that of the air), 1 degree, 70-160E, 10S-65N.

    There is land wherever one of the four half-degree cells of the ocean is dry, so that nothing is uncovered.
    """
    height, _, sea = topography(datasets, 70, 160, -10, 65, 1)
    lon, lat = cell_centres(70, 160, 1), cell_centres(-10, 65, 1)
    warmth = onto(air.longitude.values, air.latitude.values, air.air_temperature.values.astype(float), lon, lat)
    fields = {"surface_temperature": (warmth, "K", "surface temperature, taken as that of the air")}
    dry = water.sea_binary_mask.values.reshape(lat.size, 2, lon.size, 2).min(axis=(1, 3)) == 0
    fixed = {
        "land_binary_mask": (dry.astype(np.int8), "1", "1 where there is land"),
        "surface_altitude": (height / np.maximum(1.0 - sea, 1.0 / 36.0), "m", "mean height of the land"),
        "land_area_fraction": (1.0 - sea, "1", "share of land in the cell, from the relief"),
    }
    sources = "ETOPO relief; air temperature of east_asia_atmosphere.nc"
    return dataset(lon, lat, 1, fields, fixed, "Land of East Asia", sources)


def dataset(lon, lat, step, monthly, fixed, title, source):
    """CF dataset with bounds (``step`` degrees, or one along each axis); monthly fields carry a climatological time."""
    along_x, along_y = np.broadcast_to(step, 2)

    def edges(centres, step):
        return np.stack([centres - 0.5 * step, centres + 0.5 * step], axis=1)

    out = xr.Dataset(
        {
            "longitude_bounds": (("longitude", "nv"), edges(lon, along_x)),
            "latitude_bounds": (("latitude", "nv"), edges(lat, along_y)),
        },
        coords={
            "longitude": ("longitude", lon, {"standard_name": "longitude", "units": "degrees_east", "axis": "X",
                                             "bounds": "longitude_bounds"}),
            "latitude": ("latitude", lat, {"standard_name": "latitude", "units": "degrees_north", "axis": "Y",
                                           "bounds": "latitude_bounds"}),
        },
        attrs={"Conventions": "CF-1.11", "title": title, "source": source,
               "history": f"{datetime.date.today().isoformat()}: made by data/make_inputs.py",
               "comment": "derived from public-domain data of NOAA PMEL's Ferret distribution"},
    )  # fmt: skip
    if monthly:
        out = out.assign_coords(time=("time", MID_MONTH, {
            "standard_name": "time", "units": "days since 1946-01-01", "calendar": "noleap", "axis": "T",
            "climatology": "climatology_bounds"}))  # fmt: skip
        last_year = 43 * 365.0  # the means are over 1946 to 1989
        bounds = np.stack([MONTH_START[:-1], MONTH_START[1:] + last_year], axis=1)
        out["climatology_bounds"] = (("time", "nv"), bounds)
    for name, (values, units, long_name) in (monthly | fixed).items():
        dims = ("time", "latitude", "longitude") if name in monthly else ("latitude", "longitude")
        attrs = {"standard_name": name, "units": units, "long_name": long_name}
        if name in monthly:
            attrs["cell_methods"] = "time: mean within years time: mean over years"
        if units == "K":
            attrs["units_metadata"] = "temperature: on_scale"
        integer = np.issubdtype(values.dtype, np.integer)
        out[name] = (dims, values if integer else values.astype(np.float32), attrs)
    return out


def write(data, path):
    """Write compressed, and say what is in it."""
    encoding = {n: {"zlib": True, "complevel": 6, "shuffle": True} for n in data.data_vars}
    for name in (*data.data_vars, *data.coords):
        if data[name].dtype.kind == "f" and not np.isnan(data[name]).any():
            encoding.setdefault(name, {})["_FillValue"] = None
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")  # a run may be reading the old file
    data.to_netcdf(part, encoding=encoding)
    part.replace(path)
    print(f"wrote {path} ({path.stat().st_size / 1024:.0f} kB)")
    for name in data.data_vars:
        if "bounds" not in name:
            field = data[name]
            print(f"  {name:45s} {float(field.min()):12.5g} {float(field.mean()):12.5g} {float(field.max()):12.5g}"
                  f" {field.attrs['units']}")  # fmt: skip


def main():
    """Read, compute, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=Path, required=True, help="folder of the ferret-datasets files")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder to write to")
    options = parser.parse_args()
    air = atmosphere(options.datasets)
    write(air, options.output / "east_asia_atmosphere.nc")
    water = ocean(options.datasets)
    write(water, options.output / "east_asia_ocean.nc")
    write(land(options.datasets, air, water), options.output / "east_asia_land.nc")


if __name__ == "__main__":
    main()
