# SPDX-License-Identifier: BSD-3-Clause
"""Column physics: radiation, turbulence, convection, clouds."""
