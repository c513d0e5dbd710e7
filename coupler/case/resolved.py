# SPDX-License-Identifier: BSD-3-Clause
"""The resolved namelist of a run: everything that was decided, with the defaults spelled out."""

from __future__ import annotations

import dataclasses
from typing import Any

import yaml

from coupler.clock import format_duration
from coupler.plan import Plan


def resolved(plan: Plan) -> dict[str, Any]:
    """The plan as plain values."""
    components = {}
    for c in plan.components:
        components[c.name] = {
            "realm": c.realm,
            "model": c.model,
            "role": c.role,
            "step": format_duration(c.step),
            "ranks": list(c.ranks),
            "device": c.device,
            "grids": {n: {"shape": list(g.shape), "fingerprint": g.fingerprint} for n, g in c.grids.items()},
            "imports": [f"{f.name} [{f.units}]" for f in c.imports],
            "exports": [f"{f.name} [{f.units}]" for f in c.exports],
            "options": {} if c.options is None else c.options.model_dump(mode="json"),
            "output": [
                {
                    "name": s.name,
                    "fields": list(s.fields),
                    "period": str(s.period),
                    "statistic": s.statistic,
                }
                for s in c.streams
            ],
        }
    tasks = [
        {
            "rule": t.name,
            "fields": [f.name for d in t.outputs for f in d.fields],
            "period": format_duration(t.period),
            "lag": format_duration(t.lag),
            "statistic": t.inputs[0].statistic,
            "remap": list(t.remap.methods) if t.kind == "connection" else t.options.get("grid"),
            **({"limiter": True} if t.remap.limiter else {}),
            **({"subgrid": dataclasses.asdict(t.remap.subgrid)} if t.remap.subgrid else {}),
            "route": t.route,
        }
        for t in plan.tasks
    ]
    return {
        "title": plan.title,
        "start": plan.clock.start,
        "calendar": plan.clock.calendar,
        "duration_seconds": plan.duration,
        "seed": plan.seed,
        "coupler_ranks": list(plan.coupler_ranks),
        "components": components,
        "exchanges": tasks,
        "inactive": [{"rule": i.rule, "why": i.why} for i in plan.inactive],
        "restart": {
            "period": "none" if plan.restart_period is None else str(plan.restart_period),
            "keep": plan.restart_keep,
        },
    }


def resolved_text(plan: Plan) -> str:
    """The plan as YAML."""
    return "# Resolved by Tessera; a record of this run, not an input.\n" + yaml.safe_dump(
        resolved(plan), sort_keys=False, width=120
    )
