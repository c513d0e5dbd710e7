# SPDX-License-Identifier: BSD-3-Clause
"""The process that finds no compiled kernels of RRTMGP has the bits of those that find them: a run may be continued."""

import os
import subprocess
import sys

import pytest

from tests.toys.cases import ROOT

FLUXES = """
import hashlib
import torch
from components.radiation import standard_atmosphere
from components.radiation.kernels.longwave import longwave
from components.radiation.rrtmgp_scheme import Rrtmgp

air = standard_atmosphere.columns(24, torch.linspace(0.0, 1.0, 9, dtype=torch.float64).reshape(1, 9), 1.0)
cloud = air.cloud.clone()
cloud[5:8, :, ::2] = 2.0e-4
sky = Rrtmgp()(air._replace(cloud=cloud))
bits = [hashlib.sha256(a.numpy().tobytes()).hexdigest() for a in sky if a is not None]
print(sum(longwave.stats.cache_hits.values()), *bits)
"""


@pytest.mark.slow
def test_the_bits_of_the_first_and_the_second_process(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}
    found = [
        subprocess.run([sys.executable, "-c", FLUXES], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    (first, *bits), (second, *again) = (done.stdout.split() for done in found)
    assert (first, second) == ("1", "1"), "both load what a process of its own has compiled"
    assert bits == again
