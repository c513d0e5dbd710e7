# SPDX-License-Identifier: BSD-3-Clause
"""A component whose author has made one mistake: what one of its calls gives is not what is expected."""

import datetime
import sys

import numpy as np

from coupler.component import Component, OnGrid
from coupler.fields import specs
from coupler.namelist import Namelist

SST = "sea_surface_temperature"


class BadText(Exception):
    """An error that cannot even say what it is."""

    def __str__(self):
        raise RuntimeError("no text")


def _raise(error):
    raise error


def whole(value):
    """A mistake that replaces all that a call returns."""
    return lambda good: value


def field(value):
    """A mistake in the field of a call."""
    return lambda good: {**good, SST: value}


MISTAKES = {
    "none": whole(None),
    "a tuple": lambda good: (good, 1),
    "a list": lambda good: list(good.values()),
    "an array": lambda good: good[SST],
    "nothing in it": whole({}),
    "text": field("warm"),
    "an array of text": lambda good: {SST: good[SST].astype("U")},
    "booleans": lambda good: {SST: good[SST] > 0},
    "complex": lambda good: {SST: good[SST] * 1j},
    "objects": lambda good: {SST: good[SST].astype(object)},
    "dates": lambda good: {SST: np.full(good[SST].shape, np.datetime64("2001-01-01"))},
    "an empty array": field(np.zeros(0)),
    "a missing value": field(None),
    "ragged": field([[1.0], [1.0, 2.0]]),
    "a blank": lambda good: {**good, "sea surface": good[SST]},
    "a slash": lambda good: {**good, "a/b": good[SST]},
    "a number as name": lambda good: {**good, 3: good[SST]},
    "an unknown name": lambda good: {**good, "warmth": good[SST]},
    "a wrong shape": lambda good: {SST: good[SST][1:]},
    "a masked array": lambda good: {SST: np.ma.masked_greater(good[SST], 0)},
    "a generator": lambda good: {SST: (v for v in good[SST])},
    "a set": lambda good: {SST: {1.0}},
    "a dict": lambda good: {SST: {"t": good[SST]}},
    "an object": field(object()),
    "half precision": lambda good: {SST: good[SST].astype(np.float16)},
    "a huge integer": field(2**80),
    "a date": field(datetime.date(2001, 1, 1)),
    "another grid": lambda good: {SST: OnGrid(good[SST], "faces")},
    "raises": lambda good: _raise(ValueError("the toy was told to fail")),
    "raises lines": lambda good: _raise(ValueError("first line\nsecond line")),
    "raises without text": lambda good: _raise(KeyError()),
    "raises badly": lambda good: _raise(BadText()),
    "raises deeply": lambda good: MISTAKES["raises deeply"](good),
    "exits": lambda good: sys.exit(),
    "exits with 0": lambda good: sys.exit(0),
    "exits with 3": lambda good: sys.exit(3),
    "exits with text": lambda good: sys.exit("enough"),
    "interrupts": lambda good: _raise(KeyboardInterrupt()),
    "leaves a generator": lambda good: _raise(GeneratorExit()),
    "is out of memory": lambda good: np.zeros((10**6, 10**9)),
}


class Erring(Component):
    """A sea that errs at one call, on its last rank only."""

    exports = specs(SST)
    diagnostic_units = {"depth": "m"}

    class Options(Namelist):
        """Options of the erring sea."""

        call: str = ""
        """Where it errs."""
        mistake: str = "none"
        """How."""

    def err(self, call, good):
        """What a call gives: wrong where it shall err."""
        late = call not in ("step", "state", "diagnostics") or self.now >= 2 * 3600
        if call == self.options.call and late and self.rank == self.last:
            return MISTAKES[self.options.mistake](good)
        return good

    def initialize(self, context):
        self.rank, self.last, self.now = context.rank, context.ranks - 1, 0
        self.t = np.full(context.local_shape, 290.0)
        return self.err("initialize", {SST: self.t})

    def step(self, time, seconds, imports):
        self.now = time + seconds
        return self.err("step", {SST: self.t})

    def state(self):
        return self.err("state", {SST: self.t})

    def restore(self, state):
        self.err("restore", None)

    def diagnostics(self):
        return self.err("diagnostics", {"depth": self.t, SST: self.t})

    def call_seconds(self):
        return self.err("call_seconds", ())

    def finalize(self):
        self.err("finalize", None)
