# SPDX-License-Identifier: BSD-3-Clause
"""Items that processes send each other come out as they went in, and only what JSON and arrays can say goes in."""

import pathlib

import numpy as np
import pytest

from coupler.messages import from_bytes, to_bytes


def test_an_item_comes_out_as_it_went_in():
    item = {"word": "Änderung", "none": None, "numbers": [1, -2.5, 1e-320, 0.1], "yes": True, "empty": {}}
    assert from_bytes(to_bytes(item)) == item
    for value in (float("inf"), -0.0, 2**70):
        back = from_bytes(to_bytes(value))
        assert back == value and str(back) == str(value)
    assert np.isnan(from_bytes(to_bytes(float("nan"))))
    assert from_bytes(to_bytes((1, (2, "three")))) == [1, [2, "three"]]
    assert from_bytes(to_bytes(np.int64(7))) == 7


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3), np.arange(4, dtype=np.int8), np.zeros((0, 3)), np.array(3.5),
        np.array([True, False]), np.arange(12.0).reshape(3, 4)[:, ::2], np.float32([np.nan, -0.0]),
    ],
)  # fmt: skip
def test_arrays_keep_their_bits_shape_and_type(array):
    back = from_bytes(to_bytes(["before", {"a": array, "b": array}, array]))
    for other in (back[1]["a"], back[1]["b"], back[2]):
        assert other.dtype == array.dtype and other.shape == array.shape and other.tobytes() == array.tobytes()
        assert other.flags.writeable


@pytest.mark.parametrize("item", [{1, 2}, pathlib.Path("x"), object(), np.array([None]), {(1, 2): 3}])
def test_what_json_does_not_have_is_refused(item):
    with pytest.raises(TypeError):
        to_bytes(item)
