# SPDX-License-Identifier: BSD-3-Clause
"""Gas-phase mechanisms and their integration; arrays in, arrays out."""
