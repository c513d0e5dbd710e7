# SPDX-License-Identifier: BSD-3-Clause
"""The help of options is what stands under them in the source."""

import subprocess
import sys

from coupler.case.documentation import attribute_docstrings, options_text
from coupler.namelist import Namelist
from tests.toys.cases import ROOT


class First(Namelist):
    depth: float = 50.0
    """Depth of the mixed layer,
    where there is one."""
    name: str = "sea"


class Second(First):
    """Not the help of an option."""

    name: str = "lake"
    """Of the water."""


def test_help_is_inherited_and_an_option_without_has_none():
    assert attribute_docstrings(First) == {"depth": "Depth of the mixed layer,\nwhere there is one."}
    assert options_text(Second).splitlines() == [
        "# Depth of the mixed layer, where there is one.",
        "depth: 50.0",
        "# Of the water.",
        "name: lake",
    ]


def test_a_class_without_a_source_has_no_help():
    made = type("Made", (Namelist,), {"__annotations__": {"depth": float}, "depth": 1.0, "__module__": "nowhere"})
    assert attribute_docstrings(made) == {}


def test_a_model_is_found_without_the_compiler_of_kernels():
    """What `check` does; numba is slow to load."""
    words = (
        "import sys; from coupler.case.models import find_model; find_model('nonhydrostatic', 'atmosphere'); "
        "find_model('column', 'land'); find_model('primitive', 'ocean'); print('torch' in sys.modules, "
        "'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
