#!/usr/bin/env python3
"""Tessera: make, check, run and look at cases. Try ./run_case.py --help."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv" / "bin" / "python"
if VENV.is_file() and Path(sys.prefix).resolve() != VENV.parents[1].resolve() and "TESSERA_PYTHON" not in os.environ:
    os.execv(VENV, [str(VENV), *sys.argv])
sys.path.insert(0, str(ROOT))

from coupler.case.command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
