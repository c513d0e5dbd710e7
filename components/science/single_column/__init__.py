# SPDX-License-Identifier: BSD-3-Clause
"""What single columns of atmosphere, ocean and land share."""
