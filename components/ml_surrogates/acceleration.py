# SPDX-License-Identifier: BSD-3-Clause
"""Faster ways to call a network with arrays of one shape: compiled, as a CUDA graph, staged through pinned memory.

Each is checked against the eager network on the arrays it starts with, and left out with one warning where it differs
or cannot be made.
"""

from collections.abc import Callable, Sequence

import torch

Call = Callable[[list[torch.Tensor]], Sequence[torch.Tensor]]
TOLERANCE = 1.0e-4
"""Largest difference to the eager network, as a part of the largest value of an output."""


def accelerated(
    call: Call, example: list[torch.Tensor], compiled: bool, graph: bool, warn: Callable[[str], None]
) -> Call:
    """``call``, compiled and captured where wanted and where it gives the same as eager on ``example``.

    Parameters
    ----------
    call : function of a list of arrays
    example : arrays as it will get them
    compiled : whether to compile by torch.compile
    graph : whether to capture a CUDA graph
    warn : takes the reason where one of both is not possible
    """
    if not (compiled or graph):
        return call
    expected = [a.clone() for a in call(example)]
    for wanted, name, make in ((compiled, "compile", _compiled), (graph, "graphs", captured)):
        if not wanted:
            continue
        try:
            faster = make(call, example)
            worst = largest_difference(faster(example), expected)
        except Exception as error:  # whatever a compiler or driver may raise: the eager network remains
            warn(f"{name}: not possible here ({str(error).splitlines()[0] if str(error) else type(error).__name__})")
            continue
        if worst <= TOLERANCE:
            call = faster
        else:
            warn(f"{name}: differs from eager by {worst:.1e}, more than {TOLERANCE:.0e}; eager is used")
    return call


def largest_difference(got: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> float:
    """Largest difference relative to the largest value of each output; infinite where one is not a number.

    Parameters
    ----------
    got, expected : outputs of two calls
    """
    worst = 0.0
    for a, b in zip(got, expected, strict=True):
        part = float((a - b).abs().max() / b.abs().max().clamp(min=1e-30))
        worst = max(worst, part if part == part else float("inf"))
    return worst


def _compiled(call: Call, example: list[torch.Tensor]) -> Call:
    return torch.compile(call, dynamic=False)


def captured(call: Call, example: list[torch.Tensor]) -> Call:
    """A CUDA graph of ``call`` on arrays like ``example``.

    Parameters
    ----------
    call : function of a list of arrays
    example : arrays as it will get them, on a CUDA device

    Raises
    ------
    RuntimeError
        The arrays are not on a CUDA device.
    """
    if example[0].device.type != "cuda":
        raise RuntimeError("graphs need a CUDA device")
    still = [a.clone() for a in example]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call(still)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = call(still)

    def replay(arrays: list[torch.Tensor]) -> Sequence[torch.Tensor]:
        for mine, a in zip(still, arrays, strict=True):
            mine.copy_(a)
        graph.replay()
        return [a.clone() for a in out]

    return replay


class Staging:
    """Arrays between host and device through pinned buffers; on the CPU they pass as they are.

    An event after the copies back is waited for before anybody may read (and send) the host's arrays.
    """

    def __init__(self, device: str):
        self.device = torch.device(device)
        self._pinned: dict[tuple[str, int], torch.Tensor] = {}

    def to_device(self, arrays: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Arrays on the device."""
        if self.device.type == "cpu":
            return list(arrays)
        return [self._buffer("in", n, a).copy_(a).to(self.device, non_blocking=True) for n, a in enumerate(arrays)]

    def to_host(self, arrays: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Arrays on the host, complete."""
        if self.device.type == "cpu":
            return list(arrays)
        back = [self._buffer("out", n, a).copy_(a, non_blocking=True) for n, a in enumerate(arrays)]
        done = torch.cuda.Event()
        done.record()
        done.synchronize()
        return [a.clone() for a in back]

    def _buffer(self, way: str, n: int, like: torch.Tensor) -> torch.Tensor:
        """A pinned array that is used again where the shape has not changed."""
        found = self._pinned.get((way, n))
        if found is None or found.shape != like.shape or found.dtype != like.dtype:
            found = self._pinned[way, n] = torch.empty(like.shape, dtype=like.dtype, pin_memory=True)
        return found
