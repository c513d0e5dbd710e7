# SPDX-License-Identifier: BSD-3-Clause
"""What crosses the East Asian seas' open edges: Sverdrup's transport at 150E, the throughflow at 5S, their shear."""

from pathlib import Path

import gsw
import numpy as np
import scipy.ndimage
from ferret_datasets import open_file
from ocean_grid import EAST, GRAVITY, RADIUS, RHO0, ROTATION, SOUTH
from ocean_hydrography import fill

AIR_DENSITY = 1.22  # kg m-3, of the stress that drives the Sverdrup transport
LEVEL_OF_NO_MOTION = 1500.0  # m, of the thermal wind
THROUGHFLOW = 15.0e6  # m3 s-1, Sprintall et al. (2009)
KURIL = 44.0  # north of it no transport crosses 150E: the Sea of Okhotsk is closed by islands


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
