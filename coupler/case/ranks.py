# SPDX-License-Identifier: BSD-3-Clause
"""Ranks of a case: what ``layout:`` says, and whether the components' grids can be divided so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from coupler import layout
from coupler.case.reading import Case
from coupler.errors import LayoutError, NamelistError, Problem
from coupler.fields import did_you_mean
from coupler.grids.decomposition import blocks_of
from coupler.paths import typed
from coupler.plan import ComponentPlan

MOST = 1_000_000
"""More ranks than any machine has."""


def ranks_wanted(case: Case) -> tuple[dict[str, int], int, dict[str, str]]:
    """Ranks wanted, coupler ranks, and who shares whose, from ``layout:``.

    Parameters
    ----------
    case : Case
        The namelists.

    Raises
    ------
    NamelistError
        With every mistake in it.
    """
    components = list(case.options.components)
    problems: list[Problem] = []
    wanted = dict.fromkeys(components, 1)
    sharing: dict[str, str] = {}
    coupler = 1

    def say(key: str, text: str) -> None:
        problems.append(case.node.problem(f"layout.{key}: {text}", "layout", key))

    for key, value in case.options.layout.items():
        n = value
        if key in case.absent:
            continue
        if key != "coupler" and key not in components:
            say(key, f"unknown component {key!r}{did_you_mean(key, [*components, 'coupler'])}")
            continue
        if isinstance(value, dict):
            extra = set(value) - {"ranks", "with"}
            if extra or key == "coupler":
                say(key, f"unknown key {sorted(extra)[0]!r} (ranks, with)" if extra else "expected a number of ranks")
                continue
            n = value.get("ranks", 1)
            if value.get("with") is not None:
                sharing[key] = str(value["with"])
        if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= MOST:
            say(key, f"expected a number of ranks, not {str(n)[:80]!r}")
        elif key == "coupler":
            coupler = n
        else:
            wanted[key] = n
    for name, host in sharing.items():
        if host not in components or host in sharing:
            say(name, f"with: {host!r} is not a component with ranks of its own{did_you_mean(host, components)}")
        elif wanted[name] > wanted[host]:
            say(
                name,
                f"{name} asks for {wanted[name]} ranks of {host}, which has {wanted[host]}: ask for at most as many",
            )
    if problems:
        raise NamelistError(problems)
    return wanted, coupler, sharing


def divides(component: ComponentPlan, ranks: int) -> bool:
    """Whether all grids of a component can be divided over a number of ranks.

    Parameters
    ----------
    component : ComponentPlan
        The component.
    ranks : int
        Ranks of it.
    """
    if any(ranks > grid.size for grid in component.grids.values()):
        return False
    try:
        for grid in component.grids.values():
            rows, columns = blocks_of(grid.shape, ranks)
            side = min(grid.shape[0] // rows, grid.shape[-1] // columns)
            if component.component is not None and ranks > 1 and side < component.component.halo_cells:
                return False
    except LayoutError:
        return False
    return True


def _largest(component: ComponentPlan, ranks: int) -> int:
    """The largest number of ranks, below some, that the component's grids can be divided over."""
    start = min([ranks - 1, *(g.size for g in component.grids.values())])
    return next((n for n in range(start, 1, -1) if divides(component, n)), 1)


def _halo(component: ComponentPlan) -> str:
    width = 0 if component.component is None else component.component.halo_cells
    return f" into blocks of {width} x {width} cells or more, the width of its halo" if width else ""


def _cells(component: ComponentPlan) -> str:
    return " x ".join(str(n) for n in reversed(component.grids["default"].shape)) + " cells"


def undividable(case: Case, components: Mapping[str, ComponentPlan], wanted: Mapping[str, int]) -> list[Problem]:
    """Components whose ``layout:`` has ranks over which their grids cannot be divided.

    Parameters
    ----------
    case : Case
        The namelists.
    components : mapping of str to ComponentPlan
        The components.
    wanted : mapping of str to int
        Ranks of each.
    """
    return [
        case.node.problem(
            f"layout.{name}: {wanted[name]} ranks cannot divide the {_cells(c)} of {name}{_halo(c)}; the largest number"
            f" below that can is {_largest(c, wanted[name])}",
            "layout",
            name,
        )
        for name, c in components.items()
        if not divides(c, wanted[name])
    ]


def shared_out(
    size: int,
    wanted: Mapping[str, int],
    components: Mapping[str, ComponentPlan],
    coupler: int,
    sharing: Mapping[str, str],
    folder: Path,
) -> tuple[layout.Ranks, str]:
    """Ranks for a run on `size` processes, and a sentence about them; see `coupler.layout.divide`.

    Parameters
    ----------
    size : int
        Processes.
    wanted : mapping of str to int
        Ranks that the namelist gives each component.
    components : mapping of str to ComponentPlan
        The components.
    coupler : int
        Ranks of the coupler in the namelist.
    sharing : mapping of str to str
        Components on ranks of others.
    folder : Path
        Folder of the case.

    Raises
    ------
    LayoutError
        Too few processes, or more than the grids can be divided over: with the largest number and the command.
    """
    cells = {n: c.grids["default"].size for n, c in components.items()}

    def attempt(n: int) -> tuple[layout.Ranks, str, list[str]]:
        ranks, note = layout.divide(n, wanted, cells, coupler, sharing, str(folder))
        return ranks, note, [c for c in wanted if not divides(components[c], len(ranks[c]))]

    most = coupler + sum(cells[n] for n in wanted if n not in sharing)
    if size <= most:
        ranks, note, wrong = attempt(size)
        if not wrong:
            return ranks, note
        name = wrong[0]
        why = f"{name} would get {len(ranks[name])} ranks, which cannot divide its {_cells(components[name])}"
    else:
        why = f"the coupler has {coupler}, and no component more than its cells"
    best = next(n for n in range(min(size - 1, most), 0, -1) if n == 1 or not attempt(n)[2])
    raise LayoutError(
        f"{size} processes are too many: {why}. The largest number below that works is {best}:\n"
        f"  mpirun -n {best} {typed(folder)}"
    )
