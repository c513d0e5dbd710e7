# SPDX-License-Identifier: BSD-3-Clause
"""Conservative mosaic remapping."""
