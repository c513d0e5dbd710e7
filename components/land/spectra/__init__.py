# SPDX-License-Identifier: BSD-3-Clause
"""The light that leaves leaves and canopies: reflectance, transmittance and fluorescence, band by band."""
