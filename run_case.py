#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tessera: make, check, run and look at cases. Try ./run_case.py --help."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv" / "bin" / "python"
elsewhere = Path(sys.prefix).resolve() != VENV.parents[1].resolve()
other = VENV.is_file() and elsewhere and "TESSERA_PYTHON" not in os.environ
narrow = sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1"
if other or narrow or ("GLIBC_TUNABLES" not in os.environ and sys.platform == "linux" and "mpi4py" not in sys.modules):
    # the C library reads this once, at the start: large pages take a tenth to a fifth off an atmosphere's step
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    os.environ["PYTHONUTF8"] = "1"  # names of files hold any letter, whatever the locale knows
    python = str(VENV) if other else sys.executable
    os.execv(python, [python, *sys.orig_argv[1:]])
sys.path.insert(0, str(ROOT))

from coupler.case.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
