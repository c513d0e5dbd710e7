# SPDX-License-Identifier: BSD-3-Clause
"""The command ``tessera`` of an installed copy, and ``python -m coupler``: what ``run_case.py`` is in a checkout."""

import os
import sys


def main() -> None:
    """Run the command with the words of the command line."""
    os.environ.setdefault("TESSERA_COMMAND", "tessera")
    narrow = sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1"
    if narrow or ("GLIBC_TUNABLES" not in os.environ and sys.platform == "linux" and "mpi4py" not in sys.modules):
        # the C library reads this once, at the start: large pages take a tenth to a fifth off an atmosphere's step
        os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
        os.environ["PYTHONUTF8"] = "1"  # names of files hold any letter, whatever the locale knows
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    from coupler.case.command import main as command

    sys.exit(command(sys.argv[1:]))


if __name__ == "__main__":
    main()
