# SPDX-License-Identifier: BSD-3-Clause
"""The template east_asia_coupled on cells of 295 km with steps of 20 minutes: the whole system in seconds."""

from tests.toys.cases import edit, tessera

COARSER = {
    "case.yaml": (("PT5M", "PT20M"),),
    "atmosphere.yaml": (("grid: east_asia_100km", "grid: east_asia_300km"), ("step: PT5M", "step: PT20M")),
    "land.yaml": (("step: PT5M", "step: PT20M"),),
}


def coupled_case(folder, *changes, duration="PT3H", restart="PT2H", template="east_asia_coupled"):
    """Make the case; ``changes`` are (file, old, new), of which every one must be found."""
    tessera("new", folder, "--template", template)
    edits = [(file, *pair) for file, pairs in COARSER.items() for pair in pairs]
    edits += [
        ("case.yaml", "duration: P1D", f"duration: {duration}"),
        ("case.yaml", "period: P1D", f"period: {restart}"),
    ]
    edits += [(f"{name}.yaml", "period: P1D", "period: PT1H") for name in ("atmosphere", "ocean", "land")]
    return edit(folder, (*edits, *changes))
