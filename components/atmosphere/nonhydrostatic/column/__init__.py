# SPDX-License-Identifier: BSD-3-Clause
"""One column of the atmosphere with the physics of the map, forced as a case says: ``python -m`` this package."""
