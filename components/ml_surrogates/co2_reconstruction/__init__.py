# SPDX-License-Identifier: BSD-3-Clause
"""The field of near-surface carbon dioxide out of sparse stations: networks beside the inversions that they improve."""
