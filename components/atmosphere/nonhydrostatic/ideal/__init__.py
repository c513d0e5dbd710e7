# SPDX-License-Identifier: BSD-3-Clause
"""Initial states of the ideal cases."""
