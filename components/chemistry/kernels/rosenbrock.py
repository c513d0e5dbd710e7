# SPDX-License-Identifier: BSD-3-Clause
"""Rosenbrock method for stiff reactions (Rodas3, order 3(2); Sandu et al. 1997, Atmos. Environ. 31, 3459).

Eight cells of a column, one above the other, go through the vector lanes together and share a step size. Arrays hold
them last: (n, 8).

With G = I / (h gamma) - J, the stages are G K_i = f(Y_i) + sum_j c_ij K_j / h, and
K_1: Y = y; K_2: the same f, + 4 K_1 / h; K_3: Y = y + 2 K_1, + (K_1 - K_2) / h;
K_4: Y = y + 2 K_1 + K_3, + (K_1 - K_2 - 8/3 K_3) / h; y' = y + 2 K_1 + K_3 + K_4, and K_4 is the estimate of its error.
"""

import math

import numpy as np

from components.chemistry.kernels.compiled import compiled
from components.chemistry.kernels.reactions import assemble, tendency
from components.chemistry.kernels.sparse_systems import decompose, solve
from components.science.kernels.lanes import LANES, alike, larger, magnitude, of, put

GAMMA = 0.5
SAFETY, LEAST, MOST = 0.9, 0.2, 6.0  # of the next step, in shares of this one
FIRST = 3.0e-3  # share of the period of the shortest first step
DONE, TOO_MANY, TOO_SHORT, NOT_FINITE = 0, 1, 2, 3


@compiled
def integrate(t, k, c, first, seconds, rtol, atol, shortest, most, status, steps):
    """Integrate blocks of eight cells, each with steps of its own.

    Parameters
    ----------
    t : Tables
    k : (reactions, blocks, 8) rate constants
    c : (species + 1, blocks, 8) mol m-3; the last row holds ones; changed where `status` becomes `DONE`
    first : (blocks,) first step, s; 0: chosen here; written: the step that would come next
    seconds : period, s
    rtol, atol : relative tolerance, and absolute by species, mol m-3
    shortest, most : step below which a block is given up, s, and number of steps
    status, steps : (blocks,) result: what became of a block, and its number of steps
    """
    n, reactions, real = c.shape[0] - 1, k.shape[0], c.dtype
    y, new, squares = aligned(n + 1, real), aligned(n + 1, real), aligned(1, real)
    constants, f, g = aligned(reactions, real), aligned(n, real), aligned(t.rows.size, real)
    k1, k2, k3, k4 = aligned(n, real), aligned(n, real), aligned(n, real), aligned(n, real)
    room = aligned(max(reactions, t.partial.shape[0]), real)
    new[n] = 1.0
    kind = real.type
    for block in range(c.shape[1]):
        constants[:] = k[:, block]
        y[:] = c[:, block]
        h, time, count, rejected = min(first[block], seconds), 0.0, 0, 0
        status[block] = DONE
        change_there = False
        while seconds - time > 1.0e-9 * seconds:
            if not change_there:
                tendency(t, constants, y, room, f)
                change_there = True
                if h <= 0.0:
                    h = start(y, f, rtol, atol, seconds)
            count += 1
            if count > most:
                status[block] = TOO_MANY
                break
            last = time + h * 1.0001 >= seconds
            if last:
                h = seconds - time
            assemble(t, constants, y, kind(1.0 / (h * GAMMA)), room, g)
            decompose(t, g)
            one_over_h = kind(1.0 / h)
            k1[:] = f
            solve(t, g, k1)
            added(f, k1, kind(4.0) * one_over_h, k2)
            solve(t, g, k2)
            added(y, k1, kind(2.0), new)
            tendency(t, constants, new, room, k3)
            combined(k3, k1, k2, k2, one_over_h, -one_over_h, kind(0.0), k3)
            solve(t, g, k3)
            added(new, k3, kind(1.0), new)
            tendency(t, constants, new, room, k4)
            combined(k4, k1, k2, k3, one_over_h, -one_over_h, kind(-8.0 / 3.0) * one_over_h, k4)
            solve(t, g, k4)
            added(new, k4, kind(1.0), new)
            error = largest_error(y, new, k4, rtol, atol, squares)
            if not math.isfinite(error):
                h *= 0.1
                rejected += 1
                if h < shortest:
                    status[block] = NOT_FINITE
                    break
                continue
            share = min(MOST, max(LEAST, SAFETY / max(error, 1.0e-10) ** (1.0 / 3.0)))
            if error > 1.0:
                rejected += 1
                h *= min(share, 0.1) if rejected > 2 else share
                if h < shortest:
                    status[block] = TOO_SHORT
                    break
                continue
            time = seconds if last else time + h
            y, new = new, y
            if last:  # a step cut at the end of the period says little about the next one
                share = max(share, 1.0)
            h *= min(share, 1.0) if rejected else share
            if not last or first[block] <= 0.0 or h > first[block]:
                first[block] = h
            rejected = 0
            change_there = False
        steps[block] = count
        if status[block] == DONE:
            c[:, block] = y


@compiled
def aligned(rows, real):
    """An array (rows, 8) of zeros whose rows begin where a line of the cache does.

    Parameters
    ----------
    rows : how many
    real : precision
    """
    room = np.zeros(rows * LANES + 64, real)
    first = (64 - room.ctypes.data % 64) // room.itemsize
    return room[first : first + rows * LANES].reshape(rows, LANES)


@compiled
def start(y, f, rtol, atol, seconds):
    """A first step, s: in which no species changes by more than its tolerance allows, yet a share of the period.

    Radicals that begin far from their balance would ask for far less; they are stiff, and what they do in that time
    does not matter. A step that is too long is tried again.

    Parameters
    ----------
    y, f : (species, 8) mol m-3 and its change, mol m-3 s-1
    rtol, atol : tolerances
    seconds : period, s
    """
    most = 1.0e-30
    for s in range(f.shape[0]):
        for i in range(LANES):
            most = max(most, abs(f[s, i]) / (atol[s] + rtol * abs(y[s, i])))
    return min(seconds, max(1.0 / most, FIRST * seconds))


@compiled
def combined(a, b, c, d, wb, wc, wd, out):
    """``a`` + wb ``b`` + wc ``c`` + wd ``d`` for the rows of ``b``.

    Parameters
    ----------
    a, b, c, d : (n, 8)
    wb, wc, wd : weights
    out : (n, 8) result
    """
    vb, vc, vd = alike(b, wb), alike(b, wc), alike(b, wd)
    for s in range(b.shape[0]):
        put(out, s, of(a, s) + vb * of(b, s) + vc * of(c, s) + vd * of(d, s))


@compiled
def added(a, b, weight, out):
    """``a`` + weight ``b`` for the rows of ``b``.

    Parameters
    ----------
    a, b : (n, 8)
    weight : number
    out : (n, 8) result
    """
    w = alike(b, weight)
    for s in range(b.shape[0]):
        put(out, s, of(a, s) + w * of(b, s))


@compiled
def largest_error(y, new, error, rtol, atol, squares):
    """Root-mean-square over the species of the error in units of the tolerance; the largest of the eight cells.

    Parameters
    ----------
    y, new : (species + 1, 8) before and after, mol m-3
    error : (species, 8) its estimate, mol m-3
    rtol, atol : tolerances, atol (species,)
    squares : (1, 8) room for sums
    """
    w, total = alike(y, rtol), alike(y, 0.0)
    for s in range(error.shape[0]):
        e = of(error, s) / (alike(y, atol[s]) + w * larger(magnitude(of(y, s)), magnitude(of(new, s))))
        total = total + e * e
    put(squares, 0, total)
    most = 0.0
    for lane in range(LANES):
        if not math.isfinite(squares[0, lane]):
            return math.inf
        most = max(most, squares[0, lane])
    return math.sqrt(most / error.shape[0])
