# SPDX-License-Identifier: BSD-3-Clause
"""Channels within a process, waiting, and what a put or get at a wrong time says."""

import re
import time

import numpy as np
import pytest

from coupler.errors import DeadlineError, ExchangeError, LayoutError, ValueCheckError
from coupler.exchange import shared_memory
from coupler.exchange.partition import Partitions
from coupler.exchange.receiver import Receiver
from coupler.exchange.routes import TAG_PLAN, Route, check_tags, input_tag, output_tag
from coupler.exchange.sender import Sender
from coupler.exchange.transport import Pause, Serial, wait_until
from coupler.fields import FieldSpec
from coupler.plan import Bundle, Delivery, Task
from tests.unit.test_window import _plan


def test_messages_come_in_the_order_in_which_they_were_sent():
    transport = Serial()
    out, into = transport.outbox(0, 7, 3), transport.inbox(0, 7, 3)
    assert not into.ready()
    for n in range(2):
        buffer = out.buffer()
        buffer[:] = n
        out.send(buffer)
    for n in range(2):
        assert into.ready()
        assert np.array_equal(into.take(), [n, n, n])
        into.release()
    assert not into.ready()


def test_a_buffer_that_was_sent_may_be_changed_by_nobody():
    transport = Serial()
    out, into = transport.outbox(0, 1, 2), transport.inbox(0, 1, 2)
    first = out.buffer()
    first[:] = 1
    out.send(first)
    second = out.buffer()
    second[:] = 2
    assert second is not first
    assert np.array_equal(into.take(), [1, 1])


def test_objects_of_different_tags_do_not_mix():
    transport = Serial()
    transport.send_object(0, 3, "three")
    transport.send_object(0, 4, {"four": 4})
    assert transport.poll_object(4) == (0, {"four": 4})
    assert transport.poll_object(4) is None
    assert transport.poll_object(3) == (0, "three")


def test_waiting_costs_no_core():
    calls = 0

    def ready():
        nonlocal calls
        calls += 1
        return time.perf_counter() - began > 0.3

    began, cpu = time.perf_counter(), time.process_time()
    waited = wait_until(ready, 10.0, lambda s: AssertionError(s))
    assert waited >= 0.25
    assert time.process_time() - cpu < 0.5 * waited
    assert calls < 5000


def test_a_deadline_ends_the_wait():
    with pytest.raises(DeadlineError, match="waited"):
        wait_until(lambda: False, 0.05, lambda s: DeadlineError(f"waited {s:.2f} s"))


def test_pauses_grow_to_their_limit(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    pause = Pause(longest=1e-3)
    for _ in range(200):
        pause.sleep()
    assert slept == sorted(slept)
    assert max(slept) == 1e-3


# ------------------------------------------------------------------ times that do not fit

SPEC = FieldSpec("air_temperature")


def link(lag=0, direct=True):
    task = Task(
        0, "air -> sea", "connection", (Bundle("source", "default", (SPEC,), "mean"),),
        (Delivery("target", "default", (SPEC,), (1.0,), (0.0,)),), period=7200, lag=lag,
        route="direct" if direct else "coupler",
    )  # fmt: skip
    plan, transport, cells = _plan(task), Serial(), np.arange(4)
    sender = Sender(plan, task, 0, 4, [Route(0, 0, False, "source", 0, cells, np.ones(4), None)], transport)
    receiver = Receiver(plan, task, 0, 4, [Route(0, 0, True, "target", 0, cells, np.ones(4), np.ones(4))], transport)
    return sender, receiver, transport


def test_put_says_what_happened():
    sender, receiver, _ = link()
    assert sender.put("air_temperature", 3600, np.full((1, 4), 280.0)) == "accumulated"
    assert sender.put("air_temperature", 7200, np.full((1, 4), 290.0)) == "sent"
    receiver.advance(0)
    assert np.array_equal(receiver.held, np.full((1, 4), 285.0))


def test_the_initial_exports_serve_every_period_of_lag():
    sender, receiver, _ = link(lag=3 * 7200)
    sender.put_initial({"air_temperature": np.full((1, 4), 271.0)})
    for n in range(3):
        assert receiver.ready()
        receiver.advance(n * 7200)
        assert np.all(receiver.held == 271.0)
    assert not receiver.ready()


def test_an_interval_left_out_is_an_error_that_says_both_times():
    sender, receiver, _ = link()
    sender.put("air_temperature", 7200, np.zeros((1, 4)))
    receiver.advance(0)
    sender.put("air_temperature", 14400, np.zeros((1, 4)))
    with pytest.raises(ExchangeError) as said:
        receiver.advance(14400)
    assert "asks for the interval from 2001-01-01T04:00:00" in str(said.value)
    assert "its last was from 2001-01-01T00:00:00" in str(said.value)


def test_a_message_of_another_window_is_an_error_never_a_shift():
    _, receiver, transport = link()
    out = transport.outbox(0, output_tag(0, 0), 4 + 4)
    buffer = out.buffer()
    buffer[:4] = 0, 5, 43200, 0
    out.send(buffer)
    with pytest.raises(ExchangeError) as said:
        receiver.advance(0)
    text = str(said.value)
    assert "window 5" in text and "2001-01-01T12:00:00" in text
    assert "window 0 (up to 2001-01-01T02:00:00) was due" in text


def endpoint(case):
    from coupler.case.case import make_plan
    from coupler.exchange.endpoint import Endpoint

    plan = make_plan(case(duration="PT4H"), 1)
    parts = Partitions(plan)
    air = plan["atmosphere"]
    cells = {"default": parts.cells("atmosphere", 0)}
    return Endpoint(plan, air, 0, cells, {"default": air.grids["default"].shape}, [], Serial(), lambda: None)


def test_a_field_of_a_wrong_shape_is_told_with_both_shapes(case):
    with pytest.raises(ExchangeError, match=re.escape("with the shape (3, 4); its grid 'atmosphere' has (8, 10)")):
        endpoint(case).put("air_temperature", 1800, np.zeros((3, 4)))


def test_a_field_that_is_no_export_is_refused(case):
    with pytest.raises(ExchangeError, match="puts 'snowfall_flux', which it does not export; it exports air_temp"):
        endpoint(case).put("snowfall_flux", 1800, np.zeros((8, 10)))


@pytest.mark.parametrize(("value", "words"), [(np.nan, "is not finite: nan"), (400.0, "is outside 150 .. 350: 400")])
def test_a_bad_value_is_told_with_field_cell_place_rank_and_time(case, value, words):
    values = np.full((8, 10), 280.0)
    values[2, 3] = value
    with pytest.raises(ValueCheckError) as said:
        endpoint(case).put("air_temperature", 1800, values)
    text = str(said.value)
    assert f"atmosphere: air_temperature {words} K in cell (2, 3)" in text
    assert "(107.00 E, 15.00 N) of grid 'atmosphere', rank 0, at 2001-01-01T00:30:00" in text


def test_no_two_messages_share_a_tag():
    """Of any tasks, sides and kinds of note; task k and k + 512 did."""
    notes = (0, shared_memory._INTRODUCE, shared_memory._GIVE_BACK)
    tags = [
        tag(task, slot) + note
        for task in range(1600)
        for tag in (input_tag, output_tag)
        for slot in range(8)
        for note in notes
    ]
    assert len(set(tags)) == len(tags) and min(tags) > TAG_PLAN


def test_more_exchanges_than_tags_are_refused():
    most = 32767 // 64 - 1  # the least that MPI's standard promises
    check_tags(most, 32767)
    assert output_tag(most - 1, 7) + shared_memory._GIVE_BACK <= 32767
    with pytest.raises(LayoutError, match=f"the case has {most + 2} exchanges; this MPI has tags for"):
        check_tags(most + 2, 32767)
