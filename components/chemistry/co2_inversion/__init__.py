# SPDX-License-Identifier: BSD-3-Clause
"""Carbon dioxide near the ground by assimilating stations into its transport."""
