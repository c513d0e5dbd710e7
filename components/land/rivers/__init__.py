# SPDX-License-Identifier: BSD-3-Clause
"""Rivers from the land to the sea: the network, and how water moves in it."""
