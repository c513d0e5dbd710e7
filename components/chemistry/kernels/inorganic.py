# SPDX-License-Identifier: BSD-3-Clause
"""Equilibrium of ammonium, nitrate and sulfate in water with their gases, cell after cell (Fountoukis & Nenes 2007).

Within a pass the acidity follows from the charge balance to the last bits; passes go on until activities and water
stand still. A cell's numbers depend on that cell alone.
"""

import math

import numpy as np

from components.chemistry.kernels.compiled import compiled

PASSES = 400
STRONGEST = 100.0  # ionic strength up to which activities are asked for, mol kg-1
STILL = 1.0e-7  # change of ln(activity) and ln(water) in a pass that ends the passes
DEBYE = 0.511  # A_gamma at 298.15 K, kg^1/2 mol^-1/2
Q = (2.60, -0.1, 8.0, -1.15, -0.25, 0.82, 6.0)
"""Kusik & Meissner's q of HNO3, 2H-SO4, H-HSO4, NH4NO3, (NH4)2SO4, NH4Cl, HCl (Fountoukis & Nenes 2007, table 4)."""
MOLES_OF_WATER = 55.509  # in a kg
DRIEST, WETTEST = 0.2, 0.985  # relative humidities within which solutions are known


@compiled
def constant(k, a, b, t):
    """Equilibrium constant at ``t`` K of its value at 298.15 K, eq. 5."""
    r = 298.15 / t
    return k * math.exp(a * (r - 1.0) + b * (1.0 + math.log(r) - r))


@compiled
def molality(aw, a0, a1, a2, a3, a4, a5, dilute):
    """Molality of a salt alone whose mole fraction is a polynomial of the water activity; ``dilute`` from .97 on."""
    if aw > 0.97:
        return -dilute * math.log(aw)
    x = a0 + aw * (a1 + aw * (a2 + aw * (a3 + aw * (a4 + aw * a5))))
    return MOLES_OF_WATER * x / (1.0 - x)


@compiled
def molalities(aw, out):
    """Molality of (NH4)2SO4, NH4HSO4, NH4NO3 and H2SO4 alone in water of activity ``aw``.

    Fits of Zaveri et al. (2005, 2008) to measurements and the model of Clegg et al. (1998).
    """
    out[0] = molality(aw, 1.30894, -7.09922, 20.62831, -32.19965, 25.17026, -7.81632, 28.0811)
    out[1] = molality(aw, 1.15510, -3.20815, 2.71141, 2.01155, -4.71014, 2.04616, 29.4779)
    out[2] = molality(aw, 0.43507, 6.38220, -30.19797, 53.36470, -43.44203, 13.46158, 33.4049)
    out[3] = molality(aw, 0.32751, -1.00692, 2.59750, -4.40014, 3.88212, -1.39916, 26.7347)


@compiled
def water(s, a, n, m):
    """Water (kg) that takes up sulfate, ammonium and nitrate (mol), by the rule of Zdanovskii, Stokes and Robinson.

    Ammonium goes to sulfate first; nitrate without ammonium takes up as much as with it.
    """
    if a >= 2.0 * s:
        sulfate = s / m[0]
    elif a >= s:
        sulfate = (a - s) / m[0] + (2.0 * s - a) / m[1]
    else:
        sulfate = a / m[1] + (s - a) / m[3]
    return sulfate + n / m[2]


@compiled
def reduced(q, i, t):
    """log10 of Kusik & Meissner's reduced activity coefficient at ionic strength ``i``, eqs. 12 to 15."""
    root = math.sqrt(i)
    b = 0.75 - 0.065 * q
    c = 1.0 + 0.055 * q * math.exp(-0.023 * i * i * i)
    at_25 = -0.5107 * root / (1.0 + c * root)
    at_25 += math.log10(1.0 + b * math.exp(q * math.log(1.0 + 0.1 * i)) - b)
    warm = 0.005 * (t - 298.15)
    far = 0.039 * math.exp(0.92 * math.log(i)) - 0.41 * root / (1.0 + root)
    return (1.0 - warm) * at_25 + warm * far


@compiled
def activities(h, nh4, hso4, so4, no3, t, out):
    """log10 of the mean activity coefficients of HNO3, 2H-SO4, H-HSO4 and NH4NO3 in the mixture, eqs. 9 to 11.

    Bromley's rule over the coefficients of each salt alone; arguments in mol kg-1.
    """
    i = 0.5 * (h + nh4 + hso4 + no3 + 4.0 * so4)
    if i > STRONGEST:
        r = STRONGEST / i
        h, nh4, hso4, so4, no3 = h * r, nh4 * r, hso4 * r, so4 * r, no3 * r
    i = min(max(i, 1.0e-10), STRONGEST)
    root = math.sqrt(i)
    limiting = DEBYE * root / (1.0 + root)
    h_no3, h2_so4, h_hso4 = reduced(Q[0], i, t), 2.0 * reduced(Q[1], i, t), reduced(Q[2], i, t)
    a_no3, a2_so4 = reduced(Q[3], i, t), 2.0 * reduced(Q[4], i, t)
    a_hso4 = h_hso4 + reduced(Q[5], i, t) - reduced(Q[6], i, t)  # gamma_HHSO4 gamma_NH4Cl / gamma_HCl, Kim et al. 1993
    y_no3, y_hso4, y_so4 = no3 / i, hso4 / i, 2.25 * so4 / i
    anions = limiting * (y_no3 + y_hso4 + 2.0 * y_so4)
    f_h = y_no3 * h_no3 + y_hso4 * h_hso4 + y_so4 * h2_so4 + anions
    f_nh4 = y_no3 * a_no3 + y_hso4 * a_hso4 + y_so4 * a2_so4 + anions
    cations = limiting * (h + nh4) / i
    f_no3 = (h * h_no3 + nh4 * a_no3) / i + cations
    f_hso4 = (h * h_hso4 + nh4 * a_hso4) / i + cations
    f_so4 = 2.25 * (h * h2_so4 + nh4 * a2_so4) / i + 2.0 * 2.25 * cations
    out[0] = -limiting + 0.5 * (f_h + f_no3)
    out[1] = -2.0 * limiting + 2.0 / 3.0 * (f_h + 0.5 * f_so4)
    out[2] = -limiting + 0.5 * (f_h + f_hso4)
    out[3] = -limiting + 0.5 * (f_nh4 + f_no3)


@compiled
def charge(ln_h, w, s, a, n, k_a, k_n, k_s, k_w):
    """Cations less anions (mol m-3) at the acidity exp(ln_h) mol kg-1, and its derivative to ``ln_h``."""
    h = math.exp(ln_h)
    nh4 = a * h / (h + k_a)
    no3 = n * k_n / (h + k_n)
    so4 = s * k_s / (h + k_s)
    oh = k_w / h
    f = (h - oh) * w + nh4 - no3 - s - so4
    slope = (h + oh) * w + nh4 * k_a / (h + k_a) + no3 * h / (h + k_n) + so4 * h / (h + k_s)
    return f, slope


@compiled
def acidity(ln_h, w, s, a, n, k_a, k_n, k_s, k_w):
    """Log of H (mol kg-1) at which the charges balance: Newton's steps, halved brackets where these are no better."""
    low, high = -60.0, 20.0
    before = high - low
    for _ in range(300):
        f, slope = charge(ln_h, w, s, a, n, k_a, k_n, k_s, k_w)
        if f > 0.0:
            high = ln_h
        else:
            low = ln_h
        step = -f / slope
        if not low < ln_h + step < high or abs(step) > 0.5 * before:
            step = 0.5 * (low + high) - ln_h
        before = abs(step)
        ln_h += step
        if before < 1.0e-13:
            break
    return ln_h


@compiled
def equilibrium(s_total, a_total, n_total, temperature, humidity, gas_constant, out):
    """Equilibrium of cells (n,): totals mol m-3, K, 1; ``gas_constant`` m3 atm mol-1 K-1.

    ``out`` (8, n): SO4, HSO4, NH4, NO3, H, OH in mol m-3, water in kg m-3, passes.
    """
    m, gamma, before = np.empty(4), np.zeros(4), np.zeros(4)
    for c in range(s_total.size):
        s, a, n, t = s_total[c], a_total[c], n_total[c], temperature[c]
        out[:, c] = 0.0
        if s + min(a, n) <= 0.0:
            continue
        rh = min(max(humidity[c], DRIEST), WETTEST)
        molalities(rh, m)
        rt = gas_constant * t
        k_w = constant(1.010e-14, -22.52, 26.92, t) * rh
        ammonia = (
            constant(57.64, 13.79, -5.39, t) * constant(1.805e-5, -1.50, 26.92, t) * rh / k_w
        )  # to NH4 from H, NH3
        nitric = constant(2.511e6, 29.17, 16.83, t)
        bisulfate = constant(1.015e-2, 8.85, 25.14, t)
        least = 1.0e-9 * (s + min(a, n)) / m[2]
        w = water(s, a, min(n, max(a - 2.0 * s, 0.0)), m) + least
        gamma[:] = 0.0
        ln_h = math.log(1.0e-3)
        nh4 = no3 = so4 = h = 0.0
        for turn in range(PASSES):
            k_a = 1.0 / (ammonia * rt * w * 10.0 ** (2.0 * (gamma[0] - gamma[3])))
            k_n = nitric * rt * w * 10.0 ** (-2.0 * gamma[0])
            k_s = bisulfate * 10.0 ** (2.0 * gamma[2] - 3.0 * gamma[1])
            ln_h = acidity(ln_h, w, s, a, n, k_a, k_n, k_s, k_w)
            h = math.exp(ln_h)
            nh4, no3, so4 = a * (h / (h + k_a)), n * (k_n / (h + k_n)), s * (k_s / (h + k_s))
            out[7, c] = turn + 1
            out[6, c] = w
            taken = max(water(s, nh4, no3, m), least)
            before[:] = gamma
            activities(h, nh4 / w, (s - so4) / w, so4 / w, no3 / w, t, gamma)
            moved = abs(math.log(taken / w))
            for j in range(4):
                moved = max(moved, 2.3 * abs(gamma[j] - before[j]))
            if moved < STILL:
                break
            part = 1.0 if turn < 20 else (0.6 if turn < 60 else 0.25)
            w = math.exp((1.0 - part) * math.log(w) + part * math.log(taken))
            for j in range(4):
                gamma[j] = (1.0 - part) * before[j] + part * gamma[j]
        out[0, c], out[1, c], out[2, c], out[3, c] = so4, s - so4, nh4, no3
        out[4, c], out[5, c] = h * out[6, c], k_w / h * out[6, c]
