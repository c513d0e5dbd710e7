# SPDX-License-Identifier: BSD-3-Clause
"""Where what belongs to the layers of a column stands in its table (nz+1, `ALL`), which convection works on.

A table and not an array each: compiled code counts the references to arrays that it takes from a tuple, at each call.

Of the air (`columns.Columns`; heights above the ground): T, Q (vapour), P, RHO, MASS, Z of the centre, DZ, BOTTOM of
the layer (and the lid's in the last row), static energy DRY and with its vapour ENERGY, saturation Q_S.
Of the plume (`convection_plume.Plume`): FLUX, TAKEN, LEFT, SOURCE, its air UP_T, UP_Q, UP_LIQUID, UP_ICE, RAIN, SNOW,
W, BUOYANCY, INSIDE (1 or 0) and GROWS.
Of the downdraught (`convection_downdraught.Downdraught`): DOWN, GIVEN and its energy and vapour GIVEN_S, GIVEN_Q, GOT,
GOT_S, GOT_Q, WETTING.
Of what comes of them: SHARE of the plume's air, mass that sinks THROUGH the upper interface, what it has MORE there,
energy and vapour after it, NEW_S, NEW_Q.
"""

T, Q, P, RHO, MASS, Z, DZ, BOTTOM, DRY, ENERGY, Q_S = range(11)
FLUX, TAKEN, LEFT, SOURCE, UP_T, UP_Q, UP_LIQUID, UP_ICE, RAIN, SNOW, W, BUOYANCY, INSIDE, GROWS = range(11, 25)
DOWN, GIVEN, GIVEN_S, GIVEN_Q, GOT, GOT_S, GOT_Q, WETTING = range(25, 33)
SHARE, THROUGH, MORE, NEW_S, NEW_Q, ALL = range(33, 39)
