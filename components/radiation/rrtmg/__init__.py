# SPDX-License-Identifier: BSD-3-Clause
"""RRTMG as a component."""
