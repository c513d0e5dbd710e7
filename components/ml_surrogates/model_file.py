# SPDX-License-Identifier: BSD-3-Clause
"""A learned model on disk: weights in safetensors beside a JSON sidecar that says what they are for. No pickle.

``NAME.safetensors`` holds the tensors, ``NAME.json`` the sidecar: schema version, network and its sizes, inputs and
outputs (name, unit, order, range seen in training), SHA-256 of weights and of the training data, torch version, seed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from coupler.component import Setting
from coupler.errors import TesseraError
from coupler.fields import FieldSpec
from coupler.files.atomic import checksum, whole_file, write_text

SCHEMA = 1
WEIGHTS, SIDECAR = ".safetensors", ".json"
Network = TypeVar("Network", bound=nn.Module)


class ModelFileError(TesseraError):
    """A learned model that cannot be used as it stands on disk."""


@dataclass(frozen=True)
class Variable:
    """An input or output: name in the exchange, unit, and the smallest and largest value in training."""

    name: str
    units: str
    low: float = float("-inf")
    high: float = float("inf")


@dataclass(frozen=True)
class Sidecar:
    """What stands beside the weights.

    Attributes
    ----------
    model, network : name of the learned model, and of the network in it
    sizes : arguments of the network
    inputs, outputs : in the order in which they are exchanged
    normalisation : constants with which inputs and outputs are scaled
    data_hash, weights_hash : SHA-256 of the training data, and of the weight file
    torch_version : that trained it
    seed : of everything random in training
    schema : version of this layout
    notes : anything else worth keeping (scores, epochs)
    """

    model: str
    network: str
    sizes: Mapping[str, int]
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    normalisation: Mapping[str, float]
    data_hash: str
    seed: int
    torch_version: str = torch.__version__
    weights_hash: str = ""
    schema: int = SCHEMA
    notes: Mapping[str, Any] = field(default_factory=dict)

    def range_of(self, name: str) -> tuple[float, float]:
        """Training range of an input."""
        found = next(v for v in self.inputs if v.name == name)
        return found.low, found.high


def beside(path: Path, ending: str) -> Path:
    """A file of a model: its name, in which dots may stand, and an ending.

    Parameters
    ----------
    path : of the model, without ending or with the one of its weights or its sidecar
    ending : with its dot
    """
    return path.with_name(path.name.removesuffix(WEIGHTS).removesuffix(SIDECAR) + ending)


def save(path: Path, tensors: Mapping[str, torch.Tensor], sidecar: Sidecar) -> None:
    """Write ``path`` (without ending) + ``.safetensors`` and ``.json``, each whole or not at all.

    Parameters
    ----------
    path : of the files, without ending
    tensors : weights by name
    sidecar : what the model may be used for
    """
    weights = beside(path, WEIGHTS)
    with whole_file(weights) as part:
        save_file({name: a.detach().cpu().contiguous() for name, a in tensors.items()}, part)
        part.chmod(0o644)
    content = {**asdict(sidecar), "weights_hash": checksum(weights)}
    write_text(beside(path, SIDECAR), json.dumps(content, indent=1) + "\n")


def load(path: Path) -> tuple[dict[str, torch.Tensor], Sidecar]:
    """Tensors and sidecar of a model, checked against each other.

    Raises
    ------
    ModelFileError
        A file is missing, damaged, of another schema, or made by another major version of torch.
    """
    weights, sidecar_path = beside(path, WEIGHTS), beside(path, SIDECAR)
    for file in (sidecar_path, weights):
        if not file.exists():
            raise ModelFileError(f"{file} does not exist; train a model, or give the path of one without its ending")
    sidecar = read_sidecar(sidecar_path)
    if checksum(weights) != sidecar.weights_hash:
        raise ModelFileError(
            f"{weights} is damaged or belongs to another sidecar: its SHA-256 is not the one in {sidecar_path.name};"
            " copy both files again"
        )
    try:
        return load_file(weights), sidecar
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFileError(f"{weights} cannot be read: {error}") from error


def located(name: str, setting: Setting) -> Path:
    """Path without ending of a model: absolute, in the case's folder, or in the project's ``data/``.

    Parameters
    ----------
    name : as a namelist has it, without ending
    setting : of the component
    """
    path = Path(name)
    return path if path.is_absolute() else beside(setting.file(str(beside(path, SIDECAR))), "")


def load_of(
    model: str, path: Path, remedy: str = "train one, or give another path"
) -> tuple[dict[str, torch.Tensor], Sidecar]:
    """As `load`, of the one model that can serve.

    Parameters
    ----------
    model : name in the sidecar
    path : of the files, without ending
    remedy : what to do where they hold another

    Raises
    ------
    ModelFileError
        As `load`, or they hold another model.
    """
    tensors, sidecar = load(path)
    if sidecar.model != model:
        raise ModelFileError(f"{path}: expected a model {model!r}, found {sidecar.model!r}; {remedy}")
    return tensors, sidecar


def filled(network: Network, tensors: Mapping[str, torch.Tensor], path: Path, what: str = "the network") -> Network:
    """The network with the weights of a file, ready for use and frozen: gradients pass through it, not to it.

    Parameters
    ----------
    network : of the sizes that the sidecar says
    tensors : weights by name
    path : where they come from, for the message
    what : the network is, for the message

    Raises
    ------
    ModelFileError
        Weights of other sizes or names.
    """
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelFileError(f"{path}: the tensors do not fit {what}: {error}") from error
    return network.eval().requires_grad_(False)


def read_sidecar(path: Path) -> Sidecar:
    """The sidecar alone.

    Raises
    ------
    ModelFileError
        Not JSON, of another schema, incomplete, or made by another major version of torch.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} is not a JSON file: {error}") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = content.get("schema") if isinstance(content, dict) else None
        raise ModelFileError(f"{path}: schema {found}, and this version reads schema {SCHEMA}; train the model again")
    try:
        variables = {side: tuple(Variable(**v) for v in content[side]) for side in ("inputs", "outputs")}
        sidecar = Sidecar(**{**content, **variables})
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"{path} is not a complete sidecar: {error}") from error
    here, there = (str(v).split(".")[0] for v in (torch.__version__, sidecar.torch_version))
    if here != there:
        raise ModelFileError(
            f"{path}: made with torch {sidecar.torch_version}, and this is torch {torch.__version__};"
            " train it again, or install that torch"
        )
    return sidecar


def mismatches(side: str, had: Sequence[Variable], wanted: Sequence[FieldSpec]) -> list[str]:
    """How a model's inputs or outputs differ from what the exchange carries, a sentence each; order counts.

    Parameters
    ----------
    side : inputs or outputs, for the sentences
    had : of the model
    wanted : what the exchange carries
    """
    names, exchanged = [v.name for v in had], [f.name for f in wanted]
    if sorted(names) != sorted(exchanged):
        missing, extra = set(exchanged) - set(names), set(names) - set(exchanged)
        words = {"the model lacks": missing, "nobody exchanges": extra}
        return [f"{side}: " + "; ".join(f"{word} {', '.join(sorted(s))}" for word, s in words.items() if s)]
    if names != exchanged:
        return [f"{side} are in another order: {', '.join(names)} instead of {', '.join(exchanged)}"]
    return [
        f"{side}: {v.name} is in {v.units!r}, the exchange in {f.units!r}"
        for v, f in zip(had, wanted, strict=True)
        if v.units != f.units
    ]
