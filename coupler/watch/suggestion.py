# SPDX-License-Identifier: BSD-3-Clause
"""A layout that waits less, from what a run has measured: for as many processes, or for the cores there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coupler.plan import Plan

SPLIT = 0.2
"""Work that a component on several ranks has more than on one (measured: 0.2 to 0.3 with land, ocean, atmosphere)."""


def suggest(
    plan: Plan, rows: Mapping[str, Mapping[str, float]], cores: int = 0, cpu: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """A layout in which the busiest process computes for the shortest time.

    Components that share ranks (``with:``) go on sharing them, and those that take turns (a rule without a lag and one
    of a single period back, as an atmosphere and its radiation) come to share them: neither then stands idle while the
    other works. The coupler keeps its ranks: more of them are seldom what is missing.

    With a core for each process of a component, the number of processes stays: work is taken to divide evenly over
    ranks, which go one by one to whoever would take longest. With fewer cores, processes only take turns on them, and
    each costs memory and a start: then components come to share ranks, see `_for_cores`.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    rows : mapping
        By component, seconds a rank of each kind.
    cores : int
        Cores that the processes may run on, over all hosts; 0: not known, taken as enough.
    cpu : mapping of str to float, optional
        CPU seconds of the components' steps, all ranks together: more honest than `rows` where processes share cores.

    Returns
    -------
    dict
        What to write after ``layout:``; empty where nothing better by 5 % (or as good with fewer processes) is found.
    """
    if plan.size == 1 or any(r in plan.coupler_ranks for c in plan.components for r in c.ranks):
        return {}
    host = {c.name: host_of(plan, c.name) for c in plan.components}
    busy = len({r for c in plan.components for r in c.ranks})
    if cores and busy > cores and all(c.component is not None for c in plan.components):
        work = {c.name: (cpu or {}).get(c.name) or _seconds(rows[c.name]) * len(c.ranks) for c in plan.components}
        return _for_cores(plan, host, work, cores)
    return _for_processes(plan, host, rows)


def _for_processes(plan: Plan, host: Mapping[str, str], rows: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The best layout of as many processes."""
    work = dict.fromkeys(host.values(), 0.0)
    for c in plan.components:
        work[host[c.name]] += _seconds(rows[c.name]) * len(c.ranks)
    ranks = {name: len(plan[name].ranks) for name in work}
    lead = _leaders(plan, host, work)
    together = {n: sum(work[h] for h in work if lead[h] == n) for n in set(lead.values())}
    now = max(sum(work[h] / ranks[h] for h in work if lead[h] == n) for n in together)  # in turns: one after the other
    counts = _shared_out(together, sum(ranks.values()))
    if max(together[n] / counts[n] for n in counts) > 0.95 * now:
        return {}
    return _layout(plan, host, lead, counts)


def _for_cores(plan: Plan, host: Mapping[str, str], work: Mapping[str, float], cores: int) -> dict[str, Any]:
    """The best layout where processes outnumber cores.

    A run then takes as long as its busiest process, and no less than all work over all cores. What a component does on
    several ranks counts `SPLIT` more than on one. Of layouts that are as good within 2 % the one with the fewest
    processes is taken.
    """
    alone = dict.fromkeys(host.values(), 0.0)  # work of those that live together, if on one rank
    for c in plan.components:
        alone[host[c.name]] += work[c.name] / (1.0 + SPLIT * (len(c.ranks) > 1))
    lead = _leaders(plan, host, alone)
    units = {n: sum(alone[h] for h in alone if lead[h] == n) for n in sorted(set(lead.values()))}
    choices = []
    for groups in _groupings(units):
        together = {of: sum(units[u] for u in group) for of, group in groups.items()}
        for total in range(len(groups), max(len(groups), 2 * cores) + 1):
            counts = _shared_out(together, total)
            choices.append((_time([(together[of], counts[of]) for of in groups], cores), total, groups, counts))
    best = min(time for time, *_ in choices)
    time, processes, groups, counts = min((c for c in choices if c[0] <= 1.02 * best), key=lambda c: (c[1], c[0]))
    now_processes = len({r for c in plan.components for r in c.ranks})
    loads: dict[int, float] = {}
    for c in plan.components:
        for r in c.ranks:
            loads[r] = loads.get(r, 0.0) + work[c.name] / len(c.ranks)
    now = max(max(loads.values()), sum(work.values()) / cores)
    if time > 0.95 * now and not (time <= 1.02 * now and processes < now_processes):
        return {}
    of_unit = {u: of for of, group in groups.items() for u in group}
    return _layout(plan, host, {h: of_unit[lead[h]] for h in alone}, counts)


def _time(groups: Sequence[tuple[float, int]], cores: int) -> float:
    """Time of (work, ranks) of groups on some cores."""
    loads = [(work * (1.0 + SPLIT * (n > 1)), n) for work, n in groups]
    return max(max(work / n for work, n in loads), sum(work for work, _ in loads) / cores)


def _groupings(units: Mapping[str, float]) -> Iterator[dict[str, list[str]]]:
    """Ways to put units together, by their busiest: for each number of groups, the largest first to the idlest."""
    by_work = sorted(units, key=lambda u: -units[u])
    for k in range(1, len(by_work) + 1):
        groups = {u: [u] for u in by_work[:k]}
        for u in by_work[k:]:
            groups[min(groups, key=lambda g: sum(units[m] for m in groups[g]))].append(u)
        yield groups


def _shared_out(work: Mapping[str, float], total: int) -> dict[str, int]:
    """Ranks of each: one, and the others one by one to whoever would take longest."""
    counts = dict.fromkeys(sorted(work), 1)
    for _ in range(total - len(counts)):
        counts[max(counts, key=lambda n: work[n] / counts[n])] += 1
    return counts


def _layout(plan: Plan, host: Mapping[str, str], lead: Mapping[str, str], counts: Mapping[str, int]) -> dict[str, Any]:
    """As case.yaml says it: whose ranks each component lives on."""
    layout: dict[str, Any] = {"coupler": len(plan.coupler_ranks)}
    for c in plan.components:
        of = lead[host[c.name]]
        n, own = counts[of], len(plan[host[c.name]].ranks)
        share = n if host[c.name] == c.name else round(len(c.ranks) * n / own)
        layout[c.name] = n if of == c.name else {"ranks": min(n, max(1, share)), "with": of}
    return layout


def _seconds(row: Mapping[str, float]) -> float:
    return row["computing"] + row["sending"]


def _leaders(plan: Plan, host: Mapping[str, str], work: Mapping[str, float]) -> dict[str, str]:
    """Of each host, the busiest of those it takes turns with: itself, mostly."""
    links = {(b.component, d.component): t.lag_windows for t in plan.tasks for b in t.inputs for d in t.outputs}
    group = {h: {h} for h in work}
    for (one, other), lag in links.items():
        if lag == 0 and links.get((other, one)) == 1 and host[one] != host[other]:
            joined = group[host[one]] | group[host[other]]
            group.update(dict.fromkeys(joined, joined))
    return {h: max(sorted(members), key=lambda n: work[n]) for h, members in group.items()}


def host_of(plan: Plan, name: str) -> str:
    """The component whose ranks a component lives on: the first with the most of them.

    Parameters
    ----------
    plan : of the run
    name : of a component
    """
    mine = set(plan[name].ranks)
    return max((c for c in plan.components if mine <= set(c.ranks)), key=lambda c: len(c.ranks)).name
