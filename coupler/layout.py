# SPDX-License-Identifier: BSD-3-Clause
"""Ranks and devices to components.

Ranks are given in the namelist, or divided over the processes there are. The coupler has ranks of its own; components
may share ranks.

>>> ranks = assign({"atmosphere": 2, "ocean": 2, "land": 1}, coupler=1)
>>> ranks["coupler"], ranks["ocean"]
((0,), (3, 4))
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence

from coupler.errors import LayoutError
from coupler.paths import typed

Ranks = dict[str, tuple[int, ...]]


def assign(wanted: Mapping[str, int], coupler: int = 1, sharing: Mapping[str, str] | None = None) -> Ranks:
    """World ranks of the coupler and of every component, in the namelist's order.

    Parameters
    ----------
    wanted : mapping of str to int
        Ranks of each component.
    coupler : int
        Ranks of the coupler.
    sharing : mapping of str to str, optional
        Components that live on (the first of) another component's ranks.
    """
    sharing = dict(sharing or {})
    result: Ranks = {"coupler": tuple(range(coupler))}
    start = coupler
    for name, n in wanted.items():
        if name not in sharing:
            result[name] = tuple(range(start, start + n))
            start += n
    for name, other in sharing.items():
        if other in sharing or other not in result:
            raise LayoutError(f"layout: {name} shares the ranks of {other!r}, which has no ranks of its own")
        if wanted[name] > len(result[other]):
            has = len(result[other])
            raise LayoutError(
                f"layout: {name} wants {wanted[name]} ranks, but shares those of {other}, which has {has}"
            )
        result[name] = result[other][: wanted[name]]
    return result


def divide(
    size: int, wanted: Mapping[str, int], cells: Mapping[str, int], coupler: int, sharing: Mapping[str, str], case: str
) -> tuple[Ranks, str]:
    """Ranks for a run on `size` processes, and a sentence about them.

    With as many processes as the namelist asks for, its layout is taken. With more, the components get more ranks in
    proportion to their cells; with fewer, fewer, down to one each.

    Raises
    ------
    LayoutError
        Too few processes: the message has the smallest number and the exact command.
    """
    own = [n for n in wanted if n not in sharing]
    asked = coupler + sum(wanted[n] for n in own)
    if size == 1:
        return {"coupler": (0,), **{n: (0,) for n in wanted}}, "everything on one process"
    if size == asked:
        return assign(wanted, coupler, sharing), "as the namelist says"
    least = 1 + len(own)
    if size < least:
        each = ", ".join(f"1 {n}" for n in own)
        raise LayoutError(
            f"{size} processes are too few: this case needs at least {least} (1 coupler, {each}).\n"
            f"Run:  mpirun -n {asked} {typed(case)}      (as its layout says)\n"
            f"or:   mpirun -n {least} {typed(case)}      (the fewest)\n"
            f"or:   {typed(case, '--serial')}      (one process)"
        )
    coupler = min(coupler, max(1, size - len(own)))
    counts = {n: 1 for n in own}
    weight = {n: float(wanted[n]) for n in own}
    for _ in range(size - coupler - len(own)):
        candidates = [n for n in own if counts[n] < cells[n]] or own
        best = max(candidates, key=lambda n: (weight[n] / counts[n], cells[n], -own.index(n)))
        counts[best] += 1
    shared = {}
    for n, host in sharing.items():  # as large a part of the ranks that it lives on as it was
        part = round(wanted[n] * counts[host] / wanted[host])
        shared[n] = max(1, min(part, counts[host], cells[n]))
    ranks = assign({n: counts.get(n, shared.get(n, 1)) for n in wanted}, coupler, sharing)
    return ranks, f"{size} processes instead of the namelist's {asked}, shared out in the same proportions"


def place(ranks: Ranks, fixed: Mapping[str, tuple[int, ...]], size: int) -> Ranks:
    """Move a layout of the other processes around those of external programs, whose world ranks are fixed.

    Parameters
    ----------
    ranks : world ranks by component as first laid out
    fixed : world ranks of external programs
    size : number of processes

    >>> place({"coupler": (0,), "land": (1,)}, {"ocean": (0, 2)}, 4)
    {'coupler': (1,), 'land': (3,), 'ocean': (0, 2)}
    """
    taken = {r for group in fixed.values() for r in group}
    free = [r for r in range(size) if r not in taken]
    moved: Ranks = {name: tuple(free[r] for r in group) for name, group in ranks.items()}
    return {**moved, **fixed}


def describe(ranks: Mapping[str, Sequence[int]]) -> str:
    """One line: who has which ranks.

    >>> describe({"coupler": (0,), "ocean": (1, 2)})
    'coupler 0, ocean 1-2'
    """
    parts = []
    for name, r in ranks.items():
        contiguous = len(r) > 1 and list(r) == list(range(r[0], r[-1] + 1))
        parts.append(f"{name} {r[0]}-{r[-1]}" if contiguous else f"{name} {','.join(map(str, r))}")
    return ", ".join(parts)


def cuda_devices() -> int:
    """Number of NVIDIA cards, found without loading CUDA."""
    if not shutil.which("nvidia-smi"):
        return 0
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines())


def device_of(wanted: str, index: int) -> tuple[str, str]:
    """Device of a component's rank, and a warning (empty if there is none).

    Parameters
    ----------
    wanted : auto, cpu or cuda
    index : of the rank within its component

    Raises
    ------
    LayoutError
        ``cuda`` is wanted and there is no card.
    """
    if wanted == "cpu":
        return "cpu", ""
    cards = cuda_devices()
    if cards:
        return f"cuda:{index % cards}", ""
    if wanted == "cuda":
        raise LayoutError("device: cuda, but no CUDA device was found here (nvidia-smi lists none); say auto or cpu")
    return "cpu", "device: auto: no CUDA device was found, the CPU is used"
