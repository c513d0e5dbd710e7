# SPDX-License-Identifier: BSD-3-Clause
"""Monthly fields of carbon dioxide from stations' records alone: harmonics, kriging, and a learned covariance."""
