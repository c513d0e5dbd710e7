# SPDX-License-Identifier: BSD-3-Clause
"""Make the input of the primitive-equation ocean of the East Asia case from public-domain data.

    python data/make_ocean_inputs.py --datasets FOLDER [--output data/east_asia_primitive_ocean.nc] [--step 0.5]

FOLDER holds files of the Debian package ferret-datasets (apt-get install ferret-datasets): etopo5 (or the crop
etopo5_eastasia.nc), levitus_climatology.cdf, ocean_atlas_subset.nc, coads_climatology.cdf; they may be gzipped and
lie in subfolders.

What the file holds: depth of the sea floor; conservative temperature and absolute salinity, annual (Levitus 1982)
with the monthly temperature of the World Ocean Atlas in the upper 1000 m; and what the open edges need: transports
across 150E from the Sverdrup balance of the COADS stress over the whole Pacific (Sverdrup 1947), where the eastward
flow has the thermal wind's place; balanced across 5S (Indonesian throughflow), their shear from the thermal wind.
"""

import argparse
import gzip
import io
from pathlib import Path

import gsw
import numpy as np
import scipy.ndimage
import xarray as xr

WEST, EAST, SOUTH, NORTH = 99.0, 150.0, -5.0, 52.0
LEAST_CELL = 0.15  # share of a level, from which the model opens a cell at the sea floor
LEAST_DEPTH, GREATEST_DEPTH = 20.0, 5500.0
RADIUS, ROTATION, GRAVITY, RHO0 = 6371.0e3, 7.292115e-5, 9.80665, 1026.0
AIR_DENSITY = 1.22  # kg m-3, of the stress that drives the Sverdrup transport
LEVEL_OF_NO_MOTION = 1500.0  # m, of the thermal wind
THROUGHFLOW = 15.0e6  # m3 s-1, Sprintall et al. (2009)
KURIL = 44.0  # north of it no transport crosses 150E: the Sea of Okhotsk is closed by islands
WATER_TYPES = ("I", "II", "III")  # Jerlov's; coastal types, darker than III, are left out
SHELF = 200.0  # m; shallower seas are of type III
RICH_WATER = 18.0  # degC of the year at the surface: colder open sea, beyond the Kuroshio's front, is of type II
# Channels narrower than a cell of 0.5 degree, opened to the depth of their sill: name, longitudes, latitudes, depth (m)
CHANNELS = (
    ("Tsushima Strait, west", (128.5, 130.0), (34.5, 35.0), 100.0),
    ("Tsushima Strait, east", (129.5, 130.5), (33.9, 34.6), 90.0),
    ("Tsugaru Strait", (139.9, 141.2), (41.1, 41.5), 130.0),
    ("Soya Strait", (141.6, 142.4), (45.6, 46.0), 50.0),
    ("Tokara Strait", (129.4, 130.6), (29.1, 30.2), 500.0),
    ("Luzon Strait", (120.6, 122.0), (19.1, 21.4), 2000.0),
    ("Taiwan Strait", (118.6, 120.2), (23.0, 25.4), 60.0),
)
# Straits through which water flows east, whose width (m) is less than that of the cells that stand for them
NARROWS = (
    ("Tsugaru Strait, Tappi to Shirakami", (140.3, 140.6), (40.9, 41.9), 19.0e3),
    ("Soya Strait", (141.6, 142.4), (45.5, 46.4), 42.0e3),
)


def level_thickness() -> np.ndarray:
    """25 levels, 10 m at the surface, 5500 m in all."""
    dz = np.array(
        [10, 10, 10, 12, 14, 17, 21, 26, 32, 40, 50, 63, 80, 100, 130, 165, 205, 250, 300, 355, 415, 480, 555, 635, 0.0]
    )
    dz[-1] = GREATEST_DEPTH - dz.sum()
    return dz


def open_file(folder: Path, *names: str) -> xr.Dataset:
    """Open the first of the files found anywhere under ``folder``, gzipped or not."""
    for name in names:
        for path in sorted(folder.rglob(name + "*")):
            if path.name == name:
                return xr.open_dataset(path, decode_times=False)
            if path.name == name + ".gz":
                return xr.open_dataset(io.BytesIO(gzip.open(path).read()), engine="scipy", decode_times=False)
    raise SystemExit(f"none of {', '.join(names)} is under {folder}; apt-get install ferret-datasets provides them")


def cell_depth(relief: xr.Dataset, lon: np.ndarray, lat: np.ndarray, step: float) -> np.ndarray:
    """Mean depth of the wet part of each cell (m); 0 where less than half of the cell is wet."""
    z = relief["ROSE"]
    x, y = z[z.dims[1]].values, z[z.dims[0]].values
    column, row = np.floor((x - lon[0]) / step + 0.5).astype(int), np.floor((y - lat[0]) / step + 0.5).astype(int)
    inside_x, inside_y = (column >= 0) & (column < lon.size), (row >= 0) & (row < lat.size)
    value = z.values[np.ix_(inside_y, inside_x)]
    index = (row[inside_y][:, None] * lon.size + column[inside_x][None]).ravel()
    wet = value.ravel() < 0
    size = lon.size * lat.size
    count, wet_count = np.bincount(index, minlength=size), np.bincount(index, wet, minlength=size)
    depth = np.bincount(index, np.where(wet, -value.ravel(), 0.0), minlength=size) / np.maximum(wet_count, 1)
    depth = np.where(wet_count >= 0.5 * count, depth, 0.0).reshape(lat.size, lon.size)
    return np.where(depth > 0, np.clip(depth, LEAST_DEPTH, GREATEST_DEPTH), 0.0)


def prepare_bathymetry(depth: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Open the straits, close the Indian Ocean, drop pools and dead ends.

    The depth is extended over the ring of the open edges.
    """
    depth = depth.copy()
    x, y = np.meshgrid(lon, lat)
    for _, (x0, x1), (y0, y1), sill in CHANNELS:
        box = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        depth[box] = np.maximum(depth[box], sill)
    depth[(y < 5.6 - (x - 95.3) * 1.095) & (x < 106.0)] = 0.0  # south-west of Sumatra
    depth[(x < 103.6) & (y > 0.8) & (y < 3.6) & (y < 3.6 - (x - 101.0) * 0.9)] = 0.0  # Strait of Malacca
    depth[(x < 100.2) & (y > 3.0) & (y < 20.0) & ~((x > 99.0) & (y > 9.0) & (y < 14.0))] = 0.0  # Andaman Sea
    depth[-1] = 0.0  # no open northern edge
    depth[:, 0] = 0.0
    while True:
        # the same sea floor in the ring of the open edges as just inside
        depth[:, -1], depth[0] = depth[:, -2], depth[1]
        wet = depth > 0
        label, _ = scipy.ndimage.label(wet)
        wet &= label == np.bincount(label[label > 0]).argmax()
        neighbours = scipy.ndimage.convolve(wet.astype(int), [[0, 1, 0], [1, 0, 1], [0, 1, 0]], mode="nearest")
        wet &= neighbours > 1
        if (wet == (depth > 0)).all():
            break
        depth = np.where(wet, depth, 0.0)
    return depth


def open_share(depth: np.ndarray, lon: np.ndarray, lat: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Share of the length of each east and north face that is water: less than 1 in `NARROWS` alone."""
    east, north = np.ones(depth.shape), np.ones(depth.shape)
    passes = (depth > 0) & (np.roll(depth, -1, 1) > 0)
    for _, (x0, x1), (y0, y1), width in NARROWS:
        rows, faces = (lat >= y0) & (lat <= y1), lon + 0.5 * step
        for i in np.nonzero((faces >= x0) & (faces <= x1))[0]:
            there = rows & passes[:, i]
            length = there.sum() * np.radians(step) * RADIUS
            east[there, i] = min(1.0, width / max(length, 1.0))
    return east, north


def model_domain(depth: np.ndarray, relief: np.ndarray) -> np.ndarray:
    """1 where the model decides what is sea and what is land; 0 in seas that it leaves out and in the outermost ring.

    ``relief`` is the depth before seas were closed; pools and dead ends of a few cells count as land.
    """
    domain = np.ones(depth.shape, np.int8)
    label, count = scipy.ndimage.label((relief > 0) & (depth == 0))
    size = np.bincount(label.ravel(), minlength=count + 1)
    domain[(label > 0) & (size[label] > 8)] = 0
    domain[0] = domain[:, -1] = 0  # the sea outside (and what land there is): never part of the wet mask
    return domain


def water_types(depth: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Jerlov's water type of each cell, as a position in `WATER_TYPES`.

    Where light ends follows from what lives and floats in the water (Jerlov 1976; Simonot & Le Treut 1986): the clear
    water of the tropics and of the subtropical gyre, the richer water beyond the Kuroshio's front, and the shelves.

    Parameters
    ----------
    depth : (y, x) of the sea floor, m
    temperature : (y, x) annual mean at the surface, degC
    """
    open_sea = np.where(temperature < RICH_WATER, WATER_TYPES.index("II"), WATER_TYPES.index("I"))
    return np.where((depth > 0) & (depth < SHELF), WATER_TYPES.index("III"), open_sea).astype(np.int8)


def fill(field: np.ndarray) -> np.ndarray:
    """Fill NaN in each level with the nearest value of that level; a level without any takes the one above."""
    out = field.copy()
    for k in range(out.shape[0]):
        missing = np.isnan(out[k])
        if missing.all():
            out[k] = out[k - 1]
        elif missing.any():
            nearest = scipy.ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
            out[k] = out[k][tuple(nearest)]
    return out


def interpolate(field: np.ndarray, z, y, x, to_z, to_y, to_x) -> np.ndarray:
    """Linear in each direction; constant beyond the ends."""
    for axis, (old, new) in enumerate(((z, to_z), (y, to_y), (x, to_x))):
        position = np.interp(new, old, np.arange(len(old)))
        low = np.minimum(position.astype(int), max(len(old) - 2, 0))
        weight = (position - low).reshape([-1 if a == axis else 1 for a in range(3)])
        high = np.minimum(low + 1, len(old) - 1)
        field = np.take(field, low, axis) * (1 - weight) + np.take(field, high, axis) * weight
    return field


def by_basin(field: np.ndarray, z, y, x, to_z, to_y, to_x, wet: np.ndarray) -> np.ndarray:
    """Interpolate without mixing the waters of basins that no water joins at that depth.

    In each level a basin is what hangs together in the model; a value of ``field`` (NaN: none) belongs to the basin of
    its place, or of the nearest wet cell. A basin without a value, below its sill, holds the mean of its own water in
    the level above: what flows over the sill fills it.

    Parameters
    ----------
    field : (z, y, x) values
    z, y, x : their depths (m) and places (degrees)
    to_z, to_y, to_x : those of the model
    wet : (to_z, to_y, to_x) cells that hold water
    """
    position = np.interp(to_z, z, np.arange(len(z)))
    low = np.minimum(position.astype(int), max(len(z) - 2, 0))
    weight = (position - low)[:, None, None]
    field = field[low] * (1.0 - weight) + np.where(weight > 0.0, field[np.minimum(low + 1, len(z) - 1)] * weight, 0.0)
    rows, columns = (np.abs(b[None] - a[:, None]).argmin(1) for a, b in ((y, to_y), (x, to_x)))
    out = np.full(wet.shape, np.nan)
    for k in range(len(to_z)):
        label, count = scipy.ndimage.label(wet[k])
        if not count:
            out[k] = out[k - 1]
            continue
        place = scipy.ndimage.distance_transform_edt(label == 0, return_distances=False, return_indices=True)
        near = label[tuple(place)]
        known, owner = ~np.isnan(field[k]), near[np.ix_(rows, columns)]
        for basin in range(1, count + 1):
            inside, own = label == basin, known & (owner == basin)
            if own.any():
                share = interpolate(own[None].astype(float), [0.0], y, x, [0.0], to_y, to_x)[0]
                total = interpolate(np.where(own, field[k], 0.0)[None], [0.0], y, x, [0.0], to_y, to_x)[0]
                found = inside & (share > 1e-6)
                value = np.divide(total, share, out=np.full(share.shape, np.nan), where=share > 1e-6)
                if not found.any():  # all its values lie just beyond its shore
                    value, found = np.full(share.shape, field[k][own].mean()), inside
                place = scipy.ndimage.distance_transform_edt(~found, return_distances=False, return_indices=True)
                out[k][inside] = value[tuple(place)][inside]
            else:
                above = out[k - 1] if k else fill(field[k][None])[0][np.ix_(*_nearest(y, x, to_y, to_x))]
                out[k][inside] = above[inside].mean()
        place = scipy.ndimage.distance_transform_edt(label == 0, return_distances=False, return_indices=True)
        out[k] = out[k][tuple(place)]
    return out


def _nearest(y, x, to_y, to_x):
    """Rows and columns of the values nearest to the model's."""
    return (np.abs(a[None] - b[:, None]).argmin(1) for a, b in ((y, to_y), (x, to_x)))


def hydrography(folder: Path, z: np.ndarray, lat: np.ndarray, lon: np.ndarray, wet: np.ndarray):
    """Conservative temperature (12 months, degC) and absolute salinity (g kg-1) on the model's levels and cells."""
    levitus = open_file(folder, "levitus_climatology.cdf")
    atlas = open_file(folder, "ocean_atlas_subset.nc")
    lx, ly, lz = levitus.XAXLEVITR.values, levitus.YAXLEVITR.values, levitus.ZAXLEVITR.values
    wx = (lx > WEST - 5) & (lx < EAST + 5)
    wy = (ly > SOUTH - 5) & (ly < NORTH + 5)
    t, s = levitus.TEMP.values[:, wy][:, :, wx], levitus.SALT.values[:, wy][:, :, wx]
    t, s = (by_basin(a, lz, ly[wy], lx[wx], z, lat, lon, wet) for a in (t, s))
    ax, ay, az = atlas.XAX_SUBSET.values, atlas.YAX_SUBSET.values, atlas.ZAXLEVIT19.values
    wx, wy = (ax > WEST - 6) & (ax < EAST + 6), (ay > SOUTH - 6) & (ay < NORTH + 6)
    months = atlas.TEMP.values[:, :, wy][:, :, :, wx]
    anomaly = months - months.mean(0)
    anomaly = np.stack(
        [
            interpolate(fill(np.nan_to_num(a) * np.where(np.isnan(a), np.nan, 1)), az, ay[wy], ax[wx], z, lat, lon)
            for a in anomaly
        ]
    )
    anomaly *= np.clip((1000.0 - z) / 200.0, 0.0, 1.0)[:, None, None]
    p = gsw.p_from_z(-z[:, None, None], lat[None, :, None])
    salinity = gsw.SA_from_SP(np.clip(s, 0, None), p, lon[None, None], lat[None, :, None])
    temperature = np.stack([gsw.CT_from_t(salinity, t + a, p) for a in anomaly])
    return temperature, salinity


def neutral_drag(speed: np.ndarray) -> np.ndarray:
    """Neutral drag coefficient at 10 m (Large and Yeager 2009, eq. 11) of a wind speed below 33 m s-1."""
    speed = np.maximum(speed, 0.5)
    return 1.0e-3 * (2.7 / speed + 0.142 + speed / 13.09 - 3.14807e-10 * speed**6)


def sverdrup_transport(folder: Path, lat: np.ndarray, west: float = EAST) -> np.ndarray:
    """Stream function (m3 s-1) along a meridian, by default the eastern edge's, zero at the American coast.

    It follows from the curl of the annual COADS stress, with the drag that the model's own air-sea fluxes have.
    """
    coads = open_file(folder, "coads_climatology.cdf")
    x, y = coads.COADSX.values, coads.COADSY.values
    speed = coads.WSPD.values
    weight = AIR_DENSITY * neutral_drag(speed) * speed
    stress = [np.nanmean(weight * coads[name].values, 0) for name in ("UWND", "VWND")]
    sea = ~np.isnan(stress[0])
    tx, ty = (scipy.ndimage.gaussian_filter(fill(a[None])[0], 0.7) for a in stress)
    phi = np.radians(y)
    dphi, dlam = np.radians(2.0), np.radians(2.0)
    curl = np.gradient(ty, dlam, axis=1) - np.gradient(tx * np.cos(phi)[:, None], dphi, axis=0)
    curl /= RADIUS * np.cos(phi)[:, None]
    beta = 2 * ROTATION * np.cos(phi) / RADIUS
    psi = np.zeros(y.size)
    for j in range(y.size):
        columns = np.nonzero(x > west)[0]
        land = np.nonzero(~sea[j, columns] & (x[columns] > 200.0))[0]
        last = land[0] if land.size else np.searchsorted(x[columns], 285.0)
        width = RADIUS * np.cos(phi[j]) * dlam
        psi[j] = -np.sum(np.where(sea[j, columns[:last]], curl[j, columns[:last]], 0.0)) * width / (RHO0 * beta[j])
    inside = (y > SOUTH - 6) & (y < KURIL + 1)
    psi = scipy.ndimage.gaussian_filter1d(psi[inside], 1.2)
    return np.where(lat < KURIL, np.interp(lat, y[inside], psi), 0.0)


def eastward_outflow(psi: np.ndarray, lat: np.ndarray, baroclinic: np.ndarray) -> np.ndarray:
    """Transport across each cell of the eastern edge (m3 s-1), ``-d psi`` south of the gyre's centre.

    What the subtropical gyre carries north is gathered in a jet long before 150E, so Sverdrup's balance does not say
    where it leaves. North of the centre its transport is shared out as the eastward flow of the hydrography is.

    Parameters
    ----------
    psi : (y + 1,) stream function at the cells' edges, m3 s-1
    lat : (y,) degrees
    baroclinic : (y,) transport of the thermal wind, eastward, m3 s-1
    """
    centre = int(psi.argmax())
    flow = -np.diff(psi)
    jet = np.where((np.arange(lat.size) >= centre) & (lat < KURIL), np.maximum(baroclinic, 0.0), 0.0)
    flow[centre:] = (psi[centre] - psi[-1]) * jet[centre:] / jet.sum()
    return flow


def carrying(transport: np.ndarray, shear: np.ndarray, dz: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """The velocities whose sum over depth is the transport: what the shear lacks moves the water above 1500 m alone.

    Spread over the whole depth it would drive 16 Sv in below 1235 m where the Kuroshio's extension leaves, and out
    again in the subtropics: an overturning that nothing asks for.

    Parameters
    ----------
    transport : (y,) m2 s-1
    shear : (z, y) velocities, m s-1
    dz : (z,) thickness of the levels, m
    depth : (y,) of the sea floor, m
    """
    top = (np.cumsum(dz) - dz)[:, None]
    wet = np.clip(depth - top, 0.0, dz[:, None])
    moving = np.clip(np.minimum(depth, LEVEL_OF_NO_MOTION) - top, 0.0, dz[:, None])
    lacking = (transport - (shear * wet).sum(0)) / np.maximum(moving.sum(0), 1.0)
    return shear + lacking * moving / np.maximum(wet, 1.0)


def open_edges(folder, depth, temperature, salinity, z, dz, lat, lon, step):
    """Transports and velocities across the eastern and southern edges, and the sea level that belongs to them."""
    edge_lat = np.append(lat - 0.5 * step, lat[-1] + 0.5 * step)
    dy = np.radians(step) * RADIUS
    wet_east = depth[:, -1] > 0
    f = 2 * ROTATION * np.sin(np.radians(lat))
    rho = gsw.rho(salinity[:, :, -1], temperature.mean(0)[:, :, -1], 0.0)
    slope = np.gradient(scipy.ndimage.gaussian_filter1d(rho, 2.0, axis=1), dy, axis=1)
    safe = np.where(np.abs(f) < 2e-5, np.where(f < 0, -2e-5, 2e-5), f)
    shear = GRAVITY / RHO0 * slope / safe * np.clip(np.abs(f) / 2e-5, 0, 1) ** 2  # du/dz, z upwards
    reaching = np.clip(LEVEL_OF_NO_MOTION - (np.cumsum(dz) - dz), 0.0, dz)[:, None]
    above = np.cumsum((shear * reaching)[::-1], 0)[::-1] - 0.5 * shear * reaching
    u_east = np.clip(above, -1.0, 1.0)
    column = np.sum(u_east * dz[:, None] * (np.cumsum(dz)[:, None] <= depth[:, -1]), 0)
    # transport over land goes to the nearest wet cell
    crossing = eastward_outflow(sverdrup_transport(folder, edge_lat), lat, column * dy)
    flow_east = np.zeros(lat.size)
    wet_rows = np.nonzero(wet_east)[0]
    for j, value in enumerate(crossing):
        flow_east[wet_rows[np.abs(wet_rows - j).argmin()]] += value
    # across the southern edge the Indonesian throughflow leaves, and what then is missing comes in along New Guinea,
    # both in proportion to the cross-section of the upper 1000 m
    dx = np.radians(step) * RADIUS * np.cos(np.radians(lat[0]))
    section = np.minimum(depth[0], 1000.0) * dx
    section[-1] = 0.0  # the corner
    flow_east[0] = 0.0
    missing = flow_east.sum() + THROUGHFLOW
    west, east = np.where(lon < 140.0, section, 0.0), np.where(lon > 140.0, section, 0.0)
    transport_v = (missing * east / east.sum() - THROUGHFLOW * west / west.sum()) / dx  # northward, m2 s-1
    v_south = np.exp(-z / 300.0)[:, None] * transport_v[None] / 300.0
    transport_u = flow_east / dy
    u_east = carrying(transport_u, u_east, dz, depth[:, -1])
    eta = -np.cumsum(f * u_east[0] * dy) / GRAVITY
    eta -= eta[wet_east].mean()
    return {
        "transport_u": transport_u, "u": u_east, "eta_east": eta, "transport_v": transport_v, "v": v_south,
        "eta_south": np.full(lon.size, eta[0]), "net": flow_east.sum(), "new_guinea": missing,
    }  # fmt: skip


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=Path, required=True, help="folder of the ferret datasets")
    parser.add_argument("--output", type=Path, default=Path("data/east_asia_primitive_ocean.nc"))
    parser.add_argument("--step", type=float, default=0.5, help="cell size in degrees (0.5 or 0.25)")
    a = parser.parse_args()
    lon, lat = np.arange(WEST + 0.5 * a.step, EAST, a.step), np.arange(SOUTH + 0.5 * a.step, NORTH, a.step)
    dz = level_thickness()
    z = np.cumsum(dz) - 0.5 * dz
    relief = cell_depth(open_file(a.datasets, "etopo5_eastasia.nc", "etopo5.cdf"), lon, lat, a.step)
    depth = prepare_bathymetry(relief, lon, lat)
    share = open_share(depth, lon, lat, a.step)
    reached = depth[None] > (np.cumsum(dz) - dz + LEAST_CELL * dz)[:, None, None]
    temperature, salinity = hydrography(a.datasets, z, lat, lon, reached)
    edges = open_edges(a.datasets, depth, temperature, salinity, z, dz, lat, lon, a.step)
    upper = z < 1000.0
    mean = temperature.mean(0)
    data = xr.Dataset(
        {
            "sea_floor_depth_below_geoid": (("latitude", "longitude"), depth, {"units": "m"}),
            "model_domain_binary_mask": (("latitude", "longitude"), model_domain(depth, relief),
                {"units": "1", "comment": "0: seas that are left out, and the ring of the open edges"}),
            "jerlov_water_type": (("latitude", "longitude"), water_types(depth, mean[0]),
                {"units": "1", "flag_values": np.arange(len(WATER_TYPES), dtype=np.int8),
                 "flag_meanings": " ".join(WATER_TYPES)}),
            "open_share_of_eastern_faces": (("latitude", "longitude"), share[0],
                {"units": "1", "comment": "of the face's length, what is water in a strait narrower than a cell"}),
            "open_share_of_northern_faces": (("latitude", "longitude"), share[1], {"units": "1"}),
            "sea_water_conservative_temperature": (("depth", "latitude", "longitude"), mean,
                {"units": "degree_C", "comment": "annual mean"}),
            "sea_water_conservative_temperature_anomaly": (
                ("month", "upper_depth", "latitude", "longitude"), (temperature - mean)[:, upper],
                {"units": "K", "comment": "month less annual mean"},
            ),
            "sea_water_absolute_salinity": (("depth", "latitude", "longitude"), salinity,
                {"units": "g kg-1", "comment": "annual mean"}),
            "cell_thickness": (("depth",), dz, {"units": "m"}),
            "eastern_transport": (("latitude",), edges["transport_u"],
                {"units": "m2 s-1", "comment": "eastward, across the eastern edge"}),
            "eastern_velocity": (("depth", "latitude"), edges["u"], {"units": "m s-1"}),
            "eastern_sea_level": (("latitude",), edges["eta_east"], {"units": "m"}),
            "southern_transport": (("longitude",), edges["transport_v"],
                {"units": "m2 s-1", "comment": "northward, across the southern edge"}),
            "southern_velocity": (("depth", "longitude"), edges["v"], {"units": "m s-1"}),
            "southern_sea_level": (("longitude",), edges["eta_south"], {"units": "m"}),
        },
        coords={
            "longitude": ("longitude", lon, {"units": "degrees_east", "standard_name": "longitude"}),
            "latitude": ("latitude", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "depth": ("depth", z, {"units": "m", "positive": "down", "standard_name": "depth"}),
            "upper_depth": ("upper_depth", z[upper], {"units": "m", "positive": "down"}),
            "month": ("month", np.arange(1, 13), {"long_name": "month of the year"}),
        },
        attrs={
            "Conventions": "CF-1.11", "title": "Sea floor, hydrography and open edges of the East Asian seas",
            "source": "ETOPO5; Levitus (1982); World Ocean Atlas; COADS, of NOAA PMEL's Ferret distribution",
            "history": "made by data/make_ocean_inputs.py",
        },
    )  # fmt: skip
    encoding = {name: {"zlib": True, "complevel": 6, "dtype": "float32"} for name in data.data_vars}
    for name in ("model_domain_binary_mask", "jerlov_water_type"):
        encoding[name] = {"zlib": True, "dtype": "int8"}
    for name in (
        "sea_water_conservative_temperature_anomaly",
        "sea_water_conservative_temperature",
        "sea_water_absolute_salinity",
    ):
        scale = 5e-4 if "anomaly" in name or "salinity" in name else 1e-3
        offset = 30.0 if "salinity" in name else 0.0
        encoding[name] = {
            "zlib": True,
            "complevel": 9,
            "dtype": "int16",
            "scale_factor": scale,
            "add_offset": offset,
            "_FillValue": -32768,
        }
    wet = depth > 0
    for name in (
        "sea_water_conservative_temperature",
        "sea_water_conservative_temperature_anomaly",
        "sea_water_absolute_salinity",
    ):
        data[name] = data[name].where(wet)
    data.to_netcdf(a.output, encoding=encoding)
    print(
        f"{a.output}: {int(wet.sum())} wet columns, {edges['net'] / 1e6:.1f} Sv leave across 150E, "
        f"{THROUGHFLOW / 1e6:.0f} Sv across 5S, {edges['new_guinea'] / 1e6:.1f} Sv come in along New Guinea"
    )


if __name__ == "__main__":
    main()
