# SPDX-License-Identifier: BSD-3-Clause
"""The reconstruction as a component: the inversion, and a network that improves it where the guards let it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch

from components.chemistry.carbon_dioxide_fields.analysis_component import PPM, CarbonDioxideAnalysis
from components.ml_surrogates import guards
from components.ml_surrogates.model_file import SIDECAR, ModelFileError, beside, located
from coupler.component import Array, Context, Fields, Setting
from coupler.namelist import Range

from . import reconstruction, surprises
from .inputs import Window, to_next_station
from .surprises import Surprise, Watch

WIND_LIMIT = 80.0
"""Wind beyond which no training flow has been, m s-1."""
GEOPOTENTIAL = "geopotential"


class CarbonDioxideReconstruction(CarbonDioxideAnalysis):
    """A network on the inversion, with guards; what they stop keeps the inversion's value; see README.md."""

    description = "carbon dioxide from stations by a network on the inversion"

    class Options(CarbonDioxideAnalysis.Options):
        """Options of the reconstruction."""

        method: Literal["oi", "enkf"] = "enkf"
        """The inversion that the network improves; it must be the one that the network was trained on."""
        network: str = "unet_enkf"
        """A shipped network, or the path of a model's files without ending."""
        guards: bool = True
        """Whether cells that the network cannot know keep the inversion's value."""
        least_stations: Annotated[int, Range(least=0, most=100000)] = 8
        """Cells with reports that a time needs."""
        prior_range: Annotated[float, Range(above=0.0, most=100.0)] = 6.0
        """Standard deviations of the past about its mean beyond which the prior is out of the training range."""

    def __init__(self, options: Any):
        super().__init__(options)
        self.counts: dict[str, int] = {}
        self.asked = 0

    def check(self, setting: Setting) -> list[str]:
        """A model that is missing, damaged, or made for another grid or window."""
        try:
            model = reconstruction.load(self._path(setting))
        except ModelFileError as error:
            return [f"{setting.name}: network: {error}", *super().check(setting)]
        if self.options.levels:
            return [f"{setting.name}: the network takes winds and geopotential of one layer: levels: 0"]
        problems, shape = [], tuple(model.fixed().land.shape)
        if shape != tuple(setting.grid.shape):
            problems.append(f"{setting.name}: the network was made for a grid of {shape}, found {setting.grid.shape}")
        learned = {"interpolation": "oi", "enkf": "enkf"}.get(model.settings.prior)
        if learned != self.options.method:
            problems.append(
                f"{setting.name}: the network adds to {model.settings.prior}"
                + (
                    f", which is  method: {learned}; found  method: {self.options.method}"
                    if learned
                    else ": no inversion"
                )
            )
        if model.settings.frames > self.options.frames:
            problems.append(
                f"{setting.name}: the network looks at {model.settings.frames} frames, found frames: "
                f"{self.options.frames}"
            )
        return problems + super().check(setting)

    def _path(self, setting: Setting) -> Path:
        name = self.options.network
        shipped = reconstruction.MODELS / name
        return shipped if beside(shipped, SIDECAR).exists() else located(name, setting)

    def initialize(self, context: Context) -> Fields:
        """The inversion's start, and on the first rank the network."""
        self.model = reconstruction.load(self._path(context)) if context.rank == 0 else None
        exports = super().initialize(context)
        stations = torch.zeros(len(self.placed.cells), dtype=torch.float64)
        self.watch = Watch(stations, stations)
        return exports

    def state(self) -> dict[str, Any]:
        """The inversion's, and what the watch keeps of each station, in its cell."""
        whole = None
        if self.context.rank == 0:
            whole = np.zeros((len(self.watch), self.latitude.size))
            whole[:, self.placed.cells] = torch.stack(self.watch).numpy()
            whole = whole.reshape(-1, *self.latitude.shape)
        return {**super().state(), "watch": self.context.scatter(whole)}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore a saved state."""
        whole = self.context.gather(np.array(state["watch"]))
        if self.context.rank == 0:
            kept = np.asarray(whole).reshape(len(self.watch), -1)[:, self.placed.cells]
            self.watch = Watch(*torch.as_tensor(kept))
        return super().restore({name: a for name, a in state.items() if name != "watch"})

    def _watched(self, time: int) -> torch.Tensor:
        """Cells (ny, nx) in the reach of stations whose reports keep exceeding what is expected of them."""
        assert self.model is not None and self.expected is not None
        usual, domain, (mean, doubt, reports) = self.model.usual, self._domain(), self.expected
        if usual is None or self.options.domain != "global":
            return torch.zeros(mean.shape, dtype=torch.bool)
        cells = reports.places
        carried = surprises.carried_in(domain, mean, float(self.options.interval))
        spread = self.model.fixed().spread.flatten()[cells].double()
        expected, carried, doubt = (a.flatten()[cells] for a in (mean, carried, doubt))
        size = surprises.Size(doubt * doubt, carried, spread, reports.error)
        surprise = usual.standardised(Surprise(reports.value - expected, reports.mask, size))
        before = usual.alarm(self.watch.sums, cells)
        self.watch = surprises.watched(usual, self.watch, surprise, reports.mask, float(self.options.interval))
        alarm, excess = usual.alarm(self.watch.sums, cells), usual.excess(self.watch.sums, cells)
        for k in torch.nonzero(alarm != before)[:, 0].tolist():
            at = f"{float(domain.latitude[cells[k]]):.1f} N, {float(domain.longitude[cells[k]]) % 360.0:.1f} E"
            self.context.log(
                f"{self.context.clock.text(time)}: reports at {at} "
                + (
                    f"keep exceeding what is expected of them ({float(excess[k]):.1f} standard deviations, "
                    f"by chance at most {usual.largest:.1f}): "
                    f"the network is silent within {surprises.REACH / 1e3:.0f} km"
                    if alarm[k]
                    else "are again what is expected of them"
                )
            )
        return surprises.silenced(domain, cells, alarm)

    def improved(self, fields: Array, window: Array, time: int) -> Array:
        """The network's mean and standard deviation where the guards let them.

        Parameters
        ----------
        fields : (3, ny, nx) mole fraction, its standard error and the increment of the inversion, mol mol-1
        window : (frames, variables, ny, nx) meteorology, observations in ppm, mask and prior, the latest last
        time : model time, s
        """
        assert self.model is not None
        n = self.model.settings.frames
        frames = torch.as_tensor(window[-n:], dtype=torch.float32)
        domain = self._domain()
        # the network knows the geopotential's departure from its mean over the Earth, which is what winds follow
        height = frames[:, self.seen.index(GEOPOTENTIAL)]
        height = height - (height * domain.weights().float()).sum((-2, -1), keepdim=True)
        u, v, seen, mask, prior = (frames[None, :, k] for k in (0, 1, -3, -2, -1))
        given = Window(u, v, height[None], seen, mask, prior)
        reports = mask[0, -1].reshape(-1)[torch.as_tensor(self.placed.cells)] > 0.0
        with torch.no_grad():
            distance = to_next_station(domain, torch.as_tensor(self.placed.cells), reports[None]).float()
            mean, deviation = self.model(given, distance)
        verdict = self._judge(given, mean[0], torch.as_tensor(fields[1:] / PPM), int(reports.sum()), time)
        bad = verdict.bad.reshape(mean.shape[1:]).numpy()
        for reason, count in verdict.counts.items():
            self.counts[reason] = self.counts.get(reason, 0) + count
        self.asked += bad.size
        background, _ = self._background(time)
        out = fields.copy()
        out[0] = np.where(bad, fields[0], background + PPM * mean[0].double().numpy())
        out[1] = np.where(bad, fields[1], PPM * deviation[0].double().numpy())
        if verdict.text():
            self.context.log(f"{verdict.text()}: {int(bad.sum())} of {bad.size} cells keep the inversion's value")
        return out

    def _judge(
        self, window: Window, mean: torch.Tensor, analysis: torch.Tensor, reports: int, time: int
    ) -> guards.Verdict:
        """Cells for which the network must not speak; of the analysis standard error and increment, ppm."""
        assert self.model is not None
        fixed, cells = self.model.fixed(), mean.numel()
        verdict = guards.Verdict(cells)
        alarm = self._watched(time)
        if not self.options.guards:
            return verdict
        everywhere = torch.ones(cells, dtype=torch.bool)
        if reports < self.options.least_stations:
            verdict.add("with too few stations", everywhere)
        if time < self.model.settings.frames * self.options.interval:
            verdict.add("before the window is full", everywhere)
        if self.model.settings.meteorology and not bool(window.geopotential.any()):
            verdict.add("without geopotential", everywhere)
        verdict.add("not finite", guards.not_finite([mean.reshape(-1)]))
        away = ((window.prior[0, -1] - fixed.mean) / fixed.spread).reshape(-1)
        beyond = guards.outside(away, -self.options.prior_range, self.options.prior_range)
        for wind in (window.u, window.v):
            beyond = beyond | guards.outside(wind[0].reshape(wind.shape[1], -1), -WIND_LIMIT, WIND_LIMIT)
        verdict.add("outside the training range", beyond)
        verdict.add(
            "after an increment beyond those of the training", self.model.unknown(analysis[1], analysis[0]).reshape(-1)
        )
        verdict.add("near reports that keep exceeding what is expected of them", alarm.reshape(-1))
        return verdict

    def finalize(self) -> None:
        """Say how many cells have kept the inversion's value."""
        super().finalize()
        if self.asked:
            counts = ", ".join(f"{n} {reason}" for reason, n in self.counts.items() if n) or "none"
            self.context.log(f"cells with the inversion's value: {counts}; {self.asked} were asked of the network")
