# SPDX-License-Identifier: BSD-3-Clause
"""Clouds that fill a part of their layers, as samples: a g-point sees a column whose layers are cloudy or clear.

This is the Monte Carlo independent column approximation (Pincus, Barker & Morcrette 2003). Which layers are cloudy is a
chain from the top down: neighbours overlap between maximally and at random (exponential-random; Hogan & Illingworth
2000), layers that a clear one parts at random.
"""

import numpy as np

from components.radiation.kernels.compiled import compiled
from components.radiation.kernels.gas_optics import ONE, TINY, ZERO

U = np.uint64
GOLDEN, FIRST, SECOND = U(0x9E3779B97F4A7C15), U(0xBF58476D1CE4E5B9), U(0x94D049BB133111EB)
UNIT = np.float32(2.0**-24)


@compiled
def mixed(x):
    """A hash of 64 bits (the finaliser of SplitMix64; Steele, Lea & Flood 2014)."""
    x = (x ^ (x >> U(30))) * FIRST
    x = (x ^ (x >> U(27))) * SECOND
    return x ^ (x >> U(31))


@compiled
def transitions(fraction, above, overlap):
    """Probability that a layer is cloudy under a cloudy and under a clear layer.

    The two cover together overlap x max + (1 - overlap) x (what they would at random).

    Parameters
    ----------
    fraction, above : cloud fraction of the layer and of the next higher one
    overlap : 1 for maximal overlap of the two, 0 for random
    """
    cover = overlap * max(fraction, above) + (ONE - overlap) * (fraction + above - fraction * above)
    both = fraction + above - cover
    after_cloud = both / max(above, TINY) if above > ZERO else fraction
    after_clear = (fraction - both) / max(ONE - above, TINY) if above < ONE else fraction
    return after_cloud, after_clear


@compiled
def sample(columns, i, stream, ng, cloudy):
    """Draw which layers are cloudy (1) or clear (0) at each g-point of a column.

    Parameters
    ----------
    columns : Columns (see ``rrtmgp_scheme``)
    i : column
    stream : number of the stream, so that long- and shortwave draw apart
    ng : how many g-points
    cloudy : (nlev, g-points) result
    """
    nlev = columns.fraction.shape[0]
    key = mixed(U(columns.seed[i]) + U(stream) * GOLDEN)
    above = ZERO
    for z in range(nlev - 1, -1, -1):
        f = columns.fraction[z, i]
        if f <= ZERO or f >= ONE:
            for g in range(ng):
                cloudy[z, g] = ONE if f >= ONE else ZERO
        else:
            after_cloud, after_clear = transitions(f, above, columns.overlap[z, i])
            layer = mixed(key + U(z + 1) * GOLDEN)
            for g in range(ng):
                drawn = UNIT * np.float32(np.int64(mixed(layer + U(g + 1) * GOLDEN) >> U(40)))
                before = above > ZERO and cloudy[min(z + 1, nlev - 1), g] > ZERO
                cloudy[z, g] = ONE if drawn < (after_cloud if before else after_clear) else ZERO
        above = f
