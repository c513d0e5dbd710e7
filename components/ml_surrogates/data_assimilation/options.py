# SPDX-License-Identifier: BSD-3-Clause
"""Options of the data assimilation."""

from typing import Annotated, Any, Literal

from coupler.namelist import Count, Duration, Fraction, Length, LengthOrNone, Namelist, Range

Levels = Annotated[int, Range(least=3, most=300)]
Members = Annotated[int, Range(least=2, most=1000)]
Iterations = Annotated[int, Range(least=1, most=1000)]
Depth = Annotated[float, Range(above=0.0, most=20.0)]
Factor = Annotated[float, Range(least=0.5, most=2.0)]
Deviations = Annotated[float, Range(above=0.0, most=100.0)]
Size = Annotated[float, Range(least=0.0, most=50.0)]


class ForecastOptions(Namelist):
    """The operator M, of the assimilation's own grid."""

    model: str = "nonhydrostatic"
    """Whose forecast: nonhydrostatic, learned (an emulator of it, see `network`), forecast (six hours learned between
    given sides, see `network`; its step is PT6H), or package.module:Class."""
    network: str = ""
    """For learned and forecast: path of the trained network, without its ending; looked up in the case, then in
    data/. Empty: for forecast, the shipped one."""
    step: Duration = 1800
    """Its time step; the window is a multiple of it."""
    driver: list[str] = []
    """Files for its sides, as those of the atmosphere; they reach to the end of the last window."""
    jet: Literal["ullrich", "january"] = "ullrich"
    """Without a driver: the analytic jet, as that of the atmosphere."""
    relief: str = "east_asia_land.nc"
    """Height of the ground, as that of the atmosphere. Empty: flat."""
    microphysics: Literal["none", "kessler"] = "none"
    """Clouds of the forecast."""
    precision: Literal["single", "double"] = "single"
    """Of its arithmetic."""


class AssimilationOptions(Namelist):
    """Options of the data assimilation."""

    observations: str = ""
    """CF netCDF, a row an observation; looked up in the case, then in data/. Empty: nothing is observed."""
    levels: Levels = 24
    """Layers of the atmosphere."""
    forecast: ForecastOptions = ForecastOptions()
    """The forecast operator."""
    method: Literal["letkf", "en4dvar", "learned"] = "letkf"
    """letkf: weights column by column. en4dvar: a minimisation through the forecast's gradient. learned: a trained
    network, which needs neither members nor a forecast."""
    network: str = ""
    """For learned: path of the trained network, without its ending; looked up in the case, then in data/."""
    window: Duration = 21600
    """Observations of [t, t + window) make one analysis."""
    window_end: Literal["open", "closed"] = "open"
    """open: what is seen at a window's end belongs to the next. closed: it belongs to this one, for a case of one
    window alone."""
    increment_at: Literal["start", "end"] = "start"
    """start: for a rule back without lag, which adds the increment from the window's start on. end: for a lag of
    one window, which adds M(x_a) - M(x_b) in the next."""
    members: Members = 20
    """Of the ensemble."""
    radius: Length = 1.2e6
    """Of Gaspari and Cohn's function in the horizontal; nothing acts beyond twice as far."""
    depth: Depth = 0.5
    """The same in ln p."""
    relaxation: Fraction = 0.75
    """Of the spread to that before the analysis, where observations acted."""
    inflation: Factor = 1.03
    """Factor of the spread besides."""
    iterations: Iterations = 20
    """Of the minimisation, at most."""
    perturbations: Literal["balanced", "independent"] = "balanced"
    """Of the first ensemble."""
    wind_spread: Size = 3.0
    """Of the first ensemble, m s-1."""
    temperature_spread: Size = 1.0
    """Of independent perturbations, K."""
    humidity_spread: Fraction = 0.1
    """Over the humidity of the air."""
    gross_check: Deviations = 5.0
    """Standard deviations of observation and ensemble together beyond which an observation is left out."""
    thinning: LengthOrNone = 0.0
    """Side of boxes of which each keeps one observation of a kind; 0: all."""
    first_window: Count = 0
    """Windows at the start that are left without analysis."""

    def reach(self, duration: int) -> int:
        """End of the last window that begins in a case of some duration, s."""
        return -(-duration // self.window) * self.window

    def of_forecast(self) -> dict[str, Any]:
        """Options of the forecast's model, by name."""
        given = self.forecast.model_dump(exclude={"model", "step"})
        if self.forecast.model == "nonhydrostatic":
            del given["network"]
        return {**given, "levels": self.levels}
