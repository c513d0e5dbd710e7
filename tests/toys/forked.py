# SPDX-License-Identifier: BSD-3-Clause
"""Processes in no time: forked from one that has imported everything, where an interpreter of its own takes seconds.

A run on four ranks starts six interpreters, which import the same modules, torch among them, before they do a second's
work. Here a server imports them once and forks for each process that is wanted; in its place stands a client of a few
lines, which has the server's child work on its own streams, environment and folder, passes signals on to it and ends as
it does. To mpirun, which starts clients, and to MPI, which knows processes by their environment, all is as ever.

    python -m tests.toys.forked SOCKET                            the server
    python -I -S tests/toys/forked.py SOCKET SCRIPT WORDS...      a client: as  python SCRIPT WORDS...
    python -I -S tests/toys/forked.py SOCKET -m MODULE WORDS...   as  python -m MODULE WORDS...

Real processes on ranks start, die and wait in `tests/system/test_moments_of_faults.py` and `test_odd_environments.py`.
"""

import array
import contextlib
import json
import os
import selectors
import signal
import socket
import sys

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGQUIT)
LENGTH = 8
"""Bytes that give the length of a message."""
AT_START = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0", "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
"""What the C library and the interpreter read once; large pages would be copied whole after each fork."""
READ_BY_IMPORTS = (
    "TESSERA_COMMAND",
    "TESSERA_CACHE",
    "TESSERA_CATALOGUE",
    "NUMBA_",
    "PYTHON",
    "HOME",
    "XDG_",
    "TMPDIR",
    "PATH",
)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
servers = {}


def python():
    """Words that stand for the interpreter: of a client, of this process's server; started on first use.

    A test that changes the environment of imports gets the interpreter itself.
    """
    import atexit
    import subprocess
    import tempfile
    import time

    mine = {k: v for k, v in os.environ.items() if k.startswith(READ_BY_IMPORTS)}
    if not servers or servers["process"].poll() is not None:
        folder = tempfile.TemporaryDirectory(prefix="forked")
        path = os.path.join(folder.name, "socket")
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.toys.forked", path], cwd=ROOT, stdin=subprocess.PIPE,
            env={**os.environ, **AT_START, "PYTHONPATH": ROOT},
        )  # fmt: skip
        while not os.path.exists(path):
            if server.poll() is not None:
                raise RuntimeError("the server of forked processes did not start")
            time.sleep(0.05)
        atexit.register(folder.cleanup)
        servers.update(environment=mine, path=path, process=server)
    if mine != servers["environment"]:
        return [sys.executable]
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), servers["path"]]


def client(path, words):
    """Have the server's child do the work; end as it ends."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    message = json.dumps({"words": words, "environment": dict(os.environ), "folder": os.getcwd()}).encode()
    streams = array.array("i", [0, 1, 2])
    line.sendmsg([len(message).to_bytes(LENGTH, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    # the child may run, and be sent a signal through its client, before this one is ready to pass it on
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    line.sendall(message)
    child = int.from_bytes(received(line, LENGTH), "big")
    for number in PASSED_ON:
        signal.signal(number, lambda n, frame: pass_on(child, n))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    status = int.from_bytes(received(line, LENGTH), "big")
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), -code)
        signal.pause()
    os._exit(code)


def pass_on(child, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, number)


def received(line, length):
    """So many bytes of a connection."""
    data = b""
    while len(data) < length:
        part = line.recv(length - len(data))
        if not part:
            raise SystemExit("the server of forked processes has ended")
        data += part
    return data


def preload():
    """Import every model and have the remapping kernels loaded; MPI itself begins in the children."""
    from coupler.case import case, command, launch, mpirun
    from coupler.case.models import REALMS, find_model, models_of
    from coupler.exchange import runner
    from coupler.remap import prepare
    from tests.toys import models

    assert all((case, command, launch, runner, models))
    for realm in REALMS:
        for name in models_of(realm):
            with contextlib.suppress(Exception):  # one that lacks its package is told by whoever uses it
                find_model(name, realm)
    prepare.compile_kernels()
    assert "mpi4py.MPI" not in sys.modules, "MPI began before its processes did"
    return mpirun


def serve(path):
    """Fork for each client; returns in the children, with the message."""
    line = socket.socket(socket.AF_UNIX)
    line.bind(path + ".new")
    line.listen(64)
    os.rename(path + ".new", path)
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda n, frame: None)
    signal.set_wakeup_fd(wake.fileno())
    watched = selectors.DefaultSelector()
    for thing in (line, woken, sys.stdin):
        watched.register(thing, selectors.EVENT_READ)
    clients = {}
    while True:
        for key, _ in watched.select():
            if key.fileobj is sys.stdin:  # whoever wanted a server has ended
                for child in clients.values():
                    pass_on(child, signal.SIGKILL)
                os._exit(0)
            elif key.fileobj is woken:
                woken.recv(4096)
                reap(clients, watched)
            elif key.fileobj is line:
                connection, _ = line.accept()
                head, ancillary, _, _ = connection.recvmsg(LENGTH, socket.CMSG_SPACE(12))
                streams = array.array("i", ancillary[0][2])
                message = json.loads(received(connection, int.from_bytes(head, "big")))
                child = os.fork()
                if child == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for place, stream in enumerate(streams):
                        os.dup2(stream, place)
                        os.close(stream)
                    for thing in (line, woken, wake, connection, watched, *clients):
                        thing.close()
                    return message
                for stream in streams:
                    os.close(stream)
                clients[connection] = child
                watched.register(connection, selectors.EVENT_READ)
                connection.sendall(child.to_bytes(LENGTH, "big"))
            elif key.fileobj in clients:  # a client says nothing: it was killed
                watched.unregister(key.fileobj)
                pass_on(clients.pop(key.fileobj), signal.SIGKILL)
                key.fileobj.close()


def reap(clients, watched):
    """Tell the clients of ended children how these ended."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            for connection in [c for c, child in clients.items() if child == found[0]]:
                with contextlib.suppress(OSError):
                    connection.sendall(found[1].to_bytes(LENGTH, "big"))
                watched.unregister(connection)
                del clients[connection]
                connection.close()


def main(path):
    """Serve; in a child, do the work of a client."""
    import gc
    import runpy

    mpirun = preload()
    gc.collect()
    gc.freeze()
    message = serve(path)
    os.environ.clear()
    os.environ.update({**AT_START, **message["environment"]})
    os.chdir(message["folder"])
    sys.path[:0] = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p not in sys.path]
    program = mpirun.program()
    mpirun.program = lambda: [program[0], "-I", "-S", os.path.abspath(__file__), path, *program[1:]]
    words = message["words"]
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))  # as the interpreter does for a script
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        client(sys.argv[1], sys.argv[2:])
