# SPDX-License-Identifier: BSD-3-Clause
"""Mixed-layer ocean."""
