# SPDX-License-Identifier: BSD-3-Clause
"""Land prescribed from files."""
