# SPDX-License-Identifier: BSD-3-Clause
"""Models by the names in a namelist."""

from __future__ import annotations

import gc
import importlib
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

from coupler.by_name import load, look_in
from coupler.component import Component
from coupler.errors import CaseError
from coupler.fields import did_you_mean
from coupler.namelist import Namelist, Node
from coupler.paths import PACKAGES

REALMS = ("atmosphere", "ocean", "land", "chemistry", "radiation", "ml_surrogates")
LEARNED = "ml_surrogates"
"""Folder of the learned models; one named ``REALM_...`` may stand for a realm, and one whose package says so."""


def realm_of(name: str, node: Node) -> str:
    """Realm of a component: said, or the realm whose name its own begins or ends with, or the only one with its model.

    Parameters
    ----------
    name : of the component in the case
    node : its namelist
    """
    said = node.values.get("realm")
    if said is not None:
        return str(said)
    by_name = (r for r in REALMS if name == r or name.endswith("_" + r) or name.startswith(r + "_"))
    model = node.values.get("model")
    having = [r for r in REALMS[:-1] if isinstance(model, str) and model in folders_of(r)]
    return next(by_name, having[0] if len(having) == 1 else "")


def folders_of(realm: str) -> dict[str, str]:
    """Realm folder of each model that can take a realm's place: its own, and the learned ones (``radiation_...``)."""
    own = {p.parent.name: realm for p in (PACKAGES / "components" / realm).glob("*/component.py")}
    learned = (p.parent for p in (PACKAGES / "components" / LEARNED).glob("*/component.py"))
    return {**{p.name: LEARNED for p in learned if p.name.startswith(f"{realm}_") or _stands_for(p) == realm}, **own}


def _stands_for(package: Path) -> str:
    """Realm that a learned model's package says it stands for; nothing is imported to know it."""
    path = package / "__init__.py"
    said = re.search(r'^STANDS_FOR = "(\w+)"', path.read_text(encoding="utf-8"), re.M) if path.is_file() else None
    return said[1] if said else ""


def models_of(realm: str) -> list[str]:
    """Names of the models of a realm that come with the project."""
    return sorted(folders_of(realm))


def find_model(model: str, realm: str, folder: Path | None = None) -> type[Component]:
    """The class of a model: a name in its realm, or ``package.module:Class``.

    Parameters
    ----------
    model : word in the namelist
    realm : of the component
    folder : of the case, where a user's own packages may lie

    Raises
    ------
    CaseError
        No such model; the message lists those there are.
    """
    if ":" in model:
        try:
            found = load(model, folder)
        except CaseError as error:
            raise CaseError(f"model {error}") from error
        if not (inspect.isclass(found) and issubclass(found, Component)):
            raise CaseError(f"model {model!r} is not a subclass of coupler.component.Component")
        if not (inspect.isclass(found.Options) and issubclass(found.Options, Namelist)):
            raise CaseError(f"Options of model {model!r} is not a subclass of coupler.namelist.Namelist")
        return found
    look_in(folder)  # the model's options may name schemes from there
    folders = folders_of(realm)
    known = sorted(folders)
    if model not in known:
        listed = ", ".join([*known, "external", "package.module:Class"])
        raise CaseError(
            f"unknown {realm or 'component'} model {model!r}{did_you_mean(model, known)}; known models: {listed}"
        )
    module = _loaded(f"components.{folders[model]}.{model}.component")
    classes = [
        c
        for c in vars(module).values()
        if inspect.isclass(c) and issubclass(c, Component) and c.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise CaseError(
            f"components/{folders[model]}/{model}/component.py must define one Component, and has {len(classes)}"
        )
    return classes[0]


def _loaded(module: str) -> ModuleType:
    """A module; all that it is made of stays, and is left out of the rounds of the garbage collector."""
    if module in sys.modules:
        return sys.modules[module]
    collects = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        if collects:
            gc.enable()
