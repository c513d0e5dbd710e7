# SPDX-License-Identifier: BSD-3-Clause
"""What components that make a field of carbon dioxide out of stations share."""
