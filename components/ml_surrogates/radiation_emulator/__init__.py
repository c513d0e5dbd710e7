# SPDX-License-Identifier: BSD-3-Clause
"""A neural radiation scheme: the networks, their training and the component that runs them."""
