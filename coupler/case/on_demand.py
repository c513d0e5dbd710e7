# SPDX-License-Identifier: BSD-3-Clause
"""Components that only serve others: where nobody takes what they give, the case runs without them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from coupler.exchange import connections
from coupler.namelist import Node
from coupler.plan import ComponentPlan, Inactive


def resolve(
    rules: Node, components: Mapping[str, ComponentPlan], absent: Collection[str] = ()
) -> tuple[connections.Resolved, dict[str, ComponentPlan]]:
    """The rules of a case, and the components that have something to do.

    Parameters
    ----------
    rules : the ``coupling`` list
    components : plans by name
    absent : names of components that the case has as ``model: none``
    """
    found = connections.resolve(rules, components, absent)
    given = {b.component for t in found.tasks for b in t.inputs}
    idle = [n for n, c in components.items() if c.component is not None and c.component.on_demand and n not in given]
    if not idle:
        return found, dict(components)
    # what they lack is no mistake, and no rule to or from them does anything
    quiet = {n: replace(c, imports=(), exports=()) if n in idle else c for n, c in components.items()}
    found = connections.resolve(rules, quiet, absent)
    found.inactive += [Inactive(n, "nobody takes what it gives: the case runs without it") for n in idle]
    return found, {n: c for n, c in components.items() if n not in idle}
