# SPDX-License-Identifier: BSD-3-Clause
"""Gray radiation as a component."""
