# SPDX-License-Identifier: BSD-3-Clause
"""Python reads this at its start where this folder is on PYTHONPATH: see `tests.toys.faulty`."""

from tests.toys import faulty

faulty.arm()
