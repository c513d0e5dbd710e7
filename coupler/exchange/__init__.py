# SPDX-License-Identifier: BSD-3-Clause
"""Who sends what to whom, when, and through which messages."""
