# SPDX-License-Identifier: BSD-3-Clause
"""Carbon, nitrogen and phosphorus of the column: one process a module, functions of arrays with the columns last."""
