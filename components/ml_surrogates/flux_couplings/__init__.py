# SPDX-License-Identifier: BSD-3-Clause
"""A mechanism's fluxes and a network's at measured places: five of the ten couplings, and their mixtures."""
