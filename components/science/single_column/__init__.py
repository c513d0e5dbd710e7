# SPDX-License-Identifier: BSD-3-Clause
"""What single columns of atmosphere and ocean share."""
