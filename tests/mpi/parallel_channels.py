# SPDX-License-Identifier: BSD-3-Clause
"""Checks of channels between processes, called on all ranks by the tests of this folder (two ranks or more)."""

import os
import time

import numpy as np
from together import run_checks

from coupler.exchange import shared_memory, transport
from coupler.exchange.channels import MPIInbox, MPIOutbox
from coupler.exchange.routes import output_tag
from coupler.exchange.shared_memory import SharedInbox, SharedOutbox

SMALL, LARGE = 100, 3 * shared_memory.SMALLEST


def ring(t, size, messages, pause, buffers=False):
    """Every rank sends `messages` to the next, which is slow; what comes is what was sent, in order."""
    to, come = (t.rank + 1) % t.size, (t.rank - 1) % t.size
    out = t.outbox(to, 70 + size % 7, size, slots=3)
    into = t.inbox(come, 70 + size % 7, size, [np.empty(size) for _ in range(2)] if buffers else None)
    sent = taken = 0
    give = time.perf_counter() + 60
    while taken < messages or sent < messages:
        assert time.perf_counter() < give, f"{taken} of {messages} came"
        if sent < messages and out.free():
            buffer = out.buffer()
            assert buffer.size == size
            buffer[:] = 1000 * t.rank + sent
            out.send(buffer)
            sent += 1
        if into.ready():
            if pause:
                time.sleep(pause)
            got = into.take()
            assert got.min() == got.max() == 1000 * come + taken, (got[:3], come, taken)
            into.release()
            taken += 1
        else:
            os.sched_yield()
    t.flush()
    return out, into


def check_messages_of_all_sizes_come_whole_and_in_order(comm):
    for size in (1, SMALL, LARGE):
        for buffers in (False, True):
            t = transport.MPI(comm)
            out, into = ring(t, size, 25, 0.0, buffers)
            shared = size >= shared_memory.SMALLEST and t._near
            assert isinstance(out, SharedOutbox if shared else MPIOutbox)
            assert isinstance(into, SharedInbox if shared else MPIInbox)
            t.close()


def check_a_slow_reader_loses_nothing(comm):
    for size in (SMALL, LARGE):
        t = transport.MPI(comm)
        ring(t, size, 8, 0.01)
        t.close()


def check_memory_is_shared_on_one_node(comm):
    near = shared_memory.reachable(comm)
    assert near == set(range(comm.Get_size())) - {comm.Get_rank()} or not shared_memory.available()


def check_a_held_message_is_not_overwritten(comm):
    t = transport.MPI(comm)
    to, come = (t.rank + 1) % t.size, (t.rank - 1) % t.size
    out, into = t.outbox(to, 90, LARGE, slots=3), t.inbox(come, 90, LARGE)
    for n in range(3):
        buffer = out.buffer()
        buffer[:] = n
        out.send(buffer)
    while not into.ready():
        time.sleep(1e-4)
    held = into.take()
    comm.Barrier()
    if t._near:
        assert not out.free(), "three slots are full, and none was given back"
    assert held.min() == held.max() == 0.0
    comm.Barrier()  # nobody gives a slot back before all have looked
    into.release()
    for n in (1, 2):
        while not into.ready():
            time.sleep(1e-4)
        assert into.take()[-1] == n
        into.release()
    t.close()


def check_without_shared_memory_it_is_mpi(comm):
    os.environ["TESSERA_SHARED_MEMORY"] = "0"
    t = transport.MPI(comm)
    out, _ = ring(t, LARGE, 5, 0.0)
    assert isinstance(out, MPIOutbox)
    t.close()
    del os.environ["TESSERA_SHARED_MEMORY"]


def check_channels_of_tasks_far_apart_keep_apart(comm):
    """Notes on shared memory have tags of their own, whichever task they belong to."""
    t = transport.MPI(comm)
    to, come = (t.rank + 1) % t.size, (t.rank - 1) % t.size
    tasks = (0, 256, 512, 1024, 1536)
    outs = [t.outbox(to, output_tag(task, 0), LARGE, slots=3) for task in tasks]
    intos = [t.inbox(come, output_tag(task, 0), LARGE) for task in tasks]
    for n in range(6):
        for task, out in zip(tasks, outs, strict=True):
            buffer = out.buffer()
            buffer[:] = 10_000.0 * n + task
            out.send(buffer)
        for task, into in zip(tasks, intos, strict=True):
            give = time.perf_counter() + 60
            while not into.ready():
                assert time.perf_counter() < give, f"nothing came of task {task}"
                time.sleep(1e-4)
            got = into.take()
            assert got.min() == got.max() == 10_000.0 * n + task, (n, task, got[:3])
            into.release()
    t.close()


def check_bytes_come_as_they_are(comm):
    t = transport.MPI(comm)
    if t.rank == 0:
        for _ in range(t.size - 1):
            give = time.perf_counter() + 60
            while (got := t.poll_bytes(4)) is None:
                assert time.perf_counter() < give
                time.sleep(1e-4)
            assert got.dtype == np.uint8 and got.size == 300_000 and (got == np.arange(300_000) % 251).all()
        assert t.poll_bytes(4) is None
    else:
        t.send_bytes(0, 4, (np.arange(300_000) % 251).astype(np.uint8))
    t.close()


def check_what_a_rank_sends_itself_stays_in_the_process(comm):
    t = transport.MPI(comm)
    out, into = t.outbox(t.rank, 5, LARGE), t.inbox(t.rank, 5, LARGE)
    buffer = out.buffer()
    buffer[:] = 3.0
    out.send(buffer)
    assert into.ready() and into.take()[0] == 3.0
    t.send_object(t.rank, 3, "me")
    assert t.poll_object(3) == (t.rank, "me")
    t.close()


def check_objects_come_with_their_sender(comm):
    t = transport.MPI(comm)
    for other in range(t.size):
        t.send_object(other, 3, {"from": t.rank, "big": np.full(50_000, t.rank)})
    seen = {}
    while len(seen) < t.size:
        found = t.poll_object(3)
        if found:
            sender, item = found
            assert item["from"] == sender and (item["big"] == sender).all()
            seen[sender] = True
        else:
            time.sleep(1e-4)
    assert t.poll_object(3) is None
    t.close()


def check_a_bell_wakes_who_sleeps_at_once(comm):
    t = transport.MPI(comm)
    t.listen(t.rank == 0)
    assert isinstance(t.pause(), transport.BellPause) == (t.rank == 0)
    out = [t.outbox(0, 40 + size % 7, size) for size in (SMALL, LARGE)] if t.rank == 1 else []
    into = [t.inbox(1, 40 + size % 7, size) for size in (SMALL, LARGE)] if t.rank == 0 else []
    comm.Barrier()
    if t.rank == 1:
        for box in out:
            time.sleep(0.3)
            buffer = box.buffer()
            buffer[:] = 1.0
            box.send(buffer)
        time.sleep(0.3)
        t.send_object(0, 3, "word")
    if t.rank == 0:
        t._bells.longest = 5.0  # a message that nobody rings for would take that long
        pause, looks, start = t.pause(), 0, time.perf_counter()
        for ready in (into[0].ready, into[1].ready, lambda: t.poll_object(3) is not None):
            while not ready():
                pause.sleep()
                looks += 1
        assert time.perf_counter() - start < 4.0 and looks < 20, (time.perf_counter() - start, looks)
        for box in into:
            assert not t.arrived([box.request()]) or box.ready()
    t.flush()
    t.close()


def check_one_look_finds_what_has_come(comm):
    t = transport.MPI(comm)
    out = [t.outbox(0, 50 + k, SMALL) for k in range(3)] if t.rank == 1 else []
    into = [t.inbox(1, 50 + k, SMALL) for k in range(3)] if t.rank == 0 else []
    if t.rank == 0:
        assert not t.arrived([box.request() for box in into])
    comm.Barrier()
    if t.rank == 1:
        buffer = out[1].buffer()
        buffer[:] = 5.0
        out[1].send(buffer)
    if t.rank == 0:
        requests = [box.request() for box in into]
        while not t.arrived(requests):
            time.sleep(1e-4)
        assert [box.ready() for box in into] == [False, True, False]
        assert into[1].take()[0] == 5.0
    comm.Barrier()
    for box in into:
        for request, _ in box._posted:
            request.Cancel()
    t.close()


def check_groups_of_ranks(comm):
    t = transport.MPI(comm)
    assert t.group((t.rank,)) is None
    if t.rank < 2:
        group = t.group((0, 1))
        assert (group.Get_size(), group.Get_rank()) == (2, t.rank)
    assert t.share(t.rank) == list(range(t.size))
    t.close()


def check_nothing_is_left_behind(comm):
    here = f"/proc/{os.getpid()}/fd"

    def files():
        links = [os.path.join(here, n) for n in os.listdir(here)]
        return sum("tessera" in os.readlink(x) for x in links if os.path.islink(x))

    before = files()
    t = transport.MPI(comm)
    ring(t, LARGE, 3, 0.0)
    t.close()
    print(f"rank {comm.Get_rank()}: {before} memory files before, {files()} after one more channel", flush=True)


if __name__ == "__main__":
    run_checks(globals())
