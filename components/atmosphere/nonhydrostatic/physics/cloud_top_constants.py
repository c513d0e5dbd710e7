# SPDX-License-Identifier: BSD-3-Clause
"""Constants of `cloud_top_mixing`."""

CLOUDY = 1.0e-5
"""kg/kg of droplets."""
DRY, WET = 0.2, 8.0
"""Efficiency of entrainment into a cloud that is nearly dry, and its growth with what evaporates."""
LEAST_JUMP = 0.1
"""K, of theta_vl at the top."""
PROFILE = 0.85
"""Of the diffusivity (Lock et al. 2000)."""
EXCESS = 6.8
"""What sinks is colder by so many times flux over velocity, as what rises from the ground is warmer in YSU."""
