# SPDX-License-Identifier: BSD-3-Clause
"""What can be wrong with an assimilation before anything runs."""

from dataclasses import replace
from typing import Any

import numpy as np

from components.ml_surrogates import forecast_operators, observation_rows
from components.ml_surrogates.data_assimilation import observation_file
from components.ml_surrogates.data_assimilation.learned import maps
from components.ml_surrogates.data_assimilation.observation_file import Table
from components.ml_surrogates.data_assimilation.options import AssimilationOptions
from components.ml_surrogates.data_assimilation.places import Places, locate, spacing_of
from components.ml_surrogates.model_file import ModelFileError, located
from coupler.component import Setting


def problems_of(o: AssimilationOptions, setting: Setting) -> list[str]:
    """A file that is missing or wrong or ends early, a window that does not fit, a radius below a cell.

    Parameters
    ----------
    o : options
    setting : of the component
    """
    problems = []
    for name, step in (("step", setting.step), ("forecast: step", o.forecast.step)):
        if o.window % step:
            problems.append(f"window of {o.window} s is not a multiple of the {name}, {step} s")
    if o.window_end == "closed" and setting.duration > o.window:
        problems.append(
            f"window_end: closed is for a single analysis: expected a case of one window, {o.window} s, found "
            f"{setting.duration} s; in a cycle an observation at a window's end would be used twice"
        )
    if not getattr(setting.grid, "is_structured", False):
        return ["the assimilation needs a structured grid, such as a projected one"]
    cell = spacing_of(setting.grid)
    if o.radius < cell:
        problems.append(f"expected a radius of at least a cell ({cell:.0f} m), found {o.radius:.0f} m")
    if o.observations:
        problems += _wrong_observations(o, setting)
    if o.method == "learned":
        return problems + _wrong_network(o, setting)
    longer = replace(setting, name="forecast", step=o.forecast.step, duration=o.reach(setting.duration))
    return problems + forecast_operators.problems(o.forecast.model, longer, o.of_forecast())


def _wrong_observations(o: AssimilationOptions, setting: Setting) -> list[str]:
    table, problems = observation_rows.of_case(o.observations, setting, observation_file.read)
    if table is None or not len(table.time):
        return problems
    name = setting.file(o.observations).name
    before_end = table.time <= setting.duration if o.window_end == "closed" else table.time < setting.duration
    problems = observation_rows.none_left(name, (table.time >= 0.0) & before_end, "within the case")
    if problems:
        return problems
    last = (setting.duration - 1) // o.window * o.window
    if table.time[-1] < last:
        end, due = setting.clock.text(int(table.time[-1])), setting.clock.text(last)
        return [f"{name} ends early: its last observation is of {end}, the last window begins at {due}"]
    return observation_rows.none_left(name, places_of(table, setting).inside, "within the domain")


def _wrong_network(o: AssimilationOptions, setting: Setting) -> list[str]:
    """A network that is missing or of another case, and observations that all lie outside its training."""
    if not o.network:
        return ["method: learned needs a network: expected the path of a trained one, found none"]
    try:
        trained = maps.load(located(o.network, setting))
    except ModelFileError as error:
        return [f"network: {error}"]
    problems = trained.problems(o.levels, o.window, spacing_of(setting.grid))
    if o.increment_at == "end":
        problems.append("method: learned gives increments at the window's start; expected increment_at: start")
    table = None
    if o.observations:
        table, _ = observation_rows.of_case(o.observations, setting, observation_file.read)  # what is wrong is said
    if table is not None:
        for reason, rows in trained.untrained(table, o.window).items():
            if rows.any():
                first = int(np.flatnonzero(rows)[0])
                problems.append(
                    f"{int(rows.sum())} of {len(rows)} observations {reason}, the first is {table.variable[first]} "
                    f"of {table.value[first]:g} at {table.pressure[first, 0] / 100.0:.0f} hPa; "
                    f"trained: {trained.text()}"
                )
    return [f"network: {text}" for text in problems]


def places_of(table: Table, setting: Setting) -> Places:
    """Where observations lie on the component's grid.

    Parameters
    ----------
    table : observations
    setting : of the component
    """
    grid: Any = setting.grid
    return locate(grid.longitude, grid.latitude, table.longitude, table.latitude)
