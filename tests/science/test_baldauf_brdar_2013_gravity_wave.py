# SPDX-License-Identifier: BSD-3-Clause
"""Linear gravity and sound waves in a channel: the exact solution of Baldauf & Brdar (2013, QJRMS 139, 1977-1989).

An isothermal atmosphere of 250 K, U = 20 m/s, 300 x 10 km, a warm bubble of 0.01 K and half width 5 km, 30 minutes.
After Bretherton's transform (u, w, T = exp(z/2H) u_b ..., p, rho = exp(-z/2H) p_b ...) the linear compressible
equations have constant coefficients (their eq. 7-11). The bubble is a single sine in the vertical, so that each
horizontal wave number k is a system of five: with b = g (p / c2 - rho) / rho_s, P = p / (rho_s c), B = b / N and
G = 1/2H - g/c2

    du/dt = -c ik P + f v      dv/dt = -f u       dw/dt = -c (d/dz - G) P + N B
    dP/dt = -c (ik u + (d/dz + G) w)              dB/dt = -N w

which is skew-Hermitian: its eigenvectors give the solution at any time to round-off. The scheme is of second order with
centred acoustic steps (no off-centring, no divergence damping) and with the model's own.
"""

import math

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import base_state, geometry, timestep
from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import exner
from components.atmosphere.nonhydrostatic.ideal import initial_state
from components.science.constants import GAMMA, GRAVITY, R_DRY

T_0, WIDTH, TOP, HALF, WARM, UNTIL = 250.0, 300e3, 10e3, 5e3, 0.01, 1800.0
CENTRED = timestep.Options(acoustic_steps=6, off_centring=0.0, divergence_damping=0.0)
USUAL = timestep.Options(acoustic_steps=6)
DELTA = GRAVITY / (R_DRY * T_0)  # 1 / H
C = math.sqrt(GAMMA * R_DRY * T_0)
N = math.sqrt(GRAVITY * (DELTA - GRAVITY / (C * C)))


def exact(x: torch.Tensor, z: torch.Tensor, centre: float, flow: float, f: float, t: float) -> dict[str, torch.Tensor]:
    """Perturbations u, v, w (m/s) and T (K) at heights ``z`` (nz) and positions ``x`` (nx), which span the period."""
    n = x.numel()
    k = 2.0 * math.pi * torch.fft.fftfreq(n, WIDTH / n, dtype=torch.float64)
    m = math.pi / TOP
    bubble = torch.zeros(n, dtype=torch.float64)
    for image in range(-2, 3):
        bubble += WARM * torch.exp(-(((x - centre + image * WIDTH) / HALF) ** 2))
    first = torch.zeros((n, 5), dtype=torch.complex128)
    first[:, 4] = GRAVITY / (T_0 * N) * torch.fft.fft(bubble)
    gap = 0.5 * DELTA - GRAVITY / (C * C)
    system = torch.zeros((n, 5, 5), dtype=torch.complex128)
    for (row, column), value in {
        (0, 1): torch.full_like(k, f) * 1j,
        (0, 3): C * k + 0j,
        (2, 3): torch.full_like(k, C) * (m + 1j * gap),
        (2, 4): torch.full_like(k, N) * 1j,
    }.items():
        system[:, row, column] = value
        system[:, column, row] = value.conj()
    frequency, modes = torch.linalg.eigh(system)
    turned = torch.exp(-1j * (frequency + flow * k[:, None]) * t)[..., None]
    y = (modes @ (turned * (modes.mH @ first[..., None])))[..., 0]
    # sin(mz) = Im exp(imz): for real fields in x the two exponentials are conjugates of each other
    field = torch.fft.ifft(y[:, None, :] * torch.exp(1j * m * z)[None, :, None], dim=0)
    mirror = torch.fft.ifft(_mirrored(y)[:, None, :] * torch.exp(-1j * m * z)[None, :, None], dim=0)
    u, v, w, p, b = ((field - mirror) / 2j).real.permute(2, 1, 0)
    grow = torch.exp(0.5 * DELTA * z)[:, None]
    temperature = T_0 * (p * (C / (R_DRY * T_0) - 1.0 / C) + N / GRAVITY * b)
    return {"u": u * grow, "v": v * grow, "w": w * grow, "T": temperature * grow}


def _mirrored(y: torch.Tensor) -> torch.Tensor:
    """Amplitudes for exp(-imz), which start as those for exp(imz): the conjugate of those at -k."""
    return torch.roll(y.flip(0), 1, 0).conj()


def run(dx: float, dt: float, options: timestep.Options, flow: float = 20.0, f: float = 0.0) -> dict[str, float]:
    """Relative errors (L2) after 30 minutes at ``dx`` (m), dz = dx / 2, in steps of ``dt`` (s)."""
    torch.set_num_threads(1)
    nx, nz = round(WIDTH / dx), round(2 * TOP / dx)
    interfaces = torch.linspace(0, TOP, nz + 1, dtype=torch.float64)[:, None, None].expand(nz + 1, 1, nx)
    coriolis = None if f == 0.0 else torch.full((1, nx), f, dtype=torch.float64)
    base = base_state.Isothermal(T_0)
    g = geometry.build_geometry(interfaces, dx, dx, base, periodic_x=True, periodic_y=True, coriolis=coriolis)
    core = timestep.Dynamics(g, options)
    x = initial_state.centres_x(nx, dx)
    state = initial_state.resting_state(g, g.rtheta_base / g.rho_base, g.p_base[0])
    bubble = WARM * torch.exp(-(((x + 50e3) / HALF) ** 2)) * torch.sin(math.pi / TOP * g.z)
    state = initial_state.warmed(g, state, bubble * torch.exp(0.5 * DELTA * g.z) / exner(g.p_base))
    state = initial_state.with_wind(g, state.rho, state.rtheta, flow, 0.0)
    core.halo(list(state), geometry.HALO)
    for _ in range(round(UNTIL / dt)):
        state, _ = core.step(state, dt)
    i = slice(4, -4)
    d = core.diagnose(state)
    p, theta = initial_state.pressure_and_theta(g, state)
    got = {"w": d.w[2:-2, 3, 3:-3], "T": (theta * exner(p))[:, 4, i] - T_0}
    if f != 0.0:
        got["v"] = d.v[2:-2, 3, 3:-3]
    errors = {}
    for name, field in got.items():
        z = interfaces[1:-1, 0, 0] if name == "w" else g.z[:, 4, 4]
        reference = exact(x[i], z, -50e3, flow, f, UNTIL)[name]
        errors[name] = float(torch.linalg.norm(field - reference) / torch.linalg.norm(reference))
    print(f"dx {dx} m, dt {dt} s, errors", {name: round(e, 5) for name, e in errors.items()})
    return errors


def order(coarse: dict[str, float], fine: dict[str, float], name: str) -> float:
    """Order of convergence from one halving of the spacing."""
    return math.log2(coarse[name] / fine[name])


def test_the_exact_solution_starts_from_the_bubble_and_keeps_its_walls():
    x, z = initial_state.centres_x(300, 1000.0)[4:-4], torch.linspace(0.0, TOP, 41, dtype=torch.float64)
    start = exact(x, z, -50e3, 20.0, 1e-4, 0.0)
    bubble = torch.exp(0.5 * DELTA * z) * torch.sin(math.pi / TOP * z)
    bubble = WARM * bubble[:, None] * torch.exp(-(((x + 50e3) / HALF) ** 2))
    assert float((start["T"] - bubble).abs().max()) < 1e-15
    assert max(float(start[name].abs().max()) for name in "uvw") < 1e-15
    later = exact(x, z, -50e3, 20.0, 1e-4, UNTIL)["w"]
    assert float(later[[0, -1]].abs().max()) < 1e-13 < float(later.abs().max())


@pytest.mark.slow
def test_gravity_wave_converges_with_second_order():
    coarse, fine = run(2000.0, 12.0, CENTRED), run(1000.0, 6.0, CENTRED)
    assert order(coarse, fine, "w") > 1.8
    assert order(coarse, fine, "T") > 1.6


def test_gravity_wave_in_a_rotating_channel():
    """At rest, f 1.03e-4: the paper's second case, at its small scale."""
    errors = run(1000.0, 12.0, CENTRED, flow=0.0, f=1.03126e-4)
    assert errors["v"] < 0.1 and errors["T"] < 0.15


@pytest.mark.slow
def test_gravity_wave_at_500_m():
    coarse, fine = run(1000.0, 12.0, CENTRED), run(500.0, 6.0, CENTRED)
    assert order(coarse, fine, "w") > 1.7 and order(coarse, fine, "T") > 1.6
    assert fine["w"] < 0.08 and fine["T"] < 0.04


def test_gravity_wave_converges_with_second_order_as_the_model_is_used():
    """The damping of sound that stability asks for grows with the acoustic step, and so is of second order too."""
    coarse, fine = run(2000.0, 12.0, USUAL), run(1000.0, 6.0, USUAL)
    assert order(coarse, fine, "w") > 1.7 and order(coarse, fine, "T") > 1.6


@pytest.mark.slow
def test_gravity_wave_at_500_m_as_the_model_is_used():
    coarse, fine = run(1000.0, 12.0, USUAL), run(500.0, 6.0, USUAL)
    assert order(coarse, fine, "w") > 1.7 and order(coarse, fine, "T") > 1.7
    assert fine["w"] < 0.09 and fine["T"] < 0.04


def test_long_acoustic_steps_keep_their_damping_to_the_bit():
    usual = timestep.Options()
    assert usual.for_step(80.0) == usual.for_step(600.0) == (0.1, 0.1)
    assert usual.for_step(8.0) == pytest.approx((0.01, 0.01))
