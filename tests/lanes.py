"""Lanes of the test suite: what runs beside what, and in which order.

On several workers (``pytest -n``, as ``make test`` does) tests of one module that share a fixture stay on one worker,
so that the fixture is made once; tests that start ranks (``@pytest.mark.ranks``) follow one another, so that never two
MPI runs share the cores; the longest go first, by the durations in ``durations.json`` (``make durations`` renews them).
``--quick`` keeps what needs no process beside its own and no more than some seconds.
"""

import json
import os
import re
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("durations.json")
UNKNOWN = 0.1
"""Seconds that a test is taken to need that the file does not name."""
LONG = 5.0
"""Seconds over which a test is left out of ``--quick``."""
CORES_AN_MPI_RUN = 4
QUICK_FOLDERS = ("tests/unit/", "tests/system/")
GROUP = re.compile(r"@(mpi\d+|tests/[\w/]+\.py)$")
"""What xdist puts behind the name of a test in a group."""
current: pytest.Item | None = None
measured: dict[str, float] = {}


def pytest_addoption(parser):
    group = parser.getgroup("lanes")
    group.addoption("--quick", action="store_true", help="unit tests and in-process commands, without the long ones")
    group.addoption("--renew-durations", action="store_true", help=f"note the tests' durations in {FILE.name}")


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # the order is that of the durations


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    known = json.loads(FILE.read_text(encoding="utf-8"))
    seconds = {item.nodeid: known.get(item.nodeid, UNKNOWN) for item in items}
    if config.option.quick:
        left_out = [i for i in items if not is_quick(i, seconds[i.nodeid])]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [i for i in items if is_quick(i, seconds[i.nodeid])]
    workers = int(getattr(config, "workerinput", {}).get("workercount", 0))
    if workers:
        items[:] = in_lanes(items, seconds, max(1, workers // CORES_AN_MPI_RUN))


def is_quick(item, seconds):
    """Whether a test belongs to ``make quick``."""
    apart = any(item.get_closest_marker(name) for name in ("slow", "gpu", "ranks", "alone"))
    return item.nodeid.startswith(QUICK_FOLDERS) and not apart and seconds <= LONG


def shares_a_fixture(item):
    """Whether a test uses a fixture that its module makes once."""
    used = item._fixtureinfo.name2fixturedefs.values()
    return any(d.scope in ("module", "class") and d.baseid == item.nodeid.split("::")[0] for ds in used for d in ds)


def in_lanes(items, seconds, mpi_lanes):
    """Items, marked with their groups for xdist, the longest groups first."""
    groups = {}
    for item in items:
        key = item.nodeid.split("::")[0] if shares_a_fixture(item) or on_ranks(item) else item.nodeid
        groups.setdefault(key, []).append(item)
    length = {key: sum(seconds[i.nodeid] for i in group) for key, group in groups.items()}
    longest = sorted(groups, key=lambda key: (-length[key], key))
    lanes = {f"mpi{n}": 0.0 for n in range(mpi_lanes)}
    members = {}
    for key in longest:
        lane = key
        if any(on_ranks(i) for i in groups[key]):
            lane = min(lanes, key=lanes.get)
            lanes[lane] += length[key]
        members.setdefault(lane, []).extend(groups[key])
    for lane, group in members.items():
        for item in group if len(group) > 1 else ():
            item.add_marker(pytest.mark.xdist_group(lane))
    return [i for group in sorted(members.values(), key=lambda g: -sum(seconds[i.nodeid] for i in g)) for i in group]


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
    name = GROUP.sub("", report.nodeid)
    measured[name] = measured.get(name, 0.0) + report.duration


def pytest_sessionfinish(session):
    if not session.config.option.renew_durations or hasattr(session.config, "workerinput"):
        return
    known = {**json.loads(FILE.read_text(encoding="utf-8")), **measured}
    root = session.config.rootpath
    kept = {n: round(s, 1) for n, s in sorted(known.items()) if s >= 2 * UNKNOWN and (root / n.split("::")[0]).exists()}
    FILE.write_text(json.dumps(kept, indent=0) + "\n", encoding="utf-8")
