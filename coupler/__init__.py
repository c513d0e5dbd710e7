# SPDX-License-Identifier: BSD-3-Clause
"""The coupling framework: knows no physics, imports nothing from components/."""

__version__ = "0.1.0"
