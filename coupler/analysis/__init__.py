# SPDX-License-Identifier: BSD-3-Clause
"""After the run: figures, maps of a day, observations, scores and the score card."""
