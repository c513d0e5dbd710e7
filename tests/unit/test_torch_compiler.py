# SPDX-License-Identifier: BSD-3-Clause
"""Compiling functions of torch: once for all, said, for a bounded time, and eagerly where it cannot be."""

import multiprocessing
import threading
import time
from functools import partial

import pytest
import torch
from torch._dynamo.exc import TorchDynamoException

from components.science import torch_compiler
from components.science.torch_compiler import Compiler, in_pieces, piece


def double(a, factor):
    return factor * a + torch.sin(a)


def triple(a, factor):
    return 3.0 * factor * a


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(torch_compiler.shutil, "which", lambda name: f"/usr/bin/{name}")
    return tmp_path


class Watch:
    """A clock that each compilation moves on by ``seconds``."""

    def __init__(self, monkeypatch, seconds):
        self.now, self.calls = 0.0, []

        def compile(function, **how):
            def made(*arguments):
                if function not in self.calls:
                    self.calls.append(function)
                    self.now += seconds
                return function(*arguments)

            return made

        monkeypatch.setattr(torch, "compile", compile)

    def __call__(self):
        return self.now


def test_it_compiles_at_the_first_call_and_says_how_far_it_is(folder, monkeypatch):
    watch, said = Watch(monkeypatch, 20.0), []
    compiler = Compiler(600.0, said.append, watch)
    first, second = compiler(double), compiler(triple)
    assert watch.calls == [] and said == []
    a = torch.ones(3)
    for _ in range(2):
        assert torch.equal(first(a, 2.0), double(a, 2.0)) and torch.equal(second(a, 2.0), triple(a, 2.0))
    assert watch.calls == [double, triple]
    assert said[0] == f"compiling, once for this grid; kept in {folder}"
    assert said[1:] == ["compiled 1 of 2 functions in 20 s", "compiled 2 of 2 functions in 40 s"]
    assert len(list((folder / "done").glob("*-*"))) == 2


def test_what_was_compiled_before_is_loaded_without_a_word_or_a_wait(folder, monkeypatch):
    a, said = torch.ones(3), []
    Compiler(600.0, lambda line: None, Watch(monkeypatch, 20.0))(double)(a, 2.0)
    monkeypatch.setattr(torch_compiler.fcntl, "flock", lambda *a: pytest.fail("nobody to wait for"))
    Compiler(600.0, said.append, Watch(monkeypatch, 1.0))(double)(a, 2.0)
    assert said == []
    with pytest.raises(pytest.fail.Exception):  # another shape is another function
        Compiler(600.0, said.append, Watch(monkeypatch, 1.0))(double)(torch.ones(4), 2.0)


def test_after_the_bound_the_rest_runs_uncompiled_with_one_warning(folder, monkeypatch):
    watch, said = Watch(monkeypatch, 700.0), []
    compiler = Compiler(600.0, said.append, watch)
    functions, a = [compiler(f) for f in (double, triple, double)], torch.ones(3)
    for f in functions:
        f(a, 2.0)
    assert watch.calls == [double]
    assert said[-1] == (
        "compiling took 700 s, longer than the 600 s of compile_limit: "
        "2 of 3 functions run uncompiled, at half the speed"
    )


def test_a_function_that_is_compiled_for_too_long_runs_uncompiled_meanwhile(folder, monkeypatch):
    monkeypatch.setattr(torch_compiler, "SLACK", 0.05)
    release, said = threading.Event(), []

    def endless(function, **how):
        return lambda *arguments: release.wait(60.0)

    monkeypatch.setattr(torch, "compile", endless)
    compiler = Compiler(0.05, said.append)
    f, g, a = compiler(double), compiler(triple), torch.ones(3)
    assert torch.equal(f(a, 2.0), double(a, 2.0)) and torch.equal(g(a, 2.0), triple(a, 2.0))
    assert not release.is_set() and "2 of 2 functions run uncompiled" in said[-1]
    release.set()


def test_an_error_of_the_function_itself_is_raised(folder, monkeypatch):
    def broken(a):
        raise ZeroDivisionError("of the function")

    monkeypatch.setattr(torch, "compile", lambda function, **how: function)
    with pytest.raises(ZeroDivisionError, match="of the function"):
        Compiler(600.0, lambda line: None)(broken)(torch.ones(3))


def test_without_a_compiler_all_runs_uncompiled_with_one_warning(folder, monkeypatch):
    monkeypatch.setattr(torch_compiler.shutil, "which", lambda name: None)
    watch, said = Watch(monkeypatch, 1.0), []
    compiler = Compiler(600.0, said.append, watch)
    for f in (compiler(double), compiler(triple)):
        f(torch.ones(3), 2.0)
    assert watch.calls == []
    assert len(said) == 1 and said[0].startswith("no C++ compiler (g++, clang++, c++): 2 of 2 functions run uncompiled")


def test_a_function_that_cannot_be_compiled_runs_uncompiled(folder, monkeypatch):
    def refuse(function, **how):
        def made(*arguments):
            raise TorchDynamoException("no such thing\nand a long story")

        return made

    monkeypatch.setattr(torch, "compile", refuse)
    said = []
    out = Compiler(600.0, said.append)(double)(torch.ones(3), 2.0)
    assert torch.equal(out, double(torch.ones(3), 2.0))
    assert "double cannot be compiled and runs uncompiled: no such thing" in said


@piece
def one_level(total, a):
    return total + double(a, 2.0)


@in_pieces
def up_the_column(a, factor):
    total = torch.zeros_like(a[0])
    for level in a:
        total = one_level(total, level)
    return factor * total


def test_of_a_function_in_pieces_the_body_of_its_loop_is_compiled_once_for_all_levels(folder, monkeypatch):
    watch, said = Watch(monkeypatch, 20.0), []
    a = torch.rand(5, 3)
    eager = up_the_column(a, factor=3.0)
    assert watch.calls == []
    compiler = Compiler(600.0, said.append, watch)
    compiled = compiler(partial(up_the_column, factor=3.0), whole=False)
    for _ in range(2):
        assert torch.equal(compiled(a), eager)
    assert watch.calls == [one_level.__wrapped__]
    assert said[-1] == "compiled 1 of 1 functions in 20 s"
    assert torch.equal(up_the_column(a, factor=3.0), eager) and watch.calls == [one_level.__wrapped__]


def compile_slowly(folder, queue):
    """In a process of its own, as a rank is."""
    import os

    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder)

    def slow(function, **how):
        def made(*arguments):
            queue.put(("begin", time.monotonic()))
            time.sleep(0.3)
            queue.put(("end", time.monotonic()))
            return function(*arguments)

        return made

    torch.compile = slow
    torch_compiler.shutil.which = lambda name: name
    Compiler(600.0, lambda line: None)(double)(torch.ones(3), 2.0)


def test_of_two_ranks_one_compiles_while_the_other_waits(tmp_path):
    spawn = multiprocessing.get_context("fork")
    queue = spawn.Queue()
    ranks = [spawn.Process(target=compile_slowly, args=(tmp_path, queue)) for _ in range(2)]
    for rank in ranks:
        rank.start()
    events = [queue.get(timeout=60) for _ in range(4)]
    for rank in ranks:
        rank.join()
    assert [what for what, _ in sorted(events, key=lambda e: e[1])] == ["begin", "end", "begin", "end"]
