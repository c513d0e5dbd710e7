# SPDX-License-Identifier: BSD-3-Clause
"""Density of sea water, some cells at a time, which stay in the cache from the first term to the last."""

from typing import Any

import numpy as np

from components.ocean.primitive.kernels.compiled import compiled

TOGETHER = 256
"""Cells that are worked out side by side."""


@compiled
def polynomial(
    s: Any, temperature: Any, depth: Any, scales: Any, coefficients: Any, terms: Any, rows: Any, out: Any
) -> None:
    """A polynomial in the root of salinity, in temperature and in depth; see `equation_of_state.teos10_anomaly`.

    Parameters
    ----------
    s, temperature, depth : (n,)
    scales : what temperature and depth are multiplied by
    coefficients : of powers of the root of salinity, by power of temperature, by power of depth
    terms : number of powers of salinity for each power of temperature, by power of depth
    rows : number of powers of temperature for each power of depth
    out : (n,) is set
    """
    tau, zeta, total = np.empty(TOGETHER), np.empty(TOGETHER), np.empty(TOGETHER)
    in_s, in_tau = np.empty(TOGETHER), np.empty(TOGETHER)
    for first in range(0, out.size, TOGETHER):
        m = min(TOGETHER, out.size - first)
        root = s[first : first + m]
        for i in range(m):
            tau[i] = temperature[first + i] * scales[0]
        for i in range(m):
            zeta[i] = depth[first + i] * scales[1]
        c, r = coefficients.size, terms.size
        for z in range(rows.size - 1, -1, -1):
            for t in range(rows[z] - 1, -1, -1):
                r -= 1
                c -= 1
                for i in range(m):
                    in_s[i] = coefficients[c]
                for _ in range(terms[r] - 1):
                    c -= 1
                    term = coefficients[c]
                    for i in range(m):
                        in_s[i] = in_s[i] * root[i] + term
                if t == rows[z] - 1:
                    for i in range(m):
                        in_tau[i] = in_s[i]
                else:
                    for i in range(m):
                        in_tau[i] = in_tau[i] * tau[i] + in_s[i]
            if z == rows.size - 1:
                for i in range(m):
                    total[i] = in_tau[i]
            else:
                for i in range(m):
                    total[i] = total[i] * zeta[i] + in_tau[i]
        for i in range(m):
            out[first + i] = total[i]
