# SPDX-License-Identifier: BSD-3-Clause
"""Compiling functions of torch: at the first call, once for all ranks and runs, said, and for a bounded time.

`torch.compile` keeps its machine code on disk. Of ranks that want the same function one compiles while the others wait,
and then they load it. Where all this has taken longer than the bound, the functions that are left run uncompiled, also
the one that is being compiled just then: it is compiled in a thread, which then works for the next run only.

What is compiled is one graph, and a loop over levels in it is as many graphs' length: minutes. A function with such a
loop is marked `in_pieces`, and the body of its loop, and what else of it takes time, each as a `piece`: these are
compiled, the body once for all levels, and the rest of the function runs as it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import inspect
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar

import torch

from coupler.paths import user_cache

_log = logging.getLogger(__name__)
Function = TypeVar("Function", bound=Callable[..., Any])
_now: ContextVar[Compiler | None] = ContextVar("compiler of the pieces of the function that runs", default=None)
COMPILERS = ("g++", "clang++", "c++")
BOUND = 600.0
"""Seconds that compiling may take in a process, unless the namelist says otherwise."""
SLACK = 1.0
"""Seconds that a function gets at least."""


def piece(function: Function) -> Function:
    """Mark a part of a function `in_pieces`: it is compiled by itself where that is to be compiled."""

    @wraps(function)
    def call(*arguments: Any) -> Any:
        compiler = None if torch.compiler.is_compiling() else _now.get()
        return (function if compiler is None else compiler.made_of(function))(*arguments)

    return call  # type: ignore[return-value]


def pieces_are_compiled() -> bool:
    """Whether the function `in_pieces` that runs has its pieces compiled."""
    return _now.get() is not None


def in_pieces(function: Function) -> Function:
    """Mark a function of which only the parts marked `piece` are to be compiled."""
    function.in_pieces = True  # type: ignore[attr-defined]
    return function


def of_any_size(function: Function) -> Function:
    """Mark a function that is called with fields of many sizes: one piece of machine code does for all of them."""
    function.any_size = True  # type: ignore[attr-defined]
    return function


class Compiler:
    """What a process compiles.

    Parameters
    ----------
    bound : float
        Seconds after which the rest runs uncompiled.
    say : callable
        Takes a line of progress; by default the log.
    clock : callable
        Time, s.
    """

    def __init__(
        self,
        bound: float = BOUND,
        say: Callable[[str], Any] = _log.warning,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.bound, self.say, self.clock = bound, say, clock
        self.spent, self.wanted, self.ready = 0.0, 0, 0
        self._pieces: dict[Callable[..., Any], _AtFirstCall] = {}
        self._told, self._announced, self._last = False, False, 0.0
        self.folder = Path(os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(user_cache() / "torch")))

    def __call__(self, function: Callable[..., Any], whole: bool = True) -> Callable[..., Any]:
        """The function, to be compiled when it is called first.

        Parameters
        ----------
        function : of tensors
        whole : whether all of it must be one graph
        """
        if getattr(_inner(function), "in_pieces", False):
            return partial(self._with_pieces, function)
        self.wanted += 1
        return _AtFirstCall(self, function, whole)

    def made_of(self, part: Callable[..., Any]) -> Callable[..., Any]:
        """A `piece`, to be compiled when it is called first."""
        if part not in self._pieces:
            self.wanted += 1
            self._pieces[part] = _AtFirstCall(self, part, whole=True)
        return self._pieces[part]

    def _with_pieces(self, function: Callable[..., Any], *arguments: Any) -> Any:
        token = _now.set(self)
        try:
            return function(*arguments)
        finally:
            _now.reset(token)

    def first_call(self, function: Callable[..., Any], whole: bool, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
        """What is to be called from now on, and the result of this call."""
        if not self._may():
            return function, function(*arguments)
        begin = self.clock()
        made: Callable[..., Any] = torch.compile(
            function, fullgraph=whole, dynamic=getattr(_inner(function), "any_size", False)
        )
        done = self.folder / "done" / _key(function, arguments)
        result: dict[str, Any] = {}
        differentiates = torch.is_grad_enabled()

        def work() -> None:
            try:
                with torch.set_grad_enabled(differentiates), self._alone(done):
                    result["out"] = made(*arguments)
            except BaseException as error:
                result["error"] = error

        thread = threading.Thread(target=work, name=f"compile {_name(function)}", daemon=True)
        thread.start()
        thread.join(max(self.bound - self.spent, 0.0) + SLACK)
        self.spent += self.clock() - begin
        if thread.is_alive():
            self.spent = max(self.spent, self.bound) + SLACK
            self._may()
            return function, function(*arguments)
        if "error" in result:
            error = result["error"]
            if not isinstance(error, _failures()):
                raise error
            lines = str(error).strip().splitlines() or [type(error).__name__]
            self.say(f"{_name(function)} cannot be compiled and runs uncompiled: {lines[0]}")
            made, result["out"] = function, function(*arguments)
        self.ready += 1
        self._progress()
        return made, result["out"]

    def _may(self) -> bool:
        if self.spent <= self.bound and any(map(shutil.which, COMPILERS)):
            return True
        if not self._told:
            self._told = True
            why = f"no C++ compiler ({', '.join(COMPILERS)})"
            if self.spent > self.bound:
                why = f"compiling took {self.spent:.0f} s, longer than the {self.bound:.0f} s of compile_limit"
            rest = self.wanted - self.ready
            self.say(f"{why}: {rest} of {self.wanted} functions run uncompiled, at half the speed")
        return False

    def _progress(self) -> None:
        if self.spent - self._last >= 15.0 or (self.ready == self.wanted and self._announced):
            self._last = self.spent
            self.say(f"compiled {self.ready} of {self.wanted} functions in {self.spent:.0f} s")

    @contextlib.contextmanager
    def _alone(self, done: Path) -> Iterator[None]:
        """Alone among the processes of the machine, unless somebody has done it before."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # a folder without locks: each compiles for itself
                done.parent.mkdir(parents=True, exist_ok=True)
                if not done.exists():
                    if not self._announced:
                        self._announced = True
                        self.say(f"compiling, once for this grid; kept in {self.folder}")
                    fcntl.flock(stack.enter_context(open(done.parent / "lock", "w")), fcntl.LOCK_EX)
            yield
            with contextlib.suppress(OSError):
                done.touch()


class _AtFirstCall:
    """A function that is compiled when it is called first."""

    def __init__(self, compiler: Compiler, function: Callable[..., Any], whole: bool):
        self._compiler, self._function, self._whole = compiler, function, whole
        self._made: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        if self._made is None:
            self._made, out = self._compiler.first_call(self._function, self._whole, arguments)
            return out
        return self._made(*arguments)


def _failures() -> tuple[type[Exception], ...]:
    """What torch raises where it cannot compile."""
    from torch._dynamo.exc import TorchDynamoException

    return (TorchDynamoException,)


def _inner(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, partial):
        function = function.func
    return function


def _name(function: Callable[..., Any]) -> str:
    function = _inner(function)
    return getattr(function, "__qualname__", type(function).__name__)


def _key(function: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """Name of a function with its source and the shapes that it is called with."""
    inner = function
    while isinstance(inner, partial):
        arguments += tuple(inner.keywords.values())
        inner = inner.func
    with contextlib.suppress(OSError, TypeError):
        source = inspect.getsource(inner)
        digest = hashlib.sha256(f"{torch.__version__} {torch.get_num_threads()} {source}".encode())
        digest.update(" ".join(map(_shape, arguments)).encode())
        return f"{_name(function)}-{digest.hexdigest()[:16]}"
    return _name(function)


def _shape(a: Any) -> str:
    if isinstance(a, torch.Tensor):
        return f"{tuple(a.shape)}{a.dtype}{a.device}"
    if isinstance(a, dict):
        return " ".join(f"{k}:{_shape(v)}" for k, v in a.items())
    if isinstance(a, list | tuple):
        return " ".join(map(_shape, a))
    return repr(a) if isinstance(a, int | float | str | None) else type(a).__name__
