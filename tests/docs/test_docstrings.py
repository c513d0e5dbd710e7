# SPDX-License-Identifier: BSD-3-Clause
"""Examples in the docstrings of the framework are true."""

import doctest
import importlib
import pkgutil

import pytest

import coupler

MODULES = sorted(m.name for m in pkgutil.walk_packages(coupler.__path__, "coupler."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    done = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert done.failed == 0
