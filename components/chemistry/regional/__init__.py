# SPDX-License-Identifier: BSD-3-Clause
"""Regional chemistry: transport, gases and CO2 on the atmosphere's grid."""
