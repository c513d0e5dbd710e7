# SPDX-License-Identifier: BSD-3-Clause
"""Air-sea flux laws, which the coupler runs on the exchange grid."""
