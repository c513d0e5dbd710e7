# SPDX-License-Identifier: BSD-3-Clause
"""One column of the ocean, forced as a case says."""
