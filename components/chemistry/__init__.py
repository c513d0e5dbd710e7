# SPDX-License-Identifier: BSD-3-Clause
"""Models of this realm."""
