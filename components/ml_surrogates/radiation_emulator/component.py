# SPDX-License-Identifier: BSD-3-Clause
"""The emulator as a component that stands for ``radiation``; the science is in the other files."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from components.ml_surrogates.latency import Latency
from components.ml_surrogates.model_file import SIDECAR, ModelFileError, Sidecar, beside, located, read_sidecar
from components.radiation.exchange import RadiationComponent
from components.radiation.full_columns import LAYERS_ABOVE
from components.radiation.rrtmg_scheme import Rrtmg
from components.radiation.rrtmgp_scheme import sized_ice
from components.radiation.scheme import Air, Radiation
from components.radiation.spectral_scheme import SpectralScheme
from coupler.component import Context, Fields, Setting
from coupler.namelist import Positive

from . import error_predictor, networks
from .adaptive import PHYSICAL, RECURRENT, Adaptive, Choice, Order
from .emulator import Emulator, Fallback, Gases

CHOSEN, PREDICTED = "radiation_scheme_of_column", "predicted_error_of_radiative_heating"


class RadiationEmulator(RadiationComponent):
    """A neural network in the place of RRTMGP, with guards and a fallback; see README.md."""

    description = "neural emulator of RRTMGP"
    diagnostic_units = {"radiation_fallback": "1"}

    class Options(RadiationComponent.Options):
        """Options of the radiation emulator."""

        network: str = "recurrent"
        """``recurrent`` (accurate, any number of layers), ``mlp`` (fastest), or a path without its ending."""
        fallback: Literal["rrtmgp", "rrtmg", "last"] = "rrtmgp"
        """What columns get that a guard has stopped: a physical scheme, or their last good radiation."""
        guards: bool = True
        """Stop columns that are not finite, outside the training range or out of energy balance."""
        batch: Positive = 512
        """Columns of a call of the network; smaller sets are filled up, so that ranks do not change results."""
        compile: bool = False
        """Compile the network; checked against eager at the start."""
        graphs: bool = False
        """Replay CUDA graphs; checked against eager at the start."""
        adaptive: Adaptive | None = None
        """Columns with a large predicted error go to a better scheme: {share: .2} or {tolerance: .3}."""

    def __init__(self, options: Any):
        super().__init__(options)
        if options.adaptive is not None:
            self.diagnostic_units = {**self.diagnostic_units, CHOSEN: "1", PREDICTED: "K day-1"}

    def check(self, setting: Setting) -> list[str]:
        """A model that is missing, damaged or made for something else; a fallback that is not installed."""
        o, problems = self.options, []
        path = self._path(setting)
        try:
            networks.load(path)
            problems = networks.problems(read_sidecar(beside(path, SIDECAR)), o.levels + LAYERS_ABOVE)
        except ModelFileError as error:
            problems = [str(error)]
        wanted = {"fallback": o.fallback} if o.guards else {}
        if o.adaptive is not None:
            problems += self._check_adaptive(setting, path)
            wanted["adaptive.scheme"] = o.adaptive.scheme
        for option, scheme in wanted.items():
            if scheme == "rrtmg" and importlib.util.find_spec("climt") is None:
                problems.append(f"{option}: rrtmg needs climt; pip install climt, or {option}: rrtmgp")
        return [f"{setting.name}: {text}" for text in problems]

    def _check_adaptive(self, setting: Setting, path: Path) -> list[str]:
        """An adaptive choice that chooses nothing or everything, or whose predictor does not serve here."""
        o, a, problems = self.options, self.options.adaptive, []
        if a.share == 1.0 and a.tolerance is None:
            problems.append("adaptive: expected share below 1 or a tolerance, such as {share: 0.2} or {tolerance: 0.3}")
        if a.share == 0.0 and a.recurrent == 0.0:
            problems.append("adaptive: share: 0 chooses no column; expected a share above 0, or no adaptive")
        if a.recurrent > 0.0 and o.network == "recurrent":
            problems.append("adaptive.recurrent: the network is the recurrent one already; it serves network: mlp")
        if a.recurrent > 0.0 and a.share + a.recurrent > 1.0:
            problems.append(f"adaptive: share {a.share:g} and recurrent {a.recurrent:g} are more than all columns")
        try:
            emulator = read_sidecar(beside(path, SIDECAR))
            predictor = error_predictor.load(self._predictor_path(setting), emulator)
        except ModelFileError as error:
            return [*problems, f"adaptive: {error}"]
        levels = o.levels + LAYERS_ABOVE
        if predictor.levels != levels:
            problems.append(
                f"adaptive: the predictor of the error was trained for {predictor.levels} layers, and there are"
                f" {levels} with those above the lid; train one with train-error"
            )
        return problems

    def _path(self, setting: Setting) -> Path:
        return located(str(networks.path_of(self.options.network)), setting)

    def _predictor_path(self, setting: Setting) -> Path:
        network = networks.path_of(self.options.network)
        named = self.options.adaptive.predictor or str(network.with_name(f"{network.name}_error"))
        return located(named, setting)

    def prepare(self, context: Context) -> None:
        """The network, its gases, and what answers where it must not."""
        o = self.options
        net, card = networks.load(self._path(context))
        g = self.gases
        gases = Gases(g.carbon_dioxide, g.methane, g.nitrous_oxide)
        self.last: Radiation | None = None
        self.latency = Latency()
        self.stopped = np.zeros(context.local_shape)
        self._physical: dict[str, SpectralScheme] = {}
        self.emulator = Emulator(
            net, card, gases, o.batch, self._fall_back, guard=o.guards, device=context.device,
            compiled=o.compile, graph=o.graphs, warn=context.log, refinement=self._choice(context, card),
            better=self._better(gases),
        )  # fmt: skip
        context.log(f"{card.network} network on {context.device}, {context.threads} thread(s), batches of {o.batch}")

    def _choice(self, context: Context, card: Sidecar) -> Choice | None:
        """What chooses columns over all ranks, where that is wanted."""
        o, self.choice = self.options, None
        if o.adaptive is not None:
            a = o.adaptive
            predictor = error_predictor.load(self._predictor_path(context), card)
            order = Order(a.share, a.recurrent, a.tolerance or 0.0)
            self.choice = Choice(predictor, order, o.batch, context.gather, context.scatter, context.local_shape)
        return self.choice

    def _better(self, gases: Gases) -> dict[int, Fallback]:
        """The schemes for chosen columns."""
        o = self.options
        if o.adaptive is None:
            return {}
        better: dict[int, Fallback] = {PHYSICAL: lambda air, index: self._scheme(o.adaptive.scheme)(air)}
        if o.adaptive.recurrent > 0.0:
            net, card = networks.load(networks.path_of("recurrent"))
            second = Emulator(net, card, gases, o.batch, better[PHYSICAL], guard=o.guards, warn=self.context.log)
            better[RECURRENT] = lambda air, index: second(air)
        return better

    def radiate(self, air: Air) -> Radiation:
        """Radiation of this rank's columns."""
        with self.latency.measure():
            sky = self.emulator(air.each(torch.Tensor.cpu))
        verdict = self.emulator.verdict
        self.stopped = verdict.bad.double().reshape(air.mu.shape).numpy()
        if verdict.text():
            self.context.log(
                f"{verdict.text()}: {int(verdict.bad.sum())} of {verdict.bad.numel()} columns by the fallback"
            )
        self.last = sky
        return sky

    def _fall_back(self, air: Air, index: torch.Tensor) -> Radiation:
        """A physical scheme's radiation of some columns, or what they had last."""
        if self.options.fallback == "last" and self.last is not None:
            return self.last.each(lambda a: a.reshape(*a.shape[:-2], 1, -1)[..., index])
        return self._scheme(self.options.fallback)(air)

    def _scheme(self, name: str) -> SpectralScheme:
        """A physical scheme, made at its first call."""
        if name not in self._physical:
            self._physical[name] = Rrtmg(self.gases) if name == "rrtmg" else sized_ice(self.gases)
        return self._physical[name]

    def state(self) -> dict[str, Any]:
        """The last radiation, for the columns that a guard stops."""
        if self.options.fallback != "last" or self.last is None:
            return {}
        return {f"last_{k}": a.cpu().double().numpy() for k, a in self.last._asdict().items() if a is not None}

    def restore(self, state: Mapping[str, Any]) -> Fields | None:
        """Restore the last radiation."""
        if "last_heating" in state:
            parts = {k: np.array(state[f"last_{k}"]) for k in Radiation._fields if f"last_{k}" in state}
            self.last = Radiation(**{k: torch.as_tensor(a).to(self.lon) for k, a in parts.items()})
        return None

    def diagnostics(self) -> dict[str, np.ndarray]:
        """Where the fallback answered at the last call; who computed each column, and its predicted error."""
        shown = {"radiation_fallback": self.stopped}
        if self.choice is not None:
            shown |= {CHOSEN: self.choice.chosen.double().numpy(), PREDICTED: self.choice.error.numpy()}
        return shown

    def call_seconds(self) -> Sequence[float]:
        """Seconds of each call of the network with its guards, for the timing table."""
        return self.latency.seconds

    def finalize(self) -> None:
        """Say how long calls took and how many columns went to the fallback."""
        part = self.emulator.fallback_fraction
        counts = ", ".join(f"{n} {reason}" for reason, n in self.emulator.counts.items() if n) or "none"
        self.context.log(f"{self.latency.text()}; columns by the fallback: {100.0 * part:.3f} % ({counts})")
        if self.choice is not None:
            n = self.choice.counts
            physical, recurrent = (100.0 * n[who] / max(sum(n.values()), 1) for who in (PHYSICAL, RECURRENT))
            named = f"{physical:.1f} % by {self.options.adaptive.scheme}, {recurrent:.1f} % by the recurrent network"
            self.context.log(f"columns with the largest predicted error: {named}")
