# SPDX-License-Identifier: BSD-3-Clause
"""One column of the land, driven by weather that was measured or is given."""
