# SPDX-License-Identifier: BSD-3-Clause
"""The atmosphere's state as arrays for restarts, and back: tracers by their names."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.model import Now
from components.atmosphere.nonhydrostatic.physics.columns import INNER
from components.atmosphere.nonhydrostatic.physics.radiated_clouds import Convective
from components.radiation.scheme import Radiation
from components.science.halo import HaloFiller
from components.science.tracers import Species

PLANES = {
    "albedo": "albedo",
    "emissivity": "emissivity",
    "rain": "rain_rate",
    "snow": "snow_rate",
    "ground_temperature": "ground_temperature",
}
MOMENTUM = ("momentum_x_west", "momentum_x_east", "momentum_y_south", "momentum_y_north", "momentum_z")
SKY = tuple("heating" if k == "heating" else f"sky_{k}" for k in Radiation._fields)
CONVECTIVE = ("convective_cloud_fraction", "convective_condensate")
KEYS = (*MOMENTUM, "mass", "heat", *PLANES.values(), *SKY, *CONVECTIVE, "exner_shift", "added_pressure", "time")
"""Names of all arrays but the tracers'."""


def arrays(now: Now, species: Species) -> dict[str, Any]:
    """Prognostic fields of a block (momentum by both faces of each cell), tracers, held radiation, the ground."""
    array = lambda a: a.detach().cpu().numpy()  # noqa: E731
    ru, rv, rw, rho, rtheta = (a[:, INNER, INNER] for a in now.s)
    out: dict[str, Any] = {
        "momentum_x_west": array(ru[..., :-1]), "momentum_x_east": array(ru[..., 1:]),
        "momentum_y_south": array(rv[:, :-1]), "momentum_y_north": array(rv[:, 1:]),
        "momentum_z": array(rw), "mass": array(rho), "heat": array(rtheta),
        **{key: array(getattr(now, name)) for name, key in PLANES.items()},
        "exner_shift": float(now.exner_shift),
        "added_pressure": float(now.added_pressure),
    }  # fmt: skip
    out |= {name: array(a[:, INNER, INNER]) for name, a in species.by_name(now.q).items()}
    if now.sky is not None:
        out |= dict(zip(SKY, map(array, now.sky), strict=True))
    if now.convective is not None:
        out |= dict(zip(CONVECTIVE, map(array, now.convective), strict=True))
    return out


def taken_up(kept: Mapping[str, Any], now: Now, species: Species, halo: HaloFiller) -> Now:
    """The state that ``kept`` holds as arrays of the block, halos filled; ``now`` gives shapes, precision and device.

    Raises
    ------
    ValueError
        A tracer or a field that the restart does not have.
    """
    wanted = [name for name in KEYS if name not in CONVECTIVE and (now.sky is not None or name not in SKY)]
    missing = [f"tracer {name}" for name in species.names if name not in kept]
    missing += [name for name in wanted if name not in kept]
    if missing:
        raise ValueError(
            f"the restart has no {', '.join(missing)}: it is from a run with other schemes or tracers, or of another"
            " version; start anew, or take the schemes and tracers of that run"
        )
    tensor = lambda a: torch.as_tensor(np.array(a)).to(now.albedo)  # noqa: E731
    s, q = type(now.s)(*(a.clone() for a in now.s)), now.q.clone()
    s.ru[:, INNER, H:-H] = torch.cat([tensor(kept["momentum_x_west"]), tensor(kept["momentum_x_east"])[..., -1:]], -1)
    s.rv[:, H:-H, INNER] = torch.cat([tensor(kept["momentum_y_south"]), tensor(kept["momentum_y_north"])[:, -1:]], -2)
    for a, name in ((s.rw, "momentum_z"), (s.rho, "mass"), (s.rtheta, "heat")):
        a[:, INNER, INNER] = tensor(kept[name])
    for a, name in zip(q, species.names, strict=True):
        a[:, INNER, INNER] = tensor(kept[name])
    halo([*s, q], H)
    sky = None
    if now.sky is not None:
        sky = Radiation(*(tensor(kept[name]) for name in SKY))
    convective = Convective(*(tensor(kept[name]) for name in CONVECTIVE)) if CONVECTIVE[0] in kept else None
    shift, added = (torch.tensor(float(kept[name]), dtype=torch.float64) for name in ("exner_shift", "added_pressure"))
    planes: dict[str, Any] = {name: tensor(kept[key]) for name, key in PLANES.items()}
    return Now(s, q, sky, **planes, exner_shift=shift, added_pressure=added, convective=convective)
