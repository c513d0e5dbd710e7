# SPDX-License-Identifier: BSD-3-Clause
"""Physics that two realms share; no realm of its own."""
