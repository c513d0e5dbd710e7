# SPDX-License-Identifier: BSD-3-Clause
"""The columns and the radiation as fields of the exchange, and the component around any scheme."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import numpy as np
import torch

from components.radiation import standard_atmosphere
from components.radiation.full_columns import cloud_fraction
from components.radiation.gray_scheme import completed
from components.radiation.scheme import Air, Radiation
from components.science.gases import GasOptions
from components.science.sun import cosine_zenith, days_since_2000, sun_position
from coupler.component import Component, Context, Fields
from coupler.fields import FieldSpec, specs
from coupler.namelist import Namelist, Range

PLANES = {
    "surface_downwelling_shortwave_flux_in_air": "shortwave_down",
    "surface_downwelling_longwave_flux_in_air": "longwave_down",
    "toa_outgoing_longwave_flux": "outgoing_longwave",
    "toa_outgoing_shortwave_flux": "reflected_shortwave",
    "toa_incoming_shortwave_flux": "insolation",
}
AT_CALL = {
    "upwelling_longwave_flux_in_air": "longwave_up",
    "upwelling_shortwave_flux_in_air": "shortwave_up",
    "net_downward_radiative_flux_at_top_of_atmosphere_model": "lid",
}
PASSING = "longwave_transmissivity_of_air_above_surface"
"""What radiation may give besides: with it the air follows a ground that changes before radiation is computed anew."""
HEATING = "tendency_of_air_temperature_due_to_radiative_heating"
LAYERS = {
    "air_temperature_in_atmosphere_layer": "t",
    "humidity_mixing_ratio": "q_v",
    "cloud_liquid_water_mixing_ratio": "cloud",
    "cloud_ice_mixing_ratio": "ice",
    "air_pressure": "p",
}
CLOUDS = {"snow_mixing_ratio": "snow", "cloud_area_fraction_in_atmosphere_layer": "fraction"}
INTERFACES = "air_pressure_at_layer_interface"
GROUND = {"surface_temperature": "t_surface", "surface_albedo": "albedo"}
EMISSIVITY = "surface_longwave_emissivity"
OZONE = "mole_fraction_of_ozone_in_air"


def column_fields(levels: int) -> tuple[FieldSpec, ...]:
    """Declarations of the columns that radiation (or chemistry, or assimilation) sees."""
    layers = [FieldSpec(name, levels=levels) for name in LAYERS]
    emissivity = FieldSpec(EMISSIVITY, required=False)
    return (*layers, FieldSpec(INTERFACES, levels=levels + 1), *specs(*GROUND), emissivity)


def cloud_fields(levels: int) -> tuple[FieldSpec, ...]:
    """Declarations of the snow and the parts of layers that clouds fill, for schemes that see these."""
    return tuple(FieldSpec(name, levels=levels) for name in CLOUDS)


def radiation_fields(levels: int) -> tuple[FieldSpec, ...]:
    """Declarations of what radiation gives back."""
    besides = [FieldSpec(name, required=False) for name in AT_CALL]
    passing = FieldSpec(PASSING, levels=levels + 1, required=False)
    return (FieldSpec(HEATING, levels=levels), *specs(*PLANES), *besides, passing)


def columns_out(air: Air) -> Fields:
    """The columns as exports."""
    array = lambda a: a.detach().cpu().double().numpy()  # noqa: E731
    out = {name: array(getattr(air, part)) for name, part in {**LAYERS, **GROUND}.items()}
    snow = torch.zeros_like(air.t) if air.snow is None else air.snow
    fraction = cloud_fraction(air.cloud + air.ice + snow) if air.fraction is None else air.fraction
    out |= dict(zip(CLOUDS, (array(snow), array(fraction)), strict=True))
    emissivity = torch.ones_like(air.albedo) if air.emissivity is None else air.emissivity
    return {**out, INTERFACES: array(air.p_interface), EMISSIVITY: array(emissivity)}


def columns_in(fields: Mapping[str, Any], mu: torch.Tensor, distance: float, latitude: torch.Tensor, day: float) -> Air:
    """The columns of imports, in the precision and on the device of ``mu`` (y, x).

    Parameters
    ----------
    fields : imports by CF name
    mu : (y, x) cosine of the solar zenith angle
    distance : (mean / actual distance of the sun)^2
    latitude : (y, x) degrees north
    day : of the year, fractional
    """
    tensor = lambda name: torch.as_tensor(np.array(fields[name]), dtype=mu.dtype, device=mu.device)  # noqa: E731
    parts = {part: tensor(name) for name, part in {**LAYERS, **CLOUDS, **GROUND}.items()}
    if fields.get(EMISSIVITY) is not None:
        parts["emissivity"] = tensor(EMISSIVITY)
    if fields.get(OZONE) is not None:
        parts["ozone"] = tensor(OZONE)
    return Air(**parts, p_interface=tensor(INTERFACES), mu=mu, distance=distance, latitude=latitude, day=day)


def radiation_out(sky: Radiation, air: Air) -> Fields:
    """Radiation of columns as exports.

    Parameters
    ----------
    sky, air : radiation and its columns
    """
    array = lambda a: a.detach().cpu().double().numpy()  # noqa: E731
    sky = completed(sky, air)
    names = {HEATING: "heating", **PLANES, **AT_CALL, PASSING: "passing"}
    return {name: array(getattr(sky, part)) for name, part in names.items()}


def radiation_in(fields: Mapping[str, Any], air: Callable[[], Air]) -> Radiation:
    """Radiation of imports; what its component does not say of ground and lid follows from the columns.

    Parameters
    ----------
    fields : imports by CF name
    air : makes the columns as radiation sees them
    """
    names = {HEATING: "heating", **PLANES, **AT_CALL, PASSING: "passing"}
    parts = {part: fields[name] for name, part in names.items() if fields.get(name) is not None}
    if len(parts) == len(names):
        return Radiation(**parts)
    seen = air()
    emissivity = 1.0 if seen.emissivity is None else seen.emissivity
    up = {
        "shortwave_up": seen.albedo * parts["shortwave_down"],
        "longwave_up": seen.emitted() + (1.0 - emissivity) * parts["longwave_down"],
    }
    return completed(Radiation(**{**up, **parts}), seen)


class RadiationComponent(Component):
    """Radiation on ranks of its own: columns in, heating and fluxes out. A model gives `prepare` and `radiate`.

    The sun stands where it does at the middle of the step. Until columns have arrived (a run with a lag) the exports
    are those of a US Standard Atmosphere without clouds.
    """

    on_demand = True

    shapes_state = ("levels",)

    class Options(Namelist):
        """Options of every radiation model."""

        levels: Annotated[int, Range(least=1, most=300)] = 24
        """Layers of the atmosphere it serves; with ``grid: atmosphere`` that one's, unless said."""
        gases: GasOptions = GasOptions()
        """Well-mixed gases: {year: 2005}, or mole fractions such as {carbon_dioxide: 5.6e-4}."""
        precision: Literal["single", "double"] = "double"
        """Precision of the arithmetic."""

    def __init__(self, options: Any):
        super().__init__(options)
        chemistry = FieldSpec(OZONE, levels=options.levels, required=False)
        self.imports = (*column_fields(options.levels), *cloud_fields(options.levels), chemistry)
        self.exports = radiation_fields(options.levels)

    def prepare(self, context: Context) -> None:
        """Load what the scheme needs."""

    def radiate(self, air: Air) -> Radiation:
        """Radiation of this rank's columns."""
        raise NotImplementedError

    def initialize(self, context: Context) -> Fields:
        """The scheme, and the radiation of a standard atmosphere."""
        torch.set_num_threads(context.threads)
        self.context = context
        dtype = torch.float32 if self.options.precision == "single" else torch.float64
        tensor = lambda a: torch.tensor(context.local(a), dtype=dtype, device=context.device)  # noqa: E731
        self.lon, self.lat = tensor(context.grid.longitude), tensor(context.grid.latitude)
        self.gases = self.options.gases.at(context.clock.date(0).year)
        self.numbers = column_numbers(context)
        self.prepare(context)
        day = days_since_2000(context.clock.date(0))
        air = standard_atmosphere.columns(self.options.levels, *self._sun(day))
        return radiation_out(self.radiate(air), air)

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """Radiation of the columns that have arrived, for the step that follows."""
        day = days_since_2000(self.context.clock.date(time + seconds // 2))
        air = columns_in(imports, *self._sun(day), self.lat, day)._replace(column=self.numbers)
        self.sky = self.radiate(air)
        return radiation_out(self.sky, air)

    def _sun(self, day: float) -> tuple[torch.Tensor, float]:
        """Cosine of the zenith angle some days after 2000 began, and (mean / actual distance of the sun)^2."""
        return cosine_zenith(self.lon, self.lat, day), sun_position(day)[2]

    def state(self) -> dict[str, Any]:
        """Nothing is kept from step to step; what is in flight is the exchange's."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> Fields | None:
        """Nothing to restore."""
        return None


def column_numbers(context: Context) -> torch.Tensor:
    """Numbers (y, x) of this rank's columns in the whole grid, row by row."""
    shape = context.grid.longitude.shape
    return torch.tensor(context.local(np.arange(np.prod(shape)).reshape(shape)), device=context.device)
