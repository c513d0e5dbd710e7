# SPDX-License-Identifier: BSD-3-Clause
"""The coupling framework: knows no physics, imports nothing from components/."""

import os

__version__ = "0.1.0"
# a history file that somebody looks at must not stop the run that writes it; HDF5 reads this at its first file, which
# may be an input that is checked long before the run starts
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
