# SPDX-License-Identifier: BSD-3-Clause
"""New cases from templates, and lists of what there is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from coupler.errors import CaseError
from coupler.fields import did_you_mean
from coupler.paths import COMMAND, NAMELISTS, typed

TEMPLATES = NAMELISTS / "templates"


def template_names() -> list[str]:
    """Templates that come with the project."""
    return sorted(p.parent.name for p in TEMPLATES.glob("*/case.yaml"))


def case_path(name: str) -> Path:
    """Folder of a case: a bare name goes into ``cases/`` of the folder one is in."""
    return Path("cases") / name if Path(name).name == name and not Path(name).is_absolute() else Path(name)


def new_case(name: str, template: str) -> int:
    """Make a case; an existing folder is never touched.

    Parameters
    ----------
    name : of the new folder
    template : name of a template
    """
    names = template_names()
    if template not in names:
        raise CaseError(
            f"unknown template {template!r}{did_you_mean(template, names)}; known templates: {', '.join(names)}"
        )
    path = case_path(name)
    if path.exists():
        raise CaseError(f"{path} exists already and is left as it is; choose another name, or remove it yourself")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(TEMPLATES / template, part)
        _name_the_command(part)
        os.replace(part, path)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise CaseError(f"cannot make {path}: {error.strerror or error}") from error
    print(f"made {path} from the template {template}: {', '.join(sorted(p.name for p in path.iterdir()))}")
    print(f"next:  {typed('check', path)}\nthen:  {typed(path)}")
    return 0


def _name_the_command(case: Path) -> None:
    """Let the comments of a case name the command as its user types it."""
    for path in case.rglob("*"):
        if COMMAND != "./run_case.py" and path.suffix in (".yaml", ".md"):
            path.write_text(path.read_text(encoding="utf-8").replace("./run_case.py", COMMAND), encoding="utf-8")


def listing(what: str | None) -> str:
    """Templates, models and cases."""
    from coupler.case.models import REALMS, models_of

    lines = []
    if what in (None, "templates"):
        lines.append("templates:")
        for name in template_names():
            lines.append(f"  {name:<24}{_title(TEMPLATES / name / 'case.yaml')}")
    if what in (None, "models"):
        lines.append("models:")
        for realm in REALMS:
            models = models_of(realm)
            if models:
                lines.append(f"  {realm:<24}{', '.join(models)}")
    if what in (None, "cases"):
        lines.append("cases:")
        found = sorted(Path("cases").glob("*/case.yaml"))
        lines += [f"  {p.parent!s:<24}{_title(p)}" for p in found] or ["  none in cases/; make one with 'new'"]
    return "\n".join(lines)


def _title(path: Path) -> str:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("title:"):
            return line.removeprefix("title:").strip().strip("'\"")
    return ""
