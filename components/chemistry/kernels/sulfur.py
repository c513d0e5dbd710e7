# SPDX-License-Identifier: BSD-3-Clause
"""Oxidation of sulfur dioxide in the water of clouds, cell after cell; a cell's numbers depend on that cell alone."""

import math

import numpy as np

from components.chemistry.kernels.compiled import compiled

LEAST_WATER = 1.0e-6  # kg m-3 of cloud below which nothing is dissolved
STEPS, GROWTH = 16, 1.25  # of a time step, each longer than the one before by this factor


@compiled
def at(k, heat, t):
    """A constant at ``t`` K of its value at 298.15 K and -dH/R (K)."""
    return k * math.exp(heat * (1.0 / t - 1.0 / 298.15))


# At 298.15 K, mol l-1, of Henry mol l-1 atm-1, and -dH/R, K (Seinfeld & Pandis 2006). Henry: table 7.2 with the heats
# of solution of table 7.3 (SO2 -6.25, NH3 -8.17, CO2 -4.85, O3 -5.04, H2O2 -14.5 kcal mol-1). Dissociation: table 7.4
# (H2O 13.35, CO2 1.83, S(IV) -4.16 and -2.23 kcal mol-1), both as public transcriptions have them; of ammonia .87 kcal
# mol-1, a tenth of what these print (Bates & Pinching 1949), of nitric acid and HSO4 table 7.A.1 (Pandis & Seinfeld
# 1989).
SULFUR_DIOXIDE, TO_BISULFITE, TO_SULFITE = (1.23, 3145.0), (1.3e-2, 2090.0), (6.6e-8, 1120.0)
AMMONIA, TO_AMMONIUM, WATER = (62.0, 4110.0), (1.7e-5, -450.0), (1.0e-14, -6720.0)
NITRIC_ACID, TO_NITRATE = (2.1e5, 8700.0), (15.4, 8700.0)
CARBON_DIOXIDE, TO_BICARBONATE = (3.4e-2, 2440.0), (4.3e-7, -920.0)
TO_SULFATE = (1.02e-2, 2720.0)  # of HSO4
OZONE, PEROXIDE = (1.1e-2, 2540.0), (1.0e5, 7300.0)


@compiled
def fill(t, c):
    """Constants at ``t`` K."""
    c[0] = at(SULFUR_DIOXIDE[0], SULFUR_DIOXIDE[1], t)
    c[1] = at(TO_BISULFITE[0], TO_BISULFITE[1], t)
    c[2] = at(TO_SULFITE[0], TO_SULFITE[1], t)
    c[3] = at(AMMONIA[0], AMMONIA[1], t)
    c[4] = at(TO_AMMONIUM[0], TO_AMMONIUM[1], t)
    c[5] = at(WATER[0], WATER[1], t)
    c[6] = at(NITRIC_ACID[0], NITRIC_ACID[1], t)
    c[7] = at(TO_NITRATE[0], TO_NITRATE[1], t)
    c[8] = at(CARBON_DIOXIDE[0], CARBON_DIOXIDE[1], t)
    c[9] = at(TO_BICARBONATE[0], TO_BICARBONATE[1], t)
    c[10] = at(TO_SULFATE[0], TO_SULFATE[1], t)
    c[11] = at(OZONE[0], OZONE[1], t)
    c[12] = at(PEROXIDE[0], PEROXIDE[1], t)
    c[13] = 2.4e4  # SO2 + O3, l mol-1 s-1 (Hoffmann & Calvert 1985)
    c[14] = at(3.7e5, -5530.0, t)  # HSO3 + O3
    c[15] = at(1.5e9, -5280.0, t)  # SO3 + O3
    c[16] = at(7.5e7, -4430.0, t)  # HSO3 + H2O2 + H, l2 mol-2 s-1 (Hoffmann & Calvert 1985)


@compiled
def dissolved(h, c):
    """All that is dissolved per pressure (mol l-1 atm-1) of SO2, NH3 and HNO3 at acidity ``h``."""
    siv = c[0] * (1.0 + c[1] / h * (1.0 + c[2] / h))
    return siv, c[3] * (1.0 + c[4] * h / c[5]), c[6] * (1.0 + c[7] / h)


@compiled
def excess(h, w, so2, nh3, no3, so4, co2, air, c):
    """Cations less anions (mol l-1) at acidity ``h``.

    Amounts of both phases in mol per m3 of air; ``w`` litres of water, ``air`` mol m-3 atm-1 of a gas, ``co2`` atm.
    """
    siv, n3, n5 = dissolved(h, c)
    hso3 = so2 / (air + siv * w) * c[0] * c[1] / h
    nh4 = nh3 / (air + n3 * w) * c[3] * c[4] * h / c[5]
    nitrate = no3 / (air + n5 * w) * c[6] * c[7] / h
    hco3 = co2 * c[8] * c[9] / h
    sulfate = so4 / w * (1.0 + c[10] / (h + c[10]))  # charges of HSO4 and SO4
    return h + nh4 - c[5] / h - hso3 * (1.0 + 2.0 * c[2] / h) - nitrate - hco3 - sulfate


@compiled
def acidity(ln_h, w, so2, nh3, no3, so4, co2, air, c):
    """H (mol l-1) at which the charges balance: its logarithm by steps that grow to a bracket, which is then halved."""
    low = high = ln_h
    step = 0.1
    if excess(math.exp(ln_h), w, so2, nh3, no3, so4, co2, air, c) > 0.0:
        while low > -35.0 and excess(math.exp(low), w, so2, nh3, no3, so4, co2, air, c) > 0.0:
            high = low
            low -= step
            step *= 2.0
    else:
        while high < 5.0 and excess(math.exp(high), w, so2, nh3, no3, so4, co2, air, c) <= 0.0:
            low = high
            high += step
            step *= 2.0
    f_low = excess(math.exp(low), w, so2, nh3, no3, so4, co2, air, c)
    f_high = excess(math.exp(high), w, so2, nh3, no3, so4, co2, air, c)
    for turn in range(200):
        x = (low * f_high - high * f_low) / (f_high - f_low)
        if turn % 3 == 2 or not low < x < high:
            x = 0.5 * (low + high)
        f = excess(math.exp(x), w, so2, nh3, no3, so4, co2, air, c)
        if f > 0.0:
            high, f_high = x, f
            f_low *= 0.5
        else:
            low, f_low = x, f
            f_high *= 0.5
        if high - low < 1.0e-12 * abs(x):
            break
    return math.exp(0.5 * (low + high))


@compiled
def coefficients(h, w, air, c):
    """By O3 and by H2O2: rates of oxidation (mol m-3 s-1) over the product of both amounts in all phases (mol m-3)."""
    siv, _, _ = dissolved(h, c)
    so2 = 1.0 / (air + siv * w) * c[0]  # mol l-1 of SO2 in water, per amount
    hso3 = so2 * c[1] / h
    so3 = hso3 * c[2] / h
    o3 = c[11] / (air + c[11] * w)
    h2o2 = c[12] / (air + c[12] * w)
    by_o3 = w * o3 * (c[13] * so2 + c[14] * hso3 + c[15] * so3)
    by_h2o2 = w * h2o2 * hso3 * c[16] * h / (1.0 + 13.0 * h)
    return by_o3, by_h2o2


@compiled
def reacted(a, b, k):
    """Amount of two species that react with each other, ``k`` the rate constant times the time; exact."""
    more, less = max(a, b), min(a, b)
    x = k * (more - less)
    if less <= 0.0 or k <= 0.0:
        return 0.0
    if x < 1.0e-6:
        return less * more * k / (1.0 + more * k)
    e = math.exp(-x)
    return less * more * (1.0 - e) / (more - less * e)


@compiled
def oxidise(so2, h2o2, o3, so4, nh3, no3, temperature, water, share, co2, gas_constant, seconds, ph):
    """Oxidise in the cloudy ``share`` of cells (n,), in place; what is out of clouds is not touched.

    Amounts mol m-3 of air in all phases, ``water`` kg m-3 within clouds, ``gas_constant`` m3 atm mol-1 K-1; ``ph`` is
    that of the end, 0 where there is no cloud.
    """
    c = np.empty(17)
    whole = (GROWTH**STEPS - 1.0) / (GROWTH - 1.0)
    for i in range(so2.size):
        w, t = water[i], temperature[i]
        ph[i] = 0.0
        if w < LEAST_WATER or share[i] <= 0.0:
            continue
        fill(t, c)
        air = 1.0 / (gas_constant * t)
        s, p, o, s6 = so2[i], h2o2[i], o3[i], so4[i]
        h = 1.0e-5
        step = seconds / whole
        for _ in range(STEPS):
            h = acidity(math.log(h), w, s, nh3[i], no3[i], s6, co2[i], air, c)
            by_o3, by_h2o2 = coefficients(h, w, air, c)
            x = reacted(s, p, by_h2o2 * step)
            s, p = s - x, p - x
            y = reacted(s, o, by_o3 * step)
            s, o = s - y, o - y
            s6 += x + y
            step *= GROWTH
        h = acidity(math.log(h), w, s, nh3[i], no3[i], s6, co2[i], air, c)
        done = share[i] * (s6 - so4[i])
        by_peroxide = share[i] * (h2o2[i] - p)
        so2[i] -= done
        h2o2[i] -= by_peroxide
        o3[i] -= done - by_peroxide
        so4[i] += done
        ph[i] = -math.log10(h)
