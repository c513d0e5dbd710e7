# SPDX-License-Identifier: BSD-3-Clause
"""How long the calls of a learned component take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


class Latency:
    """Seconds of every call."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Count the time of a block."""
        start = time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - start)

    def quantile(self, part: float) -> float:
        """Quantile of the calls, s; 0 before the first."""
        return float(np.quantile(self.seconds, part)) if self.seconds else 0.0

    def text(self) -> str:
        """``48 calls: p50 12.1 ms, p95 14.0 ms``."""
        return (
            f"{len(self.seconds)} calls: p50 {1e3 * self.quantile(0.5):.1f} ms, p95 {1e3 * self.quantile(0.95):.1f} ms"
        )
