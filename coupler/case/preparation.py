# SPDX-License-Identifier: BSD-3-Clause
"""Making a component's input files from the user's data: ``./run_case.py prepare``.

The framework knows nothing of the data: the component of the case does the work
(`Component.prepare_inputs`) on the case's grid, dates and options.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from coupler.case.case import make_plan
from coupler.catalogue.shelf import find
from coupler.catalogue.tag import is_tag
from coupler.component import Bias, Component
from coupler.errors import CaseError
from coupler.fields import did_you_mean
from coupler.files.sources import note_sources
from coupler.paths import COMMAND
from coupler.plan import ComponentPlan, Plan


def prepare(case: Path, files: Sequence[Path], component: str | None = None, bias: Bias | None = None) -> int:
    """Make the inputs of one component of a case and say what to write into its namelist.

    Parameters
    ----------
    case : folder of the case
    files : what the user named
    component : name in the case, or None where there is only one that can
    bias : how the bias of the data is taken off; None: it stays

    Raises
    ------
    NamelistError
        Mistakes in the case's namelists.
    CaseError
        A component that is not there, cannot prepare inputs, or must be named.
    """
    plan = make_plan(case)
    chosen = _choose(plan, component, corrected=bias is not None)
    model = chosen.component
    assert model is not None
    tagged = [find(str(path)) for path in files if _is_tag(path)]
    files = [find(str(path)).whole() if _is_tag(path) else path for path in files]
    missing = [str(path) for path in (*files, *(bias.reference if bias else ())) if not path.is_file()]
    if missing:
        raise CaseError("\n".join(f"{path} does not exist" for path in missing))
    print(f"{chosen.name} ({chosen.model}): from {len(files)} file{'s' if len(files) > 1 else ''}")
    progress = Progress()
    try:
        paths = [path.resolve() for path in files]
        if bias is None:
            made = model.prepare_inputs(chosen.setting, paths, progress)
        else:
            made = model.prepare_corrected_inputs(chosen.setting, paths, progress, bias)
    finally:
        progress.end()
    note_sources(case, {str(f.tag): {"citation": f.entry.citation, "licence": f.entry.licence} for f in tagged})
    own = case / f"{chosen.name}.yaml"
    print(f"done in {progress.elapsed:.0f} s. Write into {own if own.is_file() else case / 'case.yaml'}:\n")
    inside = ":" not in chosen.model
    print(f"{chosen.model if inside else 'options'}:")
    for option, value in made.items():
        print(f"  {option}: {_yaml(value)}")
    print(f"\nthen:  {COMMAND} check {case}")
    return 0


def _is_tag(given: Path) -> bool:
    """Whether a word names a data set of the catalogue and no file here."""
    return is_tag(str(given)) and not given.exists()


class Progress:
    """Lines of a work that takes a while, with the time that is left; on a terminal one line that changes."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self._open = False

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.began

    def __call__(self, text: str, share: float) -> None:
        """Say how far the work is (`share`, 0 to 1), or give a note (0)."""
        if share <= 0.0:
            self.end()
            print(f"  {text}", flush=True)
            return
        left = round(self.elapsed / share - self.elapsed)
        line = f"  {share:4.0%}  ETA {left // 60:02d}:{left % 60:02d}  {text}"
        if sys.stdout.isatty():
            width = shutil.get_terminal_size((100, 20)).columns
            print("\r" + line[: width - 1].ljust(width - 1), end="", flush=True)
            self._open = True
        else:
            print(line, flush=True)

    def end(self) -> None:
        """Leave the line that changes."""
        if self._open:
            print()
            self._open = False


def _choose(plan: Plan, name: str | None, *, corrected: bool) -> ComponentPlan:
    able = [c for c in plan.components if _can_prepare(c, corrected=corrected)]
    names = ", ".join(c.name for c in able) or "none of this case"
    if name is None:
        if len(able) == 1:
            return able[0]
        if not able:
            models = ", ".join(f"{c.name} ({c.model})" for c in plan.components)
            how = " whose bias is taken off" if corrected else ""
            raise CaseError(f"no component of {plan.folder} makes inputs from data{how}: {models}")
        raise CaseError(f"say whose inputs: --component with one of {names}")
    known = {c.name: c for c in plan.components}
    if name not in known:
        raise CaseError(
            f"{plan.folder} has no component {name!r}{did_you_mean(name, known)}; it has {', '.join(known)}"
        )
    if known[name] not in able and corrected and _can_prepare(known[name], corrected=False):
        raise CaseError(
            f"{name} (model {known[name].model}) cannot take the bias off its data; leave out --reference, or name one"
            f" of the components that can: {names}"
        )
    if known[name] not in able:
        raise CaseError(
            f"{name} (model {known[name].model}) makes no inputs from data: name its files in its namelist as they are;"
            f" components that do: {names}"
        )
    return known[name]


def _can_prepare(c: ComponentPlan, *, corrected: bool) -> bool:
    method = "prepare_corrected_inputs" if corrected else "prepare_inputs"
    return c.component is not None and getattr(type(c.component), method) is not getattr(Component, method)


def _yaml(value: object) -> str:
    return f"[{', '.join(str(v) for v in value)}]" if isinstance(value, list | tuple) else str(value)
