# SPDX-License-Identifier: BSD-3-Clause
"""Budgets, timing, status and figures of a running case."""
