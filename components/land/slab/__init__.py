# SPDX-License-Identifier: BSD-3-Clause
"""Land as one layer of heat and one bucket of water."""
