# SPDX-License-Identifier: BSD-3-Clause
"""Terrain-following height coordinate with terrain that is smoothed and flattened as height grows (Klemp 2011).

z(x, y, zeta) = zeta + A(zeta) h_s(x, y, zeta), with A = cos^n(pi zeta / (2 z_h)) below z_h and 0 above (Klemp 2011,
Mon. Wea. Rev. 139, eq. 7-8, n = 6), and h_s the terrain after more and more passes of a 1-2-1 filter (his section 3).
"""

import math

import torch


def stretched_levels(nz: int, top: float, lowest: float) -> torch.Tensor:
    """Interface heights (nz+1,) from 0 to ``top`` (m), whose lowest layer is ``lowest`` (m) thick.

    The spacing grows as the power 1.5 of a tanh of the level number towards an even spacing aloft, so that the
    troposphere keeps its resolution while the surface layer is fine.

    Raises
    ------
    ValueError
        If ``nz`` layers of ``lowest`` are already higher than ``top``.
    """
    if nz * lowest >= top:
        if abs(nz * lowest - top) < 1e-6 * top:
            return torch.linspace(0.0, top, nz + 1, dtype=torch.float64)
        raise ValueError(
            f"{nz} layers of at least {lowest} m do not fit under a lid at {top} m: use fewer or thinner layers"
        )
    steps = torch.arange(nz, dtype=torch.float64)

    def thickness(ceiling: float) -> torch.Tensor:
        shape = torch.tanh(2.0 * steps / nz) ** 1.5
        return lowest + (ceiling - lowest) * shape

    low, high = lowest, 10.0 * top
    for _ in range(200):
        mid = 0.5 * (low + high)
        low, high = (mid, high) if float(thickness(mid).sum()) < top else (low, mid)
    z = torch.zeros(nz + 1, dtype=torch.float64)
    z[1:] = torch.cumsum(thickness(0.5 * (low + high)), 0)
    z[-1] = top
    return z


def smooth_121(field: torch.Tensor, passes: int) -> torch.Tensor:
    """``passes`` of a 1-2-1 filter in y and x with zero-gradient edges; ``field`` (y, x) in any unit."""
    for _ in range(passes):
        f = torch.cat([field[:1], field, field[-1:]], 0)
        field = 0.25 * (f[:-2] + 2.0 * f[1:-1] + f[2:])
        f = torch.cat([field[:, :1], field, field[:, -1:]], 1)
        field = 0.25 * (f[:, :-2] + 2.0 * f[:, 1:-1] + f[:, 2:])
    return field


def hybrid_heights(
    zeta: torch.Tensor,
    terrain: torch.Tensor,
    flat_above: float | None = None,
    power: int = 6,
    passes: int = 1,
    thinnest: float = 0.25,
) -> torch.Tensor:
    """Heights of the layer interfaces (nz+1, y, x) in m.

    Parameters
    ----------
    zeta : (nz+1,) nominal interface heights, m, increasing from 0
    terrain : (y, x) height of the ground, m
    flat_above : height above which levels are flat, m; the top of the model by default
    power : exponent n of cos^n; lower powers keep more of the terrain aloft but squeeze layers less
    passes : passes of the 1-2-1 filter that each level may add to the one below; 0 gives the basic hybrid coordinate
    thinnest : smallest thickness allowed, relative to the nominal one

    Raises
    ------
    ValueError
        If a layer would be thinner than ``thinnest`` of its nominal thickness even with the gentlest decay.
    """
    z_h = float(zeta[-1]) if flat_above is None else flat_above
    for n in sorted({power, *(m for m in (4, 3, 2, 1) if m < power)}, reverse=True):
        heights, smoothed, ratio = [zeta[0] + terrain], terrain, 1.0
        for below, level in zip(zeta[:-1].tolist(), zeta[1:].tolist(), strict=True):
            decay = math.cos(0.5 * math.pi * level / z_h) ** n if level < z_h else 0.0
            for share in (1.0, 0.5, 0.25, 0.125, 0.0):
                # as much of the filter as leaves every layer thick enough
                candidate = smoothed + share * (smooth_121(smoothed, passes) - smoothed) if share else smoothed
                z = level + decay * candidate
                ratio_here = float((z - heights[-1]).min()) / (level - below)
                if ratio_here >= thinnest:
                    break
            ratio, smoothed = min(ratio, ratio_here), candidate
            heights.append(z)
        if ratio >= thinnest:
            return torch.stack(heights)
    raise ValueError(
        f"terrain of {float(terrain.max()):.0f} m squeezes a layer to {ratio:.2f} of its nominal thickness "
        f"(least allowed {thinnest}): raise the lid or flat_above ({z_h:.0f} m), or smooth the terrain"
    )
