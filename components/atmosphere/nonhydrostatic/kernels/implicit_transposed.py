# SPDX-License-Identifier: BSD-3-Clause
"""The transpose of `acoustic.vertical_step`: from gradients of what it gives to those of what it is given.

The step's own lines, the last first, row by row of the grid; what stood between them is worked out again. A loop has
one result, so that it fits the processor's vector units.
"""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import acoustic_loops as loop
from components.atmosphere.nonhydrostatic.kernels.acoustic import H, net
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.science.kernels.tracer_loops import product


@compiled
def before_implicit(j: int, row: int, made: Any, given: Any, inverse_dz: Any, numbers: Any, out: Any) -> None:
    """What of a row of the grid stood before the implicit part of the step: omega, rho, rtheta; and the force.

    Parameters
    ----------
    j, row : the row, and where it stands in arrays with a halo
    made, given, inverse_dz, numbers : as `transposed` has them
    out : omega (nz-1, nx), rho and rtheta (nz, nx), force (nz-1, nx); are set
    """
    rw, rho, heat, omega = made
    xr, xt, tz, c, w = given[1], given[2], given[8], given[9], given[11]
    om, mass, warm, force = out
    nz, nx = mass.shape
    dtau, share, rest, half_gravity = numbers[0], numbers[1], numbers[2], numbers[4]
    e, eb = share * dtau, rest * dtau
    flux, heat_flux = np.empty_like(om), np.empty_like(om)
    sum_, p, b = np.empty(nx, rho.dtype), np.empty_like(mass), np.empty_like(mass)
    for k in range(nz - 1):
        om[k] = omega[k, j]
        loop.flux_of(flux[k], om[k], inverse_dz[k + 1, row][H : H + nx], rw[k, j], -share)
        product(heat_flux[k], flux[k], tz[k, j])
    for k in range(nz):
        mass[k], warm[k] = rho[k, j], heat[k, j]
        net(sum_, flux, k)
        loop.finish(mass[k], sum_, dtau)
        net(sum_, heat_flux, k)
        loop.finish(warm[k], sum_, dtau)
        loop.weighted(p[k], c[k, j], warm[k], xt[k, j], e, eb)
        if w.shape[0] > 0:
            loop.weighted(b[k], w[k, j], mass[k], xr[k, j], e, eb)
        else:
            loop.weighted_alike(b[k], half_gravity, mass[k], xr[k, j], e, eb)
    for k in range(nz - 1):
        loop.force(force[k], p[k], p[k + 1], b[k], b[k + 1])


@compiled
def transposed(grads: Any, given: Any, made: Any, geometry: Any, metric: Any, numbers: Any, back: Any) -> None:
    """Gradients of one step.

    Parameters
    ----------
    grads : of rw, rho, rtheta, omega, p that the step gives
    given : rw, rho, rtheta before; ru, rv; tendency of rw; theta_x, theta_y, theta_z; stiffness, chi, loading; pivot,
        lower, upper. chi and loading may have no levels
    made : rw, rho, rtheta and omega that the step gives
    geometry : inverse_dz_interface, length_u, length_v, inverse_area
    metric : of the geometry, or of no size over flat ground
    numbers : (5,) dtau, shares of the new and of the old w, divergence damping, g / 2
    back : gradients of ``given``, then of the tendencies of rho and rtheta, which are written
    """
    g_rw, g_rho, g_heat, g_omega, g_p = grads
    xw, xr, xt, ru, rv, fw, tx, ty, tz, c, chi, w, pivot, lower, upper = given
    rw, new_heat = made[0], made[2]
    inverse_dz, lu, lv, ia = geometry
    to_xw, to_xr, to_xt, to_ru, to_rv, to_fw = back[:6]
    to_tx, to_ty, to_tz, to_c, to_chi, to_w, to_pivot, to_lower, to_upper, to_fr, to_ft = back[6:]
    nz, ny, nx = xr.shape
    dtau, share, rest, damping, half_gravity = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    e, eb, more = share * dtau, rest * dtau, numbers.dtype.type(1.0) + damping
    wet = chi.shape[0] > 0
    to_ru[:], to_rv[:], to_ty[:] = numbers.dtype.type(0.0), numbers.dtype.type(0.0), numbers.dtype.type(0.0)
    shape = (nz, nx)
    gt, gr, half = np.empty(shape, xr.dtype), np.empty(shape, xr.dtype), np.empty(shape, xr.dtype)
    a, b = np.empty(shape, xr.dtype), np.empty(shape, xr.dtype)
    rho, heat = np.empty(shape, xr.dtype), np.empty(shape, xr.dtype)
    omega, force = np.empty((nz - 1, nx), xr.dtype), np.empty((nz - 1, nx), xr.dtype)
    up, gm, gh = np.empty(nx, xr.dtype), np.empty(nx, xr.dtype), np.empty(nx, xr.dtype)
    up_force = np.empty(nx, xr.dtype)
    inner, faces = slice(H, H + nx), slice(H, H + nx + 1)
    for j in range(ny):
        row = j + H
        before_implicit(j, row, made, given, inverse_dz, numbers, (omega, rho, heat, force))
        # p and the last of rho and rtheta
        for k in range(nz):
            out, p, ck, old, new = to_c[k, j], g_p[k, j], c[k, j], xt[k, j], new_heat[k, j]
            for i in range(nx):
                out[i] = p[i] * (new[i] + damping * (new[i] - old[i]))
            out, start = gt[k], g_heat[k, j]
            for i in range(nx):
                out[i] = start[i] + more * ck[i] * p[i]
            out = to_xt[k, j]
            for i in range(nx):
                out[i] = -damping * ck[i] * p[i]
            out, start = gr[k], g_rho[k, j]
            for i in range(nx):
                out[i] = start[i]
        # the flux of the new w, and the solve along columns
        for k in range(nz - 1):
            r0, r1, t0, t1, th, wk = gr[k], gr[k + 1], gt[k], gt[k + 1], tz[k, j], rw[k, j]
            z = inverse_dz[k + 1, row][inner]
            out = to_tz[k, j]
            for i in range(nx):
                out[i] = -dtau * (share * z[i] * wk[i]) * (t0[i] - t1[i])
            start = g_omega[k, j]
            for i in range(nx):
                up[i] = start[i] - dtau * ((r0[i] - r1[i]) + th[i] * (t0[i] - t1[i]))
            out, x, f, fo = half[k], xw[k, j], fw[k, j], force[k]
            if wet:
                product(up_force, fo, chi[k, j])
                fo = up_force
            for i in range(nx):
                out[i] = x[i] + dtau * f[i] - fo[i]
            to, start = to_pivot[k, j], pivot[k, j]
            for i in range(nx):
                to[i] = out[i]
            for i in range(nx):
                out[i] *= start[i]
            if k > 0:
                before, factor = half[k - 1], lower[k, j]
                for i in range(nx):
                    out[i] -= factor[i] * before[i]
            out, start = b[k], g_rw[k, j]
            for i in range(nx):
                out[i] = start[i] + share * z[i] * up[i]
            if k > 0:
                before, factor, x, to = b[k - 1], upper[k - 1, j], rw[k, j], to_upper[k - 1, j]
                for i in range(nx):
                    out[i] -= factor[i] * before[i]
                for i in range(nx):
                    to[i] = -before[i] * x[i]
        for i in range(nx):
            to_upper[nz - 2, j, i] = 0.0
            to_lower[0, j, i] = 0.0
        for k in range(nz - 2, -1, -1):
            out, start = a[k], b[k]
            for i in range(nx):
                out[i] = start[i]
            if k < nz - 2:
                factor, after = lower[k + 1, j], a[k + 1]
                for i in range(nx):
                    out[i] -= factor[i] * after[i]
            if k > 0:
                to, x = to_lower[k, j], half[k - 1]
                for i in range(nx):
                    to[i] = -out[i] * x[i]
            # the right-hand side; b becomes the gradient of the force
            to = to_pivot[k, j]
            for i in range(nx):
                to[i] *= out[i]
            s, start = to_xw[k, j], pivot[k, j]
            for i in range(nx):
                s[i] = out[i] * start[i]
            to = to_fw[k, j]
            for i in range(nx):
                to[i] = dtau * s[i]
            to = b[k]
            if wet:
                loop.negative_product(to_chi[k, j], s, force[k])
                loop.negative_product(to, s, chi[k, j])
            else:
                loop.negative(to, s)
        # pressure and weight, then rho and rtheta before the implicit part
        for k in range(nz):
            for i in range(nx):
                gm[i], gh[i] = 0.0, 0.0
            if k > 0:
                s = b[k - 1]
                for i in range(nx):
                    gm[i] += s[i]
                for i in range(nx):
                    gh[i] += s[i]
            if k < nz - 1:
                s = b[k]
                for i in range(nx):
                    gm[i] -= s[i]
                for i in range(nx):
                    gh[i] += s[i]
            out, x, y = to_c[k, j], heat[k], xt[k, j]
            for i in range(nx):
                out[i] += gm[i] * (e * x[i] + eb * y[i])
            if wet:
                out, x, y = to_w[k, j], rho[k], xr[k, j]
                for i in range(nx):
                    out[i] = gh[i] * (e * x[i] + eb * y[i])
                product(gh, gh, w[k, j])
            else:
                loop.scaled(gh, gh, half_gravity)
            out, ck = gt[k], c[k, j]
            for i in range(nx):
                out[i] += e * ck[i] * gm[i]
            to = to_xt[k, j]
            for i in range(nx):
                to[i] += out[i] + eb * ck[i] * gm[i]
            to = to_ft[k, j]
            for i in range(nx):
                to[i] = dtau * out[i]
            out = gr[k]
            for i in range(nx):
                out[i] += e * gh[i]
            to = to_xr[k, j]
            for i in range(nx):
                to[i] = out[i] + eb * gh[i]
            to = to_fr[k, j]
            for i in range(nx):
                to[i] = dtau * out[i]
        # the flux of the old w and of the flow along the levels
        for k in range(nz - 1):
            r0, r1, t0, t1, th, om = gr[k], gr[k + 1], gt[k], gt[k + 1], tz[k, j], omega[k]
            to = to_tz[k, j]
            for i in range(nx):
                to[i] -= dtau * om[i] * (t0[i] - t1[i])
            start = g_omega[k, j]
            for i in range(nx):
                up[i] = start[i] - dtau * ((r0[i] - r1[i]) + th[i] * (t0[i] - t1[i]))
            to, z = to_xw[k, j], inverse_dz[k + 1, row][inner]
            for i in range(nx):
                to[i] += rest * z[i] * up[i]
            if metric.size:
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
        # what leaves through the sides
        for k in range(nz):
            r0, t0, area = gr[k], gt[k], ia[row][inner]
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
