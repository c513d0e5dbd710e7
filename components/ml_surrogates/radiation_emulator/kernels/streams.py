# SPDX-License-Identifier: BSD-3-Clause
"""Clear and cloudy streams through columns, with the classes of the recurrent network in the vector lanes.

The numbers are those of `recurrent.Longwave` and `recurrent.Shortwave` to rounding, a column at a time.
"""

import numpy as np

from components.ml_surrogates.radiation_emulator.adding import BRIGHTER as EDGES
from components.ml_surrogates.radiation_emulator.kernels.compiled import compiled
from components.radiation.kernels.gas_optics import ONE, TINY, ZERO, absorbed
from components.radiation.kernels.shortwave import two_stream
from components.radiation.kernels.subcolumns import transitions

PADE = np.float32(0.278)
BRIGHTER = tuple(np.float32(edge) for edge in EDGES)
GROUPS = len(EDGES) + 1
STATES = 2 * GROUPS


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
    # of what lies below an interface, for each top (clear, cloudy) and group of columns below that: the area it has,
    # what it reflects of diffuse light and of the beam, and the group it is of for the layer above
    area = np.zeros((nlev + 1, STATES), np.float32)
    mirror, glare = np.zeros((nlev + 1, STATES, classes), np.float32), np.zeros((nlev + 1, STATES, classes), np.float32)
    group = np.zeros((nlev, STATES), np.int64)
    share = np.zeros((nlev, 2, STATES), np.float32)
    beam, diffuse = np.zeros((STATES, classes), np.float32), np.zeros((STATES, classes), np.float32)
    ray, light = np.zeros((STATES, classes), np.float32), np.zeros((STATES, classes), np.float32)
    tau, w, g = np.zeros(classes, np.float32), np.zeros(classes, np.float32), np.zeros(classes, np.float32)
    cloud, bare = np.zeros((3, classes), np.float32), np.zeros(classes, np.float32)
    for i in range(n):
        for z in range(nlev):
            mix(absorption[z, i], scattering[z, i], cloud, False, tau, w, g)
            two_stream(tau, w, g, mu[i], classes, layers[z, 0])
            if fraction[z, i] > ZERO:
                particles(water[:, z, i], optics, by_size, size[z, i], cloud)
                mix(absorption[z, i], scattering[z, i], cloud, True, tau, w, g)
                two_stream(tau, w, g, mu[i], classes, layers[z, 1])
        area[0] = ZERO
        area[0, 0] = ONE
        mirror[0, 0] = glare[0, 0] = bare[:] = albedo[i]
        for z in range(nlev):
            from_cloudy = from_clear = fraction[z, i]
            if z > 0:
                from_cloudy, from_clear = entering(fraction[z, i], fraction[z - 1, i], overlap[z - 1, i])
            place(mirror[z], bare, sun, area[z], from_clear, from_cloudy, group[z], share[z], area[z + 1])
            mirror[z + 1] = glare[z + 1] = ZERO
            for below in range(STATES):
                for part in range(2):
                    part_of = share[z, part, below]
                    if part_of <= ZERO:
                        continue
                    top = part * GROUPS + group[z, below]
                    for c in range(classes):
                        b = part_of / (ONE - layers[z, part, 0, c] * mirror[z, below, c])
                        mirror[z + 1, top, c] += b * mirror[z, below, c]
                        glare[z + 1, top, c] += b * glare[z, below, c]
            for top in range(STATES):
                if area[z + 1, top] <= ZERO:
                    continue
                part = top // GROUPS
                for c in range(classes):
                    back, transmits = mirror[z + 1, top, c], layers[z, part, 1, c]
                    lit = back * layers[z, part, 3, c] + layers[z, part, 4, c] * glare[z + 1, top, c]
                    glare[z + 1, top, c] = layers[z, part, 2, c] + transmits * lit
                    mirror[z + 1, top, c] = layers[z, part, 0, c] + transmits * transmits * back
            for c in range(classes):
                reflects, transmits = layers[z, 0, 0, c], layers[z, 0, 1, c]
                bare[c] = reflects + transmits * transmits * bare[c] / (ONE - reflects * bare[c])
        total = ZERO
        for top in range(STATES):
            for c in range(classes):
                beam[top, c], diffuse[top, c] = area[nlev, top] * sun[c], ZERO
                total += glare[nlev, top, c] * beam[top, c]
        up[nlev, i], down[nlev, i] = total, ONE
        for z in range(nlev - 1, -1, -1):
            upward = downward = ZERO
            for below in range(STATES):
                ray[below] = light[below] = ZERO
                if area[z, below] <= ZERO:
                    continue
                for part in range(2):
                    part_of = share[z, part, below]
                    if part_of <= ZERO:
                        continue
                    top = part * GROUPS + group[z, below]
                    for c in range(classes):
                        passed = beam[top, c] * layers[z, part, 4, c]
                        sent = layers[z, part, 1, c] * diffuse[top, c] + layers[z, part, 3, c] * beam[top, c]
                        back = layers[z, part, 0, c] * passed * glare[z, below, c]
                        light[below, c] += part_of * (sent + back) / (ONE - layers[z, part, 0, c] * mirror[z, below, c])
                        ray[below, c] += part_of * passed
                for c in range(classes):
                    upward += mirror[z, below, c] * light[below, c] + glare[z, below, c] * ray[below, c]
                    downward += light[below, c] + ray[below, c]
            beam[:], diffuse[:] = ray, light
            up[z, i], down[z, i] = upward, downward


@compiled
def place(mirror, bare, sun, area, from_clear, from_cloudy, group, share, area_above):
    """Columns below an interface in groups by what they reflect, and which part of them is below which part of a layer.

    Parameters
    ----------
    mirror : (STATES, classes) what they reflect
    bare, sun : (classes,) what the clear column reflects; parts of what comes in
    area : (STATES,) of each
    from_clear, from_cloudy : parts of those with a clear and with a cloudy top that are below the layer's cloud
    group : (STATES,) result
    share : (2, STATES) result: below the clear and the cloudy part, of all there in the same group
    area_above : (STATES,) result: of the layer's parts over each group
    """
    clear = left = ZERO
    for c in range(sun.size):
        clear += bare[c] * sun[c]
        left += (ONE - bare[c]) * sun[c]
    area_above[:] = ZERO
    for below in range(STATES):
        group[below] = 0
        share[:, below] = ZERO
        if area[below] <= ZERO:
            continue
        more = -clear
        for c in range(sun.size):
            more += mirror[below, c] * sun[c]
        for edge in BRIGHTER:
            group[below] += more > edge * left
        inside = from_cloudy if below >= GROUPS else from_clear
        share[0, below], share[1, below] = area[below] * (ONE - inside), area[below] * inside
        area_above[group[below]] += share[0, below]
        area_above[GROUPS + group[below]] += share[1, below]
    for below in range(STATES):
        for part in range(2):
            if share[part, below] > ZERO:
                share[part, below] /= area_above[part * GROUPS + group[below]]


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
