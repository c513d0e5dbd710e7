# SPDX-License-Identifier: BSD-3-Clause
"""The transpose of `acoustic.vertical_step`: from gradients of what it gives to those of what it is given.

The step's own lines, the last first, some rows of the grid at a time; what stood between them is worked out again. A
loop has one result, so that it fits the processor's vector units, and is some hundred cells long, so that its start
costs little.
"""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import acoustic_loops as loop
from components.atmosphere.nonhydrostatic.kernels.acoustic import H, net
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.science.kernels.tracer_loops import product

TOGETHER = 256  # cells of a level that are worked on at a time


@compiled
def before_implicit(first: int, made: Any, given: Any, iz: Any, numbers: Any, out: Any) -> None:
    """What of some cells stood before the implicit part of the step: omega, rho, rtheta; and the force.

    Parameters
    ----------
    first : number of the first of the cells
    made, given, iz, numbers : as `transposed` has them
    out : omega (nz-1, m), rho and rtheta (nz, m), force (nz-1, m) of m cells; are set
    """
    rw, rho, heat, omega = made
    xr, xt, tz, c, w = given[1], given[2], given[4], given[5], given[7]
    om, mass, warm, force = out
    nz, m = mass.shape
    at = slice(first, first + m)
    dtau, share, rest, half_gravity = numbers[0], numbers[1], numbers[2], numbers[4]
    e, eb = share * dtau, rest * dtau
    flux, heat_flux = np.empty_like(om), np.empty_like(om)
    sum_, p, b = np.empty(m, rho.dtype), np.empty_like(mass), np.empty_like(mass)
    for k in range(nz - 1):
        om[k] = omega[k][at]
        loop.flux_of(flux[k], om[k], iz[k][at], rw[k][at], -share)
        product(heat_flux[k], flux[k], tz[k][at])
    for k in range(nz):
        mass[k], warm[k] = rho[k][at], heat[k][at]
        net(sum_, flux, k)
        loop.finish(mass[k], sum_, dtau)
        net(sum_, heat_flux, k)
        loop.finish(warm[k], sum_, dtau)
        loop.weighted(p[k], c[k][at], warm[k], xt[k][at], e, eb)
        if w.shape[0] > 0:
            loop.weighted(b[k], w[k][at], mass[k], xr[k][at], e, eb)
        else:
            loop.weighted_alike(b[k], half_gravity, mass[k], xr[k][at], e, eb)
    for k in range(nz - 1):
        loop.force(force[k], p[k], p[k + 1], b[k], b[k + 1])


@compiled
def transposed(
    grads: Any, given: Any, made: Any, iz: Any, through: Any, planes: Any, metric: Any, numbers: Any, back: Any,
    to_through: Any,
) -> None:  # fmt: skip
    """Gradients of one step; of fields without a halo, the cells of a level one after another (levels, cells).

    Parameters
    ----------
    grads : of rw, rho, rtheta, omega, p that the step gives
    given : rw, rho, rtheta before; tendency of rw; theta_z; stiffness, chi, loading; pivot, lower, upper. chi and
        loading may have no levels
    made : rw, rho, rtheta and omega that the step gives
    iz : 1 / distance of the layers' centres at inner interfaces
    through : ru, rv, theta_x, theta_y (nz, ny, nx+1) and (nz, ny+1, nx)
    planes, metric : length_u, length_v, inverse_area and metric of the geometry, the last of no size over flat ground
    numbers : (5,) dtau, shares of the new and of the old w, divergence damping, g / 2
    back : gradients of ``given``, then of the tendencies of rho and rtheta, which are written
    to_through : of ``through``, likewise
    """
    nz, ny, nx = through[0].shape[0], through[0].shape[1], through[1].shape[2]
    real = numbers.dtype
    for a in to_through:
        a[:] = real.type(0.0)
    rows = max(1, TOGETHER // nx)
    for j in range(0, ny, rows):
        m = (min(j + rows, ny) - j) * nx
        gr, gt = np.empty((nz, m), real), np.empty((nz, m), real)
        along_columns(j * nx, grads, given, made, iz, numbers, back, gr, gt)
        for r in range(m // nx):
            at = slice(r * nx, r * nx + nx)
            if metric.size:
                along_slopes(j + r, at, grads[3], given[4], gr, gt, metric, numbers, to_through)
            through_sides(j + r, at, gr, gt, through, planes, numbers, to_through)


@compiled
def along_columns(
    first: int, grads: Any, given: Any, made: Any, iz: Any, numbers: Any, back: Any, gr: Any, gt: Any
) -> None:
    """Of some cells, but for what goes through their sides; ``gr`` and ``gt`` of rho and rtheta before are set."""
    g_rw, g_rho, g_heat, g_omega, g_p = grads
    xw, xr, xt, fw, tz, c, chi, w, pivot, lower, upper = given
    rw, new_heat = made[0], made[2]
    to_xw, to_xr, to_xt, to_fw, to_tz, to_c, to_chi, to_w, to_pivot, to_lower, to_upper, to_fr, to_ft = back
    nz, m = gr.shape
    at = slice(first, first + m)
    dtau, share, rest, damping, half_gravity = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    e, eb, more = share * dtau, rest * dtau, numbers.dtype.type(1.0) + damping
    wet = chi.shape[0] > 0
    half, a, b = np.empty_like(gr), np.empty_like(gr), np.empty_like(gr)
    rho, heat = np.empty_like(gr), np.empty_like(gr)
    omega, force = np.empty((nz - 1, m), gr.dtype), np.empty((nz - 1, m), gr.dtype)
    up, gm, gh, up_force = np.empty(m, gr.dtype), np.empty(m, gr.dtype), np.empty(m, gr.dtype), np.empty(m, gr.dtype)
    before_implicit(first, made, given, iz, numbers, (omega, rho, heat, force))
    # p and the last of rho and rtheta
    for k in range(nz):
        out, p, ck, old, new = to_c[k][at], g_p[k][at], c[k][at], xt[k][at], new_heat[k][at]
        for i in range(m):
            out[i] = p[i] * (new[i] + damping * (new[i] - old[i]))
        out, start = gt[k], g_heat[k][at]
        for i in range(m):
            out[i] = start[i] + more * ck[i] * p[i]
        out = to_xt[k][at]
        for i in range(m):
            out[i] = -damping * ck[i] * p[i]
        out, start = gr[k], g_rho[k][at]
        for i in range(m):
            out[i] = start[i]
    # the flux of the new w, and the solve along columns
    for k in range(nz - 1):
        r0, r1, t0, t1, th, wk = gr[k], gr[k + 1], gt[k], gt[k + 1], tz[k][at], rw[k][at]
        z = iz[k][at]
        out = to_tz[k][at]
        for i in range(m):
            out[i] = -dtau * (share * z[i] * wk[i]) * (t0[i] - t1[i])
        start = g_omega[k][at]
        for i in range(m):
            up[i] = start[i] - dtau * ((r0[i] - r1[i]) + th[i] * (t0[i] - t1[i]))
        out, x, f, fo = half[k], xw[k][at], fw[k][at], force[k]
        if wet:
            product(up_force, fo, chi[k][at])
            fo = up_force
        for i in range(m):
            out[i] = x[i] + dtau * f[i] - fo[i]
        to, start = to_pivot[k][at], pivot[k][at]
        for i in range(m):
            to[i] = out[i]
        for i in range(m):
            out[i] *= start[i]
        if k > 0:
            before, factor = half[k - 1], lower[k][at]
            for i in range(m):
                out[i] -= factor[i] * before[i]
        out, start = b[k], g_rw[k][at]
        for i in range(m):
            out[i] = start[i] + share * z[i] * up[i]
        if k > 0:
            before, factor, x, to = b[k - 1], upper[k - 1][at], rw[k][at], to_upper[k - 1][at]
            for i in range(m):
                out[i] -= factor[i] * before[i]
            for i in range(m):
                to[i] = -before[i] * x[i]
    for i in range(m):
        to_upper[nz - 2, first + i] = 0.0
        to_lower[0, first + i] = 0.0
    for k in range(nz - 2, -1, -1):
        out, start = a[k], b[k]
        for i in range(m):
            out[i] = start[i]
        if k < nz - 2:
            factor, after = lower[k + 1][at], a[k + 1]
            for i in range(m):
                out[i] -= factor[i] * after[i]
        if k > 0:
            to, x = to_lower[k][at], half[k - 1]
            for i in range(m):
                to[i] = -out[i] * x[i]
        # the right-hand side; b becomes the gradient of the force
        to = to_pivot[k][at]
        for i in range(m):
            to[i] *= out[i]
        s, start = to_xw[k][at], pivot[k][at]
        for i in range(m):
            s[i] = out[i] * start[i]
        to = to_fw[k][at]
        for i in range(m):
            to[i] = dtau * s[i]
        to = b[k]
        if wet:
            loop.negative_product(to_chi[k][at], s, force[k])
            loop.negative_product(to, s, chi[k][at])
        else:
            loop.negative(to, s)
    # pressure and weight, then rho and rtheta before the implicit part
    for k in range(nz):
        for i in range(m):
            gm[i], gh[i] = 0.0, 0.0
        if k > 0:
            s = b[k - 1]
            for i in range(m):
                gm[i] += s[i]
            for i in range(m):
                gh[i] += s[i]
        if k < nz - 1:
            s = b[k]
            for i in range(m):
                gm[i] -= s[i]
            for i in range(m):
                gh[i] += s[i]
        out, x, y = to_c[k][at], heat[k], xt[k][at]
        for i in range(m):
            out[i] += gm[i] * (e * x[i] + eb * y[i])
        if wet:
            out, x, y = to_w[k][at], rho[k], xr[k][at]
            for i in range(m):
                out[i] = gh[i] * (e * x[i] + eb * y[i])
            product(gh, gh, w[k][at])
        else:
            loop.scaled(gh, gh, half_gravity)
        out, ck = gt[k], c[k][at]
        for i in range(m):
            out[i] += e * ck[i] * gm[i]
        to = to_xt[k][at]
        for i in range(m):
            to[i] += out[i] + eb * ck[i] * gm[i]
        to = to_ft[k][at]
        for i in range(m):
            to[i] = dtau * out[i]
        out = gr[k]
        for i in range(m):
            out[i] += e * gh[i]
        to = to_xr[k][at]
        for i in range(m):
            to[i] = out[i] + eb * gh[i]
        to = to_fr[k][at]
        for i in range(m):
            to[i] = dtau * out[i]
    # the flux of the old w and of the flow along the levels
    for k in range(nz - 1):
        r0, r1, t0, t1, th, om = gr[k], gr[k + 1], gt[k], gt[k + 1], tz[k][at], omega[k]
        to = to_tz[k][at]
        for i in range(m):
            to[i] -= dtau * om[i] * (t0[i] - t1[i])
        start = g_omega[k][at]
        for i in range(m):
            up[i] = start[i] - dtau * ((r0[i] - r1[i]) + th[i] * (t0[i] - t1[i]))
        to, z = to_xw[k][at], iz[k][at]
        for i in range(m):
            to[i] += rest * z[i] * up[i]


@compiled
def along_slopes(
    j: int, at: Any, g_omega: Any, tz: Any, gr: Any, gt: Any, metric: Any, numbers: Any, to_through: Any
) -> None:
    """To ru and rv of a row of the grid, of what the flow along the levels carries through them."""
    to_ru, to_rv = to_through[0], to_through[1]
    nz, nx, row = gr.shape[0], to_rv.shape[2], j + H
    dtau, inner = numbers[0], slice(H, H + nx)
    up, here = np.empty(nx, gr.dtype), slice(j * nx, j * nx + nx)
    for k in range(nz - 1):
        r0, r1, t0, t1 = gr[k][at], gr[k + 1][at], gt[k][at], gt[k + 1][at]
        th, start = tz[k][here], g_omega[k][here]
        for i in range(nx):
            up[i] = start[i] - dtau * ((r0[i] - r1[i]) + th[i] * (t0[i] - t1[i]))
        for level in (k, k + 1):
            m, to = metric[0, k, row][inner], to_ru[level, j]
            for i in range(nx):
                to[i] -= m[i] * up[i]
            m = metric[1, k, row][inner]
            for i in range(nx):
                to[i + 1] -= m[i] * up[i]
            m, to = metric[2, k, row][inner], to_rv[level, j]
            for i in range(nx):
                to[i] -= m[i] * up[i]
            m, to = metric[3, k, row][inner], to_rv[level, j + 1]
            for i in range(nx):
                to[i] -= m[i] * up[i]


@compiled
def through_sides(j: int, at: Any, gr: Any, gt: Any, through: Any, planes: Any, numbers: Any, to_through: Any) -> None:
    """To momentum and temperature on the faces of a row of the grid, of what leaves through them."""
    ru, rv, tx, ty = through
    to_ru, to_rv, to_tx, to_ty = to_through
    lu, lv, ia = planes
    nz, nx, row = gr.shape[0], rv.shape[2], j + H
    dtau, inner, faces = numbers[0], slice(H, H + nx), slice(H, H + nx + 1)
    gm, gh = np.empty(nx, gr.dtype), np.empty(nx, gr.dtype)
    for k in range(nz):
        r0, t0, area = gr[k][at], gt[k][at], ia[row][inner]
        for i in range(nx):
            gm[i] = -dtau * r0[i] * area[i]
        for i in range(nx):
            gh[i] = -dtau * t0[i] * area[i]
        to, th, length, m = to_ru[k, j], tx[k, j], lu[row][faces], ru[k, j]
        for i in range(1, nx):
            to[i] += length[i] * ((gm[i - 1] - gm[i]) + th[i] * (gh[i - 1] - gh[i]))
        to[0] -= length[0] * (gm[0] + th[0] * gh[0])
        to[nx] += length[nx] * (gm[nx - 1] + th[nx] * gh[nx - 1])
        to = to_tx[k, j]
        for i in range(1, nx):
            to[i] = m[i] * length[i] * (gh[i - 1] - gh[i])
        to[0], to[nx] = -m[0] * length[0] * gh[0], m[nx] * length[nx] * gh[nx - 1]
        to, th, length, m = to_rv[k, j], ty[k, j], lv[row][inner], rv[k, j]
        for i in range(nx):
            to[i] -= length[i] * (gm[i] + th[i] * gh[i])
        to = to_ty[k, j]
        for i in range(nx):
            to[i] -= m[i] * length[i] * gh[i]
        to, th, length, m = to_rv[k, j + 1], ty[k, j + 1], lv[row + 1][inner], rv[k, j + 1]
        for i in range(nx):
            to[i] += length[i] * (gm[i] + th[i] * gh[i])
        to = to_ty[k, j + 1]
        for i in range(nx):
            to[i] += m[i] * length[i] * gh[i]
