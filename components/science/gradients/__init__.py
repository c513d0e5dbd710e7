# SPDX-License-Identifier: BSD-3-Clause
"""Gradients through coupled periods: the exchange as torch functions, and a player of a case's schedule."""
