# SPDX-License-Identifier: BSD-3-Clause
"""Clear and cloudy streams through columns, with the classes of the recurrent network in the vector lanes.

The numbers are those of `recurrent.Longwave` and `recurrent.Shortwave` to rounding, a column at a time.
"""

import numpy as np

from components.ml_surrogates.radiation_emulator.kernels.compiled import compiled
from components.radiation.kernels.gas_optics import ONE, TINY, ZERO, absorbed
from components.radiation.kernels.shortwave import two_stream
from components.radiation.kernels.subcolumns import transitions

PADE, HALF = np.float32(0.278), np.float32(0.5)


@compiled
def entering(fraction, behind, overlap):
    """Shares that enter the cloud of a layer from the cloudy and from the clear part of the layer behind.

    Parameters
    ----------
    fraction, behind : parts of the layer and of the one behind that clouds fill
    overlap : 1 for maximal overlap of the two, 0 for random
    """
    if fraction <= ZERO:  # exactly: rounding must not let light into a cloud that is not there
        return ZERO, ZERO
    return transitions(fraction, behind, overlap)


@compiled
def longwave(depth, water, log_absorption, size, layer, edge, ground, emissivity, fraction, overlap, up, down):
    """Fluxes of columns in the longwave.

    Parameters
    ----------
    depth : (nlev, n, classes) optical depth of the clear air
    water : (3, nlev, n) paths of drops, crystals and snow within clouds, kg m-2
    log_absorption : (4, classes) of drops, crystals and snow, ln m2 kg-1, and the crystals' change with ``size``
    size : (nlev, n) logarithm of the crystals' size
    layer, edge : (nlev, n, classes), (nlev + 1, n, classes) emission of a black body at their temperatures, W m-2
    ground : (n, classes) the same of the ground
    emissivity : (n,) of the ground
    fraction, overlap : (nlev, n) of the clouds
    up, down : (nlev + 1, n) results, W m-2
    """
    nlev, n, classes = depth.shape
    lost = np.zeros((nlev, 2, classes), np.float32)
    sent_up, sent_down = np.zeros((nlev, 2, classes), np.float32), np.zeros((nlev, 2, classes), np.float32)
    clear, cloudy = np.zeros(classes, np.float32), np.zeros(classes, np.float32)
    per = np.exp(log_absorption)
    extinct = np.zeros(classes, np.float32)
    for i in range(n):
        for z in range(nlev):
            f = fraction[z, i]
            for part in range(2 if f > ZERO else 1):
                if part == 1:
                    for c in range(classes):
                        extinct[c] = depth[z, i, c] + water[0, z, i] * per[0, c] + water[2, z, i] * per[2, c]
                    if water[1, z, i] > ZERO:
                        grown = np.float32(size[z, i])
                        for c in range(classes):
                            extinct[c] += water[1, z, i] * per[1, c] * np.exp(log_absorption[3, c] * grown)
                else:
                    for c in range(classes):
                        extinct[c] = depth[z, i, c]
                area = f if part == 1 else ONE - f
                for c in range(classes):
                    x = extinct[c]
                    a = absorbed(x)
                    bend = PADE * x / (ONE + PADE * x)
                    middle = layer[z, i, c]
                    lost[z, part, c] = a
                    sent_down[z, part, c] = area * a * (middle + bend * (edge[z, i, c] - middle))
                    sent_up[z, part, c] = area * a * (middle + bend * (edge[z + 1, i, c] - middle))
        clear[:] = ZERO
        cloudy[:] = ZERO
        down[nlev, i] = ZERO
        for z in range(nlev - 1, -1, -1):
            if z < nlev - 1 and (fraction[z, i] > ZERO or fraction[z + 1, i] > ZERO):
                from_cloudy, from_clear = entering(fraction[z, i], fraction[z + 1, i], overlap[z, i])
                cross(clear, cloudy, from_clear, from_cloudy)
            down[z, i] = through(lost[z], sent_down[z], clear, cloudy, fraction[z, i])
        e, f = emissivity[i], fraction[0, i]
        total = ZERO
        for c in range(classes):
            flux = e * ground[i, c] + (ONE - e) * (clear[c] + cloudy[c])
            clear[c], cloudy[c] = (ONE - f) * flux, f * flux
            total += flux
        up[0, i] = total
        for z in range(nlev):
            if z > 0 and (fraction[z, i] > ZERO or fraction[z - 1, i] > ZERO):
                from_cloudy, from_clear = entering(fraction[z, i], fraction[z - 1, i], overlap[z - 1, i])
                cross(clear, cloudy, from_clear, from_cloudy)
            up[z + 1, i] = through(lost[z], sent_up[z], clear, cloudy, fraction[z, i])


@compiled
def cross(clear, cloudy, from_clear, from_cloudy):
    """Take both streams through an interface, in place.

    Parameters
    ----------
    clear, cloudy : (classes,) fluxes
    from_clear, from_cloudy : shares that enter the cloud
    """
    for c in range(clear.size):
        inside = from_clear * clear[c] + from_cloudy * cloudy[c]
        clear[c] += cloudy[c] - inside
        cloudy[c] = inside


@compiled
def through(lost, sent, clear, cloudy, fraction):
    """Take both streams through a layer, in place; their sum.

    Parameters
    ----------
    lost, sent : (2, classes) what the parts absorb, and what they emit
    clear, cloudy : (classes,) fluxes
    fraction : part that is cloudy
    """
    total = ZERO
    for c in range(clear.size):
        clear[c] = (ONE - lost[0, c]) * clear[c] + sent[0, c]
        total += clear[c]
    if fraction > ZERO:
        for c in range(clear.size):
            cloudy[c] = (ONE - lost[1, c]) * cloudy[c] + sent[1, c]
            total += cloudy[c]
    return total


@compiled
def shortwave(
    absorption, scattering, water, optics, by_size, size, sun, mu, albedo, fraction, overlap, up, down
):  # fmt: skip
    """Fluxes of columns in the shortwave, as parts of the incoming flux.

    Parameters
    ----------
    absorption, scattering : (nlev, n, classes) optical depths of the clear air
    water : (3, nlev, n) paths of drops, crystals and snow within clouds, kg m-2
    optics : (3, 3, classes) of drops, crystals and snow: ln extinction (m2 kg-1), logits of co-albedo and asymmetry
    by_size : (3, classes) change of the crystals' with ``size``
    size : (nlev, n) logarithm of the crystals' size
    sun : (classes,) parts of what comes in
    mu, albedo : (n,) cosine of the zenith angle; of the ground
    fraction, overlap : (nlev, n) of the clouds
    up, down : (nlev + 1, n) results
    """
    nlev, n, classes = absorption.shape
    layers = np.zeros((nlev, 2, 5, classes), np.float32)
    # what lies below a layer, as its own top (of the layer below it) shows it: of diffuse light and of the beam
    mirror, glare = np.zeros((nlev + 1, 2, classes), np.float32), np.zeros((nlev + 1, 2, classes), np.float32)
    shared = np.zeros((nlev, 2, 2, classes), np.float32)
    pairs = np.zeros((nlev, 2, 2), np.float32)
    beam, diffuse = np.zeros((2, classes), np.float32), np.zeros((2, classes), np.float32)
    ray, light = np.zeros((2, classes), np.float32), np.zeros((2, classes), np.float32)
    tau, w, g = np.zeros(classes, np.float32), np.zeros(classes, np.float32), np.zeros(classes, np.float32)
    cloud = np.zeros((3, classes), np.float32)
    for i in range(n):
        for z in range(nlev):
            mix(absorption[z, i], scattering[z, i], cloud, False, tau, w, g)
            two_stream(tau, w, g, mu[i], classes, layers[z, 0])
            if fraction[z, i] > ZERO:
                particles(water[:, z, i], optics, by_size, size[z, i], cloud)
                mix(absorption[z, i], scattering[z, i], cloud, True, tau, w, g)
                two_stream(tau, w, g, mu[i], classes, layers[z, 1])
        mirror[0] = albedo[i]
        glare[0] = albedo[i]
        for z in range(nlev):
            if z == 0:
                pairs[0] = HALF
            else:
                from_cloudy, from_clear = entering(fraction[z - 1, i], fraction[z, i], overlap[z - 1, i])
                pairs[z, 0, 0], pairs[z, 0, 1] = ONE - from_clear, from_clear
                pairs[z, 1, 0], pairs[z, 1, 1] = ONE - from_cloudy, from_cloudy
            for part in range(2 if fraction[z, i] > ZERO else 1):
                first, second = pairs[z, part, 0], pairs[z, part, 1]
                for c in range(classes):
                    reflects, transmits = layers[z, part, 0, c], layers[z, part, 1, c]
                    b = first / (ONE - reflects * mirror[z, 0, c])
                    b_2 = second / (ONE - reflects * mirror[z, 1, c])
                    shared[z, part, 0, c], shared[z, part, 1, c] = b, b_2
                    back = b * mirror[z, 0, c] + b_2 * mirror[z, 1, c]
                    lit = back * layers[z, part, 3, c] + layers[z, part, 4, c] * (
                        b * glare[z, 0, c] + b_2 * glare[z, 1, c]
                    )
                    glare[z + 1, part, c] = layers[z, part, 2, c] + transmits * lit
                    mirror[z + 1, part, c] = reflects + transmits * transmits * back
        f = fraction[nlev - 1, i]
        total = ZERO
        for c in range(classes):
            beam[0, c], beam[1, c] = (ONE - f) * sun[c], f * sun[c]
            diffuse[0, c] = diffuse[1, c] = ZERO
            total += glare[nlev, 0, c] * beam[0, c] + glare[nlev, 1, c] * beam[1, c]
        up[nlev, i], down[nlev, i] = total, ONE
        for z in range(nlev - 1, -1, -1):
            light[:] = ZERO
            ray[:] = ZERO
            for part in range(2 if fraction[z, i] > ZERO else 1):
                first, second = pairs[z, part, 0], pairs[z, part, 1]
                for c in range(classes):
                    passed = beam[part, c] * layers[z, part, 4, c]
                    sent = layers[z, part, 1, c] * diffuse[part, c] + layers[z, part, 3, c] * beam[part, c]
                    back = layers[z, part, 0, c] * passed
                    light[0, c] += shared[z, part, 0, c] * (sent + back * glare[z, 0, c])
                    light[1, c] += shared[z, part, 1, c] * (sent + back * glare[z, 1, c])
                    ray[0, c] += first * passed
                    ray[1, c] += second * passed
            upward = downward = ZERO
            for part in range(2):
                for c in range(classes):
                    upward += mirror[z, part, c] * light[part, c] + glare[z, part, c] * ray[part, c]
                    downward += light[part, c] + ray[part, c]
                    diffuse[part, c], beam[part, c] = light[part, c], ray[part, c]
            up[z, i], down[z, i] = upward, downward


@compiled
def particles(water, optics, by_size, size, cloud):
    """Optical depth of absorption, of scattering, and the part of the latter that goes on, of a layer's cloud.

    Parameters
    ----------
    water : (3,) paths of drops, crystals and snow, kg m-2
    optics, by_size, size : of `shortwave`
    cloud : (3, classes) results
    """
    cloud[:] = ZERO
    for kind in range(3):
        if water[kind] <= ZERO:
            continue
        grown = np.float32(size) if kind == 1 else ZERO
        for c in range(cloud.shape[1]):
            depth = water[kind] * np.exp(optics[kind, 0, c] + grown * by_size[0, c])
            lost = ONE / (ONE + np.exp(-optics[kind, 1, c] - grown * by_size[1, c]))
            kept = depth * (ONE - lost)
            cloud[0, c] += depth * lost
            cloud[1, c] += kept
            cloud[2, c] += kept / (ONE + np.exp(-optics[kind, 2, c] - grown * by_size[2, c]))


@compiled
def mix(absorption, scattering, cloud, cloudy, tau, w, g):
    """Optical depth, single-scattering albedo and asymmetry of air, with a cloud or not, delta-scaled.

    Parameters
    ----------
    absorption, scattering : (classes,) of the air
    cloud, cloudy : of `particles`, and whether it is there
    tau, w, g : results
    """
    for c in range(tau.size):
        lost, kept, forward = absorption[c], scattering[c], ZERO
        if cloudy:
            lost += cloud[0, c]
            kept += cloud[1, c]
            forward = cloud[2, c]
        asymmetry = forward / max(kept, TINY)
        kept *= ONE - asymmetry * asymmetry
        depth = lost + kept
        tau[c] = depth
        w[c] = min(kept / max(depth, TINY), np.float32(0.99999))
        g[c] = asymmetry / (ONE + asymmetry)
