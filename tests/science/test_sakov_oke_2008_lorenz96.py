# SPDX-License-Identifier: BSD-3-Clause
"""Assimilation into Lorenz's model of 1996, set up as by Sakov & Oke (2008, Tellus 60A).

Bounds: errors of the same methods in DAPPER 1.7.1 (3DVar .450, ETKF .201, LETKF .221, iEnKS .288), with some room.
"""

import pytest

from tests.toys import lorenz96

SEEDS = (1, 2, 3)


def mean(run, cycles, **given):
    errors = [run(seed, cycles, **given) for seed in SEEDS]
    print(run.__name__, [round(e, 3) for e in errors])
    return sum(errors) / len(errors)


def test_the_etkf_of_twenty_members_with_rotation():
    assert mean(lorenz96.run_etkf, 700) <= 0.22


def test_the_letkf_of_seven_members():
    assert mean(lorenz96.run_letkf, 700) <= 0.25


def test_a_few_cycles_of_the_variational_methods():
    assert lorenz96.run_3dvar(1, 60, skip=20) <= 0.6
    assert lorenz96.run_4d(1, 40, skip=20) <= 0.5


@pytest.mark.slow
def test_3dvar():
    assert mean(lorenz96.run_3dvar, 700) <= 0.49


@pytest.mark.slow
def test_four_dimensions_with_observations_four_steps_apart():
    assert mean(lorenz96.run_4d, 700) <= 0.40
