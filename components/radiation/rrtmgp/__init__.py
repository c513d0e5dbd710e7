# SPDX-License-Identifier: BSD-3-Clause
"""RRTMGP as a component."""
