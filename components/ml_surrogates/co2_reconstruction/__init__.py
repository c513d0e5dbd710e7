# SPDX-License-Identifier: BSD-3-Clause
"""The field of near-surface carbon dioxide out of sparse stations: networks beside the inversions that they improve."""

STANDS_FOR = "chemistry"
"""The realm whose place it can take in a case."""
