# SPDX-License-Identifier: BSD-3-Clause
"""Lanes of the test suite: what runs beside what, and in which order.

On several workers (``pytest -n``, as ``make test`` does) tests of one module that share a fixture stay on one worker,
so that the fixture is made once; tests that start ranks (``@pytest.mark.ranks``) follow one another, so that never two
MPI runs share the cores; the longest go first, by the durations in ``durations.json`` (``make durations`` renews them).
``--quick`` keeps what needs no process beside its own and no more than some seconds.
"""

import gc
import json
import os
import tempfile
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("durations.json")
UNKNOWN, UNKNOWN_RANKS = 0.1, 15.0
"""Seconds that a test is taken to need that the file does not name, and one that starts ranks."""
LONG = 2.0
"""Seconds over which a test is left out of ``--quick``."""
SLOW = 20.0
"""Seconds over which a test is to be marked slow, and to have a small twin that is not."""
CORES_AN_MPI_RUN = 4
QUICK_FOLDERS = ("tests/unit/", "tests/system/")
current: pytest.Item | None = None
measured: dict[str, float] = {}


def pytest_addoption(parser):
    group = parser.getgroup("lanes")
    group.addoption("--quick", action="store_true", help="unit tests and in-process commands, without the long ones")
    group.addoption("--renew-durations", action="store_true", help=f"note the tests' durations in {FILE.name}")


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # the order is that of the durations
    if not hasattr(config, "workerinput"):
        config.lanes = Path(tempfile.mkstemp(".json", "lanes")[1])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a worker where it says which tests stay together."""
    node.workerinput["lanes"] = str(node.config.lanes)


def pytest_xdist_make_scheduler(config, log):
    """Give out whole lanes; xdist's own groups are lost under pytest 9.2, without a word."""
    from xdist.scheduler import LoadScopeScheduling

    class Lanes(LoadScopeScheduling):
        def schedule(self):
            self.lanes = json.loads(config.lanes.read_text(encoding="utf-8") or "{}")  # empty: nothing was collected
            super().schedule()

        def _split_scope(self, nodeid):
            return self.lanes[nodeid]

    return Lanes(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    known = json.loads(FILE.read_text(encoding="utf-8"))
    seconds = {item.nodeid: known.get(item.nodeid, UNKNOWN_RANKS if on_ranks(item) else UNKNOWN) for item in items}
    config.too_long = [i.nodeid for i in items if seconds[i.nodeid] > SLOW and not may_be_long(i)]
    if config.option.quick:
        left_out = [i for i in items if not is_quick(i, seconds[i.nodeid])]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [i for i in items if is_quick(i, seconds[i.nodeid])]
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        lanes = in_lanes(items, seconds, max(1, worker["workercount"] // CORES_AN_MPI_RUN))
        items[:] = [item for lane in lanes.values() for item in lane]
        part = Path(f"{worker['lanes']}.{worker['workerid']}")
        part.write_text(json.dumps({item.nodeid: name for name, lane in lanes.items() for item in lane}))
        part.replace(worker["lanes"])  # the same from every worker


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Leave the half million objects of all modules and tests out of the garbage collector's rounds."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def may_be_long(item):
    """Slow ones, and those that follow a whole document, which always run."""
    return item.get_closest_marker("slow") is not None or item.nodeid.startswith("tests/docs/")


def is_quick(item, seconds):
    """Whether a test belongs to ``make quick``."""
    apart = any(item.get_closest_marker(name) for name in ("slow", "gpu", "ranks", "alone"))
    return item.nodeid.startswith(QUICK_FOLDERS) and not apart and seconds <= LONG


def shares_a_fixture(item):
    """Whether a test uses a fixture that its module makes once."""
    used = item._fixtureinfo.name2fixturedefs.values()
    return any(d.scope in ("module", "class") and d.baseid == item.nodeid.split("::")[0] for ds in used for d in ds)


def in_lanes(items, seconds, mpi_lanes):
    """Lanes by name: the tests that stay on one worker, the longest lanes first."""
    groups = {}
    for item in items:
        key = item.nodeid.split("::")[0] if shares_a_fixture(item) or on_ranks(item) else item.nodeid
        groups.setdefault(key, []).append(item)
    length = {key: sum(seconds[i.nodeid] for i in group) for key, group in groups.items()}
    longest = sorted(groups, key=lambda key: (-length[key], key))
    mpi = {f"mpi{n}": 0.0 for n in range(mpi_lanes)}
    members = {}
    for key in longest:
        lane = key
        if any(on_ranks(i) for i in groups[key]):
            lane = min(mpi, key=mpi.get)
            mpi[lane] += length[key]
        members.setdefault(lane, []).extend(groups[key])
    return dict(sorted(members.items(), key=lambda m: -sum(seconds[i.nodeid] for i in m[1])))


def on_ranks(item):
    """Whether a test starts MPI runs."""
    return item.get_closest_marker("ranks") is not None


def pytest_runtest_setup(item):
    global current
    current = item


def must_start_ranks():
    """Fail where a test starts ranks and is not marked so: beside others it would take their cores unseen."""
    if current is not None and not on_ranks(current):
        raise AssertionError(f"{current.nodeid} starts ranks: mark it with @pytest.mark.ranks")


def made_once(tmp_path_factory, name, make):
    """A folder that `make` fills once for the workers of a session together."""
    from filelock import FileLock

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "whole").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "whole").touch()
    return folder


def pytest_runtest_logreport(report):
    measured[report.nodeid] = measured.get(report.nodeid, 0.0) + report.duration


def pytest_unconfigure(config):
    if hasattr(config, "lanes"):
        config.lanes.unlink(missing_ok=True)


def pytest_sessionfinish(session):
    if not session.config.option.renew_durations or hasattr(session.config, "workerinput"):
        return
    known = {**json.loads(FILE.read_text(encoding="utf-8")), **measured}
    root, config = session.config.rootpath, session.config
    if not config.option.keyword and config.args == config.getini("testpaths"):
        known = dict(measured)  # all of them: names that are gone go
    kept = {n: round(s, 1) for n, s in sorted(known.items()) if s >= 2 * UNKNOWN and (root / n.split("::")[0]).exists()}
    FILE.write_text(json.dumps(kept, indent=0) + "\n", encoding="utf-8")
