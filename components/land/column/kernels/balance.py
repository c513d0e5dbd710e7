# SPDX-License-Identifier: BSD-3-Clause
"""The two balances of energy and a Newton step towards them, column by column; see `balance.by_torch`."""

from typing import Any

from components.land.column.kernels.compiled import compiled
from components.science.constants import LATENT_VAPORISATION, STEFAN_BOLTZMANN


@compiled
def newton(fixed: Any, links: Any, temperatures: Any, saturated: Any, largest: Any, out: Any) -> None:
    """What follows from the two temperatures, and the next two.

    Parameters
    ----------
    fixed : what does not change while the balances are solved, (n,) each; see `balance.FIXED`
    links : conductances to heat (air, leaf, ground) and vapour (dry, wet, soil), (n,) each
    temperatures : of canopy and ground, (n,) each
    saturated : humidity at saturation and its slope, of leaves and of the ground, (n,) each
    largest : change of a temperature, K
    out : temperature and humidity of the canopy air, transpired, evaporated, from the ground, longwave up, residuals of
        canopy and ground, next temperatures, (n,) each; are set
    """
    (
        air_humidity, air_longwave, potentials, densities, rho_cps, thermals, stores, olds, cover_shortwave,
        latent_wets, ground_humidity, emissivities, ground_shortwave, latents, admittances, references, melting, limits,
    ) = fixed  # fmt: skip
    to_air, to_leaf, to_ground, from_dry, from_wet, from_soil = links
    canopy, floor = temperatures
    q_leaves, s_leaves, q_grounds, s_grounds = saturated
    tcs, qcs, transpireds, evaporateds, from_grounds, longwaves, r_canopies, r_grounds, next_v, next_g = out
    for i in range(canopy.size):
        tv, tg = canopy[i], floor[i]
        q_leaf, s_leaf, q_ground, s_ground = q_leaves[i], s_leaves[i], q_grounds[i], s_grounds[i]
        air, leaf, ground = to_air[i], to_leaf[i], to_ground[i]
        dry, wet, soil = from_dry[i], from_wet[i], from_soil[i]
        density, rho_cp, thermal, store = densities[i], rho_cps[i], thermals[i], stores[i]
        moist, emissivity, latent, admittance = ground_humidity[i], emissivities[i], latents[i], admittances[i]
        latent_wet, longwave = latent_wets[i], air_longwave[i]
        heat_sum = 1.0 / (air + leaf + ground)
        leaf_vapour = dry + wet
        vapour_sum = 1.0 / (air + leaf_vapour + soil)
        tc = (air * potentials[i] + leaf * tv + ground * tg) * heat_sum
        qc = (air * air_humidity[i] + leaf_vapour * q_leaf + soil * moist * q_ground) * vapour_sum
        transpired = density * dry * (q_leaf - qc)
        evaporated = density * wet * (q_leaf - qc)
        from_ground = density * soil * (moist * q_ground - qc)
        sv, sg = STEFAN_BOLTZMANN * tv * tv * tv, STEFAN_BOLTZMANN * tg * tg * tg
        down = (1.0 - thermal) * longwave + thermal * sv * tv
        up = (1.0 - emissivity) * down + emissivity * sg * tg
        leaf_latent = density * (LATENT_VAPORISATION * dry + latent_wet * wet)
        r_canopy = (
            cover_shortwave[i] + thermal * (longwave + up - 2.0 * sv * tv) - rho_cp * leaf * (tv - tc)
            - leaf_latent * (q_leaf - qc) - store * (tv - olds[i])
        )  # fmt: skip
        r_ground = (
            ground_shortwave[i] + emissivity * (down - sg * tg) - rho_cp * ground * (tg - tc)
            - latent * from_ground - admittance * (tg - references[i])
        )  # fmt: skip
        cross_heat = rho_cp * leaf * ground * heat_sum
        wet_ground = moist * s_ground
        a11 = (
            thermal * sv * 4.0 * (thermal * (1.0 - emissivity) - 2.0)
            - rho_cp * leaf * (1.0 - leaf * heat_sum)
            - leaf_latent * s_leaf * (1.0 - leaf_vapour * vapour_sum) - store
        )  # fmt: skip
        a12 = thermal * emissivity * 4.0 * sg + cross_heat + leaf_latent * soil * vapour_sum * wet_ground
        soil_latent = latent * density * soil
        a21 = emissivity * thermal * 4.0 * sv + cross_heat + soil_latent * leaf_vapour * vapour_sum * s_leaf
        a22 = (
            -emissivity * 4.0 * sg - rho_cp * ground * (1.0 - ground * heat_sum)
            - soil_latent * wet_ground * (1.0 - soil * vapour_sum) - admittance
        )  # fmt: skip
        det = a11 * a22 - a12 * a21
        step_g = (a21 * r_canopy - a11 * r_ground) / det
        bare = step_g + a11 * melting[i] / det
        step_g = largest if step_g > largest else (-largest if step_g < -largest else step_g)
        bare = largest if bare > largest else (-largest if bare < -largest else bare)
        # as torch has it, what is not a number stays so
        most, limit = tg + bare, limits[i]
        most = limit if most < limit else most
        reached = tg + step_g
        reached = most if reached > most or most != most else reached
        step_g = reached - tg
        step_v = -(r_canopy + a12 * step_g) / a11
        step_v = largest if step_v > largest else (-largest if step_v < -largest else step_v)
        tcs[i], qcs[i], transpireds[i], evaporateds[i], from_grounds[i] = tc, qc, transpired, evaporated, from_ground
        longwaves[i] = (1.0 - thermal) * up + thermal * sv * tv
        r_canopies[i], r_grounds[i] = r_canopy, r_ground
        next_v[i], next_g[i] = tv + step_v, tg + step_g
