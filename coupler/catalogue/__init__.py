# SPDX-License-Identifier: BSD-3-Clause
"""Maps known by a tag: found in the user's folders, checksummed, read the same way whatever the file looks like."""
