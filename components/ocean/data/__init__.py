# SPDX-License-Identifier: BSD-3-Clause
"""Ocean prescribed from files."""
