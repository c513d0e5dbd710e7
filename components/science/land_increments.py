# SPDX-License-Identifier: BSD-3-Clause
"""How far an analysis may change a column of land, for whoever makes increments and whoever takes them."""

DRIEST = 0.02  # volume fraction: no layer is dried further
LEFT = 1e-3  # volume fraction of pores that stays air
LEAST_SNOW = 0.1  # kg m-2, below which there is no pack that could be changed
MOST_CHANGE = 5.0  # of a pack at once, either way
