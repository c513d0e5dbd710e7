# SPDX-License-Identifier: BSD-3-Clause
"""Sums that depend on neither order nor division: against the correctly rounded `math.fsum`."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coupler.exact_sum import N_BINS, _add_each, exact_bins, exact_sum, rounded

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)
SMALL = st.floats(min_value=-1e-300, max_value=1e-300, allow_subnormal=True)


@settings(max_examples=300)
@given(st.lists(st.one_of(FINITE.filter(lambda x: abs(x) < 1e300), SMALL), max_size=60))
def test_it_is_correctly_rounded(values):
    assert exact_sum(values) == math.fsum(values)


@given(st.lists(SMALL, max_size=40))
def test_subnormals_count(values):
    assert exact_sum(values) == math.fsum(values)


@given(st.lists(FINITE.filter(lambda x: abs(x) < 1e300), min_size=1, max_size=40), st.randoms())
def test_order_and_division_change_no_bit(values, random):
    whole = exact_sum(values)
    shuffled = list(values)
    random.shuffle(shuffled)
    cut = random.randrange(len(values) + 1)
    parts = exact_bins(shuffled[cut:]) + exact_bins(shuffled[:cut])
    assert rounded(parts) == whole
    assert exact_sum(shuffled) == whole


@given(st.lists(FINITE.filter(lambda x: abs(x) < 1e300), max_size=40))
def test_everything_cancels_exactly(values):
    assert exact_sum([*values, *[-v for v in reversed(values)]]) == 0.0


@pytest.mark.parametrize("spread", [0, 20, 45, 50, 200])
@pytest.mark.parametrize("factor", [1.0, 1e240, 1e-290])
def test_blocks_of_near_and_of_far_exponents_give_the_bins_of_value_by_value(spread, factor):
    """The sum in units common to a block is the same integer: every bin is, in any order."""
    rng = np.random.default_rng(spread)
    values = rng.normal(size=9000) * 2.0 ** rng.integers(-spread, spread + 1, size=9000) * factor
    values[rng.random(9000) < 0.2] = 0.0
    values[5000] = 5e-324
    bins = np.zeros(N_BINS, np.int64)
    assert _add_each(bins, values.view(np.int64)) == 0
    for order in (slice(None), slice(None, None, -1), rng.permutation(9000)):
        np.testing.assert_array_equal(exact_bins(values[order]), bins)
    assert rounded(bins) == math.fsum(values)


def test_a_case_that_plain_summation_gets_wrong():
    values = np.array([1e16, 1.0, -1e16, 1e-8])
    assert values.sum() != 1.00000001
    assert exact_sum(values) == 1.00000001


def test_a_million_terms_agree_with_fsum():
    values = np.random.default_rng(1).normal(size=1_000_000) * 10.0 ** np.random.default_rng(2).integers(-20, 20, 10**6)
    assert exact_sum(values) == math.fsum(values)


def test_the_largest_doubles_can_be_summed():
    large = np.finfo(float).max
    assert exact_sum([large, -large, 1.0]) == 1.0
    assert exact_sum([large, large, -large]) == large


def test_nothing_sums_to_zero():
    assert exact_sum([]) == 0.0
    assert exact_sum([-0.0]) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_with_its_number(bad):
    with pytest.raises(ValueError, match="2 of 4 values are not finite"):
        exact_sum([1.0, bad, bad, 2.0])
