# SPDX-License-Identifier: BSD-3-Clause
"""Windows of a coupling period, and fractions that vary in time, up to the numbers delivered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from coupler.case.case import make_plan
from coupler.component import Component
from coupler.exchange.mapping import HEADER, compact_counts, product
from coupler.exchange.receiver import Receiver
from coupler.exchange.routes import Route, output_tag
from coupler.exchange.sender import Sender
from coupler.exchange.transport import Serial
from coupler.fields import FieldSpec
from coupler.plan import Bundle, ComponentPlan, Delivery, Plan, Task
from coupler.window import Window

# One target cell of area 5 over four source cells: sum(w f F), sum(w f) at two times, and the mean of both
WEIGHTS = np.array([0.2, 0.1, 0.3, 0.4])
FRACTIONS = np.array([[1.0, 0.5, 0.25, 0.5], [1.0, 0.25, 0.125, 0.25]])
FLUXES = np.array([[1.0, 3.0, 4.0, 2.0], [10.0, 30.0, 40.0, 20.0]])
SIDES = ("source", "target")
VALUE, FRACTION = 7.3 / 0.8875, 0.44375


def mapped(matrix):
    """Rows of [column, cell] as the coupler maps them: values and fractions with the same weights."""
    counts = compact_counts(np.array([0, 4]))
    out = np.empty((matrix.shape[0], 1))
    product(counts, np.arange(4, dtype=np.int32), WEIGHTS, np.ascontiguousarray(matrix.T), out)
    return out[:, 0]


def test_the_two_times_of_the_worked_example():
    for f, flux, scaled, covered, value in zip(
        FRACTIONS, FLUXES, (1.05, 6.25), (0.525, 0.3625), (2.0, 17.2414), strict=True
    ):
        window = Window(1, 4, "mean", weighted=True)
        window.add([flux], f)
        total, fraction = mapped(window.take())
        assert total == pytest.approx(scaled, rel=1e-14)
        assert fraction == pytest.approx(covered, rel=1e-14)
        assert total / fraction == pytest.approx(value, abs=5e-5)


def test_fractions_are_applied_before_the_mean():
    window = Window(1, 4, "mean", weighted=True)
    for f, flux in zip(FRACTIONS, FLUXES, strict=True):
        window.add([flux], f)
    total, fraction = mapped(window.take())
    assert total == pytest.approx(3.65, rel=1e-14), "value x fraction is the true mean"
    assert fraction == pytest.approx(FRACTION, rel=1e-14)
    assert total / fraction == pytest.approx(8.225352113, abs=5e-10)
    averaged_later = (2.0 + 6.25 / 0.3625) / 2
    assert averaged_later == pytest.approx(9.62, abs=5e-3), "what averaging normalised values would give"
    assert abs(averaged_later * fraction - 3.65) > 0.6, "and it would not conserve"


def test_the_worked_example_from_sender_to_receiver():
    spec = FieldSpec("surface_downward_heat_flux_in_sea_water")
    part = FieldSpec("sea_area_fraction")
    task = Task(
        0, "source -> target", "connection", (Bundle("source", "default", (spec,), "mean", part),),
        (Delivery("target", "default", (spec,), (1.0,), (0.0,), True),), period=7200, lag=0,
    )  # fmt: skip
    plan = _plan(task)
    transport = Serial()
    four, one = np.arange(4), np.arange(1)
    sender = Sender(plan, task, 0, 4, [Route(0, 0, False, "source", 0, four, None, None)], transport)
    from coupler.exchange.operators import Operator
    from coupler.exchange.process import OutputMap

    class Weights(Operator):
        def __init__(self):
            self._rows = [(0, 1)]

        def rows(self, slot, cells):
            return np.array([0, 4]), np.arange(2, 6, dtype=np.int32), WEIGHTS

    output = OutputMap(task, 0, 0, Weights(), one, transport)
    receiver = Receiver(plan, task, 0, 1, [Route(0, 0, True, "target", 0, one, None, np.ones(1))], transport)
    for time, f, flux in zip((3600, 7200), FRACTIONS, FLUXES, strict=True):
        assert sender.put("sea_area_fraction", time, f[None]) == "accumulated"
        done = sender.put(spec.name, time, flux[None])
    assert done == "sent"
    box = transport.inbox(0, output_tag(0, 0) - 8, (2 + 4) * 2)
    matrix = box.take().reshape(-1, 2)
    assert matrix.reshape(-1)[1] == 0, "window 0"
    output.send(0, 0.0, 7200.0, matrix)
    assert receiver.ready()
    receiver.advance(0)
    total, fraction = receiver.held[:, 0]
    assert fraction == pytest.approx(FRACTION, rel=1e-14)
    assert total / fraction == pytest.approx(VALUE, rel=1e-14)
    assert HEADER == 4


def _plan(task):
    from pathlib import Path

    from coupler.clock import Clock
    from coupler.component import Setting
    from coupler.grids.grid import Grid

    grid = Grid.regular_lonlat("g", 0, 4, 0, 1, resolution=1.0)
    clock = Clock("2001-01-01")
    setting = Setting("source", clock, 3600, 86400, grid, Path("."))
    parts = tuple(
        ComponentPlan(name, "ocean", "m", None, setting, 3600, {"default": grid}, (), ())
        for name in ("source", "target")
    )
    return Plan(Path("."), "t", clock, 86400, parts, (task,), check_budget=False)


# ------------------------------------------------------------------ the same through a whole serial run


class Ice(Component):
    """Four cells with a heat flux under a fraction that varies; the first two steps are the worked example."""

    exports = (
        FieldSpec("surface_downward_heat_flux_in_sea_water", fraction="sea_area_fraction"),
        FieldSpec("sea_area_fraction"),
    )

    def initialize(self, context):
        return self.fields(0)

    def fields(self, n):
        n = min(n, 1)
        return {
            "surface_downward_heat_flux_in_sea_water": FLUXES[n].reshape(1, 4),
            "sea_area_fraction": FRACTIONS[n].reshape(1, 4),
        }

    def step(self, time, seconds, imports):
        return self.fields(time // seconds)

    def state(self):
        return {}

    def restore(self, state):
        return None


class Recorder(Component):
    """Keeps what comes."""

    imports = (FieldSpec("surface_downward_heat_flux_in_sea_water"),)
    exports = ()
    seen: list = []

    def initialize(self, context):
        type(self).seen = []
        return {}

    def step(self, time, seconds, imports):
        self.seen.append((time, imports["surface_downward_heat_flux_in_sea_water"].copy()))
        return {}

    def state(self):
        return {}

    def restore(self, state):
        return None


def test_the_worked_example_through_a_whole_run(case):
    """Cells whose areas stand as .2 : .1 : .3 : .4 (a strip on the equator), one target cell over all of them."""
    import netCDF4

    from coupler.case.launch import run_here
    from tests.unit import test_window as this

    folder = case(
        {
            "ocean": {
                "model": "tests.unit.test_window:Ice",
                "step": "PT1H",
                "grid": {"file": "strip.nc"},
                "output": [{"fields": ["sea_area_fraction"], "period": "PT1H", "statistic": "instant"}],
            },
            "land": {
                "model": "tests.unit.test_window:Recorder",
                "step": "PT2H",
                "grid": {"west": 100, "east": 110, "south": -1, "north": 1, "resolution": [10, 2]},
                "output": [
                    {
                        "fields": ["surface_downward_heat_flux_in_sea_water"],
                        "period": "PT2H",
                        "statistic": "instant",
                    }
                ],
            },
        },
        [{"from": "ocean", "to": "land", "period": "PT2H", "remap": "conservative"}],
        duration="PT2H",
    )
    edges = 100 + 10 * np.concatenate([[0], np.cumsum(WEIGHTS)])
    with netCDF4.Dataset(folder / "strip.nc", "w") as file:
        for name, size in (("lon", 4), ("lat", 1), ("two", 2)):
            file.createDimension(name, size)
        for name, units, bounds in (
            ("lon", "degrees_east", np.stack([edges[:-1], edges[1:]], 1)),
            ("lat", "degrees_north", np.array([[-1.0, 1.0]])),
        ):
            variable = file.createVariable(name, "f8", (name,))
            variable.units, variable.bounds = units, f"{name}_bounds"
            variable[:] = bounds.mean(1)
            file.createVariable(f"{name}_bounds", "f8", (name, "two"))[:] = bounds
    assert make_plan(folder, offline_checks=True).size == 3
    assert run_here(folder, serial=True, resume=False) == 0
    ((time, value),) = this.Recorder.seen
    assert time == 0
    assert value.shape == (1, 1)
    assert value[0, 0] == pytest.approx(VALUE, rel=1e-12)
    assert abs(value[0, 0] - 8.225352113) < 5e-10


def test_a_fixed_value_beside_a_fraction_stays_that_value(case):
    """The second target cell lies beyond the source and is given 5 W m-2."""
    from coupler.case.launch import run_here
    from tests.unit import test_window as this

    box = {"west": 100, "east": 104, "south": 10, "north": 11, "resolution": 1.0}
    folder = case(
        {
            "ocean": {"model": "tests.unit.test_window:Ice", "step": "PT1H", "grid": box},
            "land": {
                "model": "tests.unit.test_window:Recorder",
                "step": "PT2H",
                "grid": {"west": 100, "east": 108, "south": 10, "north": 11, "resolution": [4, 1]},
            },
        },
        [{"from": "ocean", "to": "land", "period": "PT2H", "remap": ["conservative", {"fixed": 5.0}]}],
        duration="PT2H",
    )
    assert run_here(folder, serial=True, resume=False) == 0
    ((_, value),) = this.Recorder.seen
    assert value[0, 1] == 5.0


# ------------------------------------------------------------------ statistics

SAMPLES = arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.just(2), st.just(3)), elements=st.floats(-1e3, 1e3))


@given(SAMPLES)
def test_statistics_are_those_of_numpy(samples):
    wanted = {
        "instant": samples[-1],
        "mean": samples.mean(0),
        "sum": samples.sum(0),
        "min": samples.min(0),
        "max": samples.max(0),
    }
    for statistic, expected in wanted.items():
        window = Window(2, 3, statistic, weighted=False)
        for sample in samples:
            window.add([sample[:1], sample[1:]])
        assert np.allclose(window.take(), expected, rtol=1e-13, atol=1e-10), statistic


@given(SAMPLES, st.integers(0, 5), st.sampled_from(["instant", "mean", "sum", "min", "max"]), st.booleans())
def test_a_window_stopped_in_its_middle_goes_on_to_the_bit(samples, cut, statistic, weighted):
    fractions = np.abs(samples[:, 0]) / 1000.0

    def play(window, part):
        for sample, f in part:
            window.add([sample], f if weighted else None)

    pairs = list(zip(samples, fractions, strict=True))
    whole = Window(2, 3, statistic, weighted)
    play(whole, pairs)
    first, second = Window(2, 3, statistic, weighted), Window(2, 3, statistic, weighted)
    play(first, pairs[:cut])
    state = first.state()
    first.add([np.full((2, 3), 7.0)], np.ones(3) if weighted else None)
    second.restore(state)
    play(second, pairs[cut:])
    assert np.array_equal(second.take(), whole.take())


def test_a_new_window_forgets_the_old_one():
    window = Window(1, 1, "max", weighted=False)
    window.add([np.array([9.0])])
    window.take()
    window.add([np.array([3.0])])
    assert window.take() == 3.0


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(-500, 500))
def test_a_constant_stays_constant_whatever_the_fraction_does(a, b, value):
    window = Window(1, 1, "mean", weighted=True)
    for f in (a, b):
        window.add([np.array([value])], np.array([f]))
    total, fraction = window.take()[:, 0]
    assert fraction == pytest.approx((a + b) / 2)
    assert total == pytest.approx(value * fraction, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("statistic", "wanted"), [("min", [5.0, 1.0, 4.0, 7.0]), ("max", [5.0, 5.0, 6.0, 7.0])])
def test_what_stands_where_there_is_no_fraction_is_no_extreme(statistic, wanted):
    """A sample without ice has no temperature of ice, first, last or in the middle."""
    window = Window(1, 4, statistic, weighted=True)
    for value, fraction in (
        ([5.0, 5.0, 0.0, 9.0], [1.0, 0.5, 0.0, 0.0]),
        ([0.0, 1.0, 6.0, 0.0], [0.0, 0.5, 1.0, 0.0]),
        ([9.0, 9.0, 4.0, 7.0], [0.0, 0.0, 0.5, 1.0]),
    ):
        window.add([np.array([value])], np.array(fraction))
    found = window.take()
    np.testing.assert_allclose(found[-1], [1 / 3, 1 / 3, 0.5, 1 / 3])
    np.testing.assert_allclose(found[0] / found[-1], wanted)
