# SPDX-License-Identifier: BSD-3-Clause
"""Streets between walls: their light, and the heat that people make."""
