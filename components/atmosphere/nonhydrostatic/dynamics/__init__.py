# SPDX-License-Identifier: BSD-3-Clause
"""The dynamics: geometry, state, tendencies and the time step."""
