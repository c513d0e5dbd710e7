# SPDX-License-Identifier: BSD-3-Clause
"""Numbers of the mass-flux convection: its torch functions and its kernel take them from here.

What they do stands in `convection_mass_flux`, `mixed_layer_thermals`, `convection_plume`, `convection_downdraught` and
`convective_clouds`.
"""

DEEP = 2.0e4  # Pa, thickness of a deep cloud
SOURCE = 200.0  # m, depth of the air that a plume from the ground starts with
WARMER, MOISTER = 0.2, 1.0e-4  # K, kg/kg: least excess of that air (Tiedtke 1989)
GRANT = 0.03  # times w_*: mass flux at the base of shallow clouds, by density (Grant 2001)
VARIANCE = 0.2  # times w_*^2: of vertical velocity at .8 of a mixed layer's depth (Lenschow et al. 1980)
FASTEST = 4.0  # standard deviations, faster than which no thermal is: they would carry 1 % of Grant's flux
LEAST_VARIANCE = 1.0e-12  # m2 s-2
MIDDLE_HUMIDITY = 0.8  # relative humidity, from which air aloft rises
MIDDLE = (1000.0, 7000.0)  # m, heights from which it does
RAINING = 0.05  # share of the area in which it rains
EVAPORATION = (5.44e-4, 5.09e-3, 0.577)  # Tiedtke (1989), eq. 14
FULL = 0.9  # of saturation, up to which rain moistens the air
MOMENTUM = 0.3
SLOWEST = 0.5  # m s-1, of a plume that comes to rest
GIVEN = 0.2  # share of itself that a layer gives at most in a step
PASSAGE = (720.0, 10800.0)  # s, shortest and longest time in which CAPE is used up

ENTRAINMENT_DEEP = 1.75e-3  # m-1, times (1.3 - RH) (q_s / q_s at the base)^3 (Bechtold et al. 2014; IFS CY40R3)
DRY_ENTRAINS = 1.3  # the 1.3 of that
ENTRAINMENT_LIFTED = 1.0e-4  # m-1, of a deep one below free convection: turbulent alone (Tiedtke 1989)
ENTRAINMENT_SHALLOW = 1.5e-3  # m-1 (Siebesma & Cuijpers 1995: 1.5e-3 to 2e-3)
DETRAINMENT_DEEP = 0.75e-4  # m-1; of shallow clouds see `thinning`
BUOYANCY, DRAG = 0.5, 0.25  # share of the buoyancy that becomes speed; drag by entrainment, times the rate
TALLER = 1.15  # times the height above their base at which the mean shallow cloud ends, none of them rises any more
GUST = 2.0  # m s-1, speed of what lifts it: faster air takes in more
START = 1.0  # m s-1, speed at the base
INHIBITED = (1.2e4, 1.8e4)  # Pa, air below free convection that all, and none, of it is lifted through (Pan & Wu 1995)
CONVERSION, ENOUGH = 1.5e-3, 5.0e-4  # s-1 and kg/kg: cloud water becomes rain (Sundqvist 1978)
MEAN_SPEED = 0.75  # of the speed in its core: an updraught's mean (IFS documentation CY47R3 part IV, chapter 6)
BERGERON = 0.5  # K-1/2: ice gathers cloud water faster, the colder below -5 degC (the same; Sundqvist 1988)
COLD = (268.16, 18.0)  # K: where that begins, and over how many degrees it grows
WITHOUT_RAIN = 1500.0  # m above its base, up to which a cloud keeps its water (Tiedtke 1989)

SHARE = 0.3  # of the flux at the plume's base that sinks from where a downdraught starts
MIXING = 2.0e-4  # m-1, entrainment and detrainment of a downdraught by turbulence
SPREAD = 6.0e3  # Pa above the ground, in which it leaves its air

COVER_SHALLOW, COVER_DEEP, COVER_FLUX, COVER_MOST = 0.07, 0.14, 500.0, 0.8  # Xu & Krueger (1991); kg-1 m2 s
