# SPDX-License-Identifier: BSD-3-Clause
"""Mie's series for one sphere after another: the logarithmic derivative downward, so that it stays stable."""

import math

import numpy as np

from components.radiation.kernels.compiled import compiled


@compiled
def _beyond(z):
    """Order from which a recurrence downward has forgotten its start where Bessel's functions of ``z`` oscillate."""
    return int(z + 8.0 * math.exp(math.log(z) / 3.0)) + 24


@compiled
def efficiencies(m, x, extinction, scattering, asymmetry):
    """Efficiencies of spheres of index ``m`` (n,), imaginary part positive, and size parameter ``x`` (n,).

    Bohren & Huffman (1983), eqs. 4.61, 4.62, 4.88, 4.89; the asymmetry after their page 120. Riccati-Bessel functions
    go upward as long as they oscillate, and then by their ratios, which go downward (Lentz's fraction is their limit).
    """
    most = 0
    for i in range(x.size):
        most = max(most, _beyond(x[i]), _beyond(abs(m[i]) * x[i]))
    d, r = np.empty(most + 1, np.complex128), np.empty(most + 1)
    for i in range(x.size):
        xi, mi = x[i], m[i]
        terms = max(int(xi + 4.05 * math.exp(math.log(xi) / 3.0) + 2.0), 3)
        z = mi * xi
        start = max(_beyond(abs(z)), terms + 16)
        d[start] = 0.0 + 0.0j
        for n in range(start, 1, -1):
            d[n - 1] = n / z - 1.0 / (d[n] + n / z)
        r[_beyond(xi)] = 0.0
        for n in range(_beyond(xi) - 1, 0, -1):
            r[n] = 1.0 / ((2 * n + 1) / xi - r[n + 1])
        psi0, psi1 = math.cos(xi), math.sin(xi)
        chi0, chi1 = -math.sin(xi), math.cos(xi)
        q_ext, q_sca, g = 0.0, 0.0, 0.0
        a_before, b_before = 0.0 + 0.0j, 0.0 + 0.0j
        for n in range(1, terms + 1):
            psi = (2 * n - 1) * psi1 / xi - psi0 if n <= xi else psi1 * r[n]
            chi = (2 * n - 1) * chi1 / xi - chi0
            xi_n, xi_before = complex(psi, -chi), complex(psi1, -chi1)
            u, v = d[n] / mi + n / xi, mi * d[n] + n / xi
            a = (u * psi - psi1) / (u * xi_n - xi_before)
            b = (v * psi - psi1) / (v * xi_n - xi_before)
            q_ext += (2 * n + 1) * (a.real + b.real)
            q_sca += (2 * n + 1) * (a.real * a.real + a.imag * a.imag + b.real * b.real + b.imag * b.imag)
            g += (2 * n + 1) / (n * (n + 1.0)) * (a.real * b.real + a.imag * b.imag)
            if n > 1:
                same = a_before.real * a.real + a_before.imag * a.imag + b_before.real * b.real + b_before.imag * b.imag
                g += (n - 1.0) * (n + 1.0) / n * same
            a_before, b_before = a, b
            psi0, psi1, chi0, chi1 = psi1, psi, chi1, chi
        extinction[i] = 2.0 / (xi * xi) * q_ext
        scattering[i] = 2.0 / (xi * xi) * q_sca
        asymmetry[i] = 2.0 * g / q_sca
