# SPDX-License-Identifier: BSD-3-Clause
"""The emulator as a component that stands for ``radiation``; the science is in the other files."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch

from components.ml_surrogates.latency import Latency
from components.ml_surrogates.model_file import ModelFileError, read_sidecar
from components.radiation.exchange import RadiationComponent
from components.radiation.full_columns import LAYERS_ABOVE
from components.radiation.rrtmg_scheme import Rrtmg
from components.radiation.rrtmgp_scheme import Rrtmgp
from components.radiation.scheme import Air, Radiation
from components.radiation.spectral_scheme import SpectralScheme
from coupler.component import Context, Fields, Setting
from coupler.namelist import Positive

from . import networks
from .emulator import Emulator, Gases


class RadiationEmulator(RadiationComponent):
    """A neural network in the place of RRTMG, with guards and a fallback; see README.md."""

    description = "neural emulator of RRTMG"
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

    def check(self, setting: Setting) -> list[str]:
        """A model that is missing, damaged or made for something else; a fallback that is not installed."""
        o, problems = self.options, []
        path = self._path(setting)
        try:
            networks.load(path)
            problems = networks.problems(read_sidecar(path.with_suffix(".json")), o.levels + LAYERS_ABOVE)
        except ModelFileError as error:
            problems = [str(error)]
        if o.fallback == "rrtmg" and o.guards:
            try:
                import climt  # noqa: F401
            except ImportError as error:
                problems.append(f"fallback: rrtmg needs climt ({error}); pip install climt, or fallback: rrtmgp")
        return [f"{setting.name}: {text}" for text in problems]

    def _path(self, setting: Setting) -> Any:
        path = networks.path_of(self.options.network)
        if path.parent == networks.SHIPPED or path.is_absolute():
            return path
        return setting.file(str(path.with_suffix(".json"))).with_suffix("")

    def prepare(self, context: Context) -> None:
        """The network, its gases, and what answers where it must not."""
        o = self.options
        net, card = networks.load(self._path(context))
        g = self.gases
        gases = Gases(g.carbon_dioxide, g.methane, g.nitrous_oxide)
        self.last: Radiation | None = None
        self.latency = Latency()
        self.stopped = np.zeros(context.local_shape)
        self._physical: SpectralScheme | None = None
        self.emulator = Emulator(
            net, card, gases, o.batch, self._fall_back, guard=o.guards, device=context.device,
            compiled=o.compile, graph=o.graphs, warn=context.log,
        )  # fmt: skip
        context.log(f"{card.network} network on {context.device}, {context.threads} thread(s), batches of {o.batch}")

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
        if self._physical is None:
            self._physical = Rrtmg(self.gases) if self.options.fallback == "rrtmg" else Rrtmgp(self.gases)
        return self._physical(air)

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
        """Where the fallback answered at the last call."""
        return {"radiation_fallback": self.stopped}

    def call_seconds(self) -> Sequence[float]:
        """Seconds of each call of the network with its guards, for the timing table."""
        return self.latency.seconds

    def finalize(self) -> None:
        """Say how long calls took and how many columns went to the fallback."""
        part = self.emulator.fallback_fraction
        counts = ", ".join(f"{n} {reason}" for reason, n in self.emulator.counts.items() if n) or "none"
        self.context.log(f"{self.latency.text()}; columns by the fallback: {100.0 * part:.3f} % ({counts})")
