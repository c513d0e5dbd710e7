# SPDX-License-Identifier: BSD-3-Clause
"""Sectors of the proxy of emissions: whom they follow, at which height, hour and month, and which part is theirs.

Heights of power stations and industry are the means of Bieser et al. (2011, Environ. Pollut. 159, 2935, table 3),
hours and months those of TNO (Denier van der Gon et al. 2011, MACC deliverable D_D-EMIS_1.3); months of farms have
the shape that gives China 3.08 times as much ammonia in July as in January (Li et al. 2021, ACP 21, 15883). Parts of
carbon are those of China (Cui et al. 2015, ACP 15, 8657). What part of another species a sector emits are round figures
of this project's own, near the inventories of Asia and China (Li et al. 2017, ACP 17, 935; Zheng et al. 2018, ACP 18,
14095; of other particles Lei et al. 2011, ACP 11, 931: most from cement and other works), the same for all countries.
Works stand where people live in the wide surroundings and not in the
midst of cities: an inventory that puts their emissions where people live has too much of them there (Zheng et al.
2017, ACP 17, 921).

Heavy lorries are a sector of their own, as their hours are not those of traffic in the Netherlands: large cities of
China let them in at night alone, and Beijing's vehicles together emit most nitrogen oxides at five in the morning, most
carbon monoxide at six in the evening (Yang et al. 2019, ACP 19, 8831; doi:10.13198/j.issn.1001-6929.2020.12.23). They
are taken to drive evenly by day and night.
"""

from typing import Literal, NamedTuple

from components.chemistry.regional.parameters import Course, Slab

Spread = Literal["cities", "surroundings", "people"]
"""By the people of cities; by them as they are spread over the land around; by all people, who live in both."""


class Sector(NamedTuple):
    """Where and when a sector emits.

    Attributes
    ----------
    spread : what it follows within a country
    course : heights, hours and months
    """

    spread: Spread
    course: Course


def _slabs(*parts: tuple[float, float, float]) -> list[Slab]:
    return [Slab(bottom=low, top=high, share=share) for low, high, share in parts]


SECTORS: dict[str, Sector] = {
    "power": Sector(
        "surroundings",
        Course(
            heights=_slabs(
                (92.0, 184.0, 0.0025), (184.0, 324.0, 0.51), (324.0, 522.0, 0.453), (522.0, 781.0, 0.0325),
                (781.0, 1106.0, 0.002),
            ),
            hours=[
                0.79, 0.72, 0.72, 0.71, 0.74, 0.8, 0.92, 1.08, 1.19, 1.22, 1.21, 1.21,
                1.17, 1.15, 1.14, 1.13, 1.1, 1.07, 1.04, 1.02, 1.02, 1.01, 0.96, 0.88,
            ],
            months=[1.2, 1.15, 1.05, 1.0, 0.9, 0.85, 0.8, 0.875, 0.95, 1.0, 1.075, 1.15],
        ),
    ),
    "industry": Sector(
        "surroundings",
        Course(
            heights=_slabs((20.0, 92.0, 0.16), (92.0, 184.0, 0.75), (184.0, 324.0, 0.03)),
            hours=[
                0.75, 0.75, 0.78, 0.82, 0.88, 0.95, 1.02, 1.09, 1.16, 1.22, 1.28, 1.3,
                1.22, 1.24, 1.25, 1.16, 1.08, 1.01, 0.95, 0.9, 0.85, 0.81, 0.78, 0.75,
            ],
            months=[1.1, 1.075, 1.05, 1.0, 0.95, 0.9, 0.93, 0.95, 0.97, 1.0, 1.025, 1.05],
        ),
    ),
    "traffic": Sector(
        "people",
        Course(
            hours=[
                0.19, 0.09, 0.06, 0.05, 0.09, 0.22, 0.86, 1.84, 1.86, 1.41, 1.24, 1.2,
                1.32, 1.44, 1.45, 1.59, 2.03, 2.08, 1.51, 1.06, 0.74, 0.62, 0.61, 0.44,
            ],
            months=[0.88, 0.92, 0.98, 1.03, 1.05, 1.06, 1.01, 1.02, 1.06, 1.05, 1.01, 0.93],
        ),
    ),
    "lorries": Sector(
        "people",
        Course(months=[0.88, 0.92, 0.98, 1.03, 1.05, 1.06, 1.01, 1.02, 1.06, 1.05, 1.01, 0.93]),
    ),
    "homes": Sector(
        "people",
        Course(
            hours=[
                0.38, 0.36, 0.36, 0.36, 0.37, 0.5, 1.19, 1.53, 1.57, 1.56, 1.35, 1.16,
                1.07, 1.06, 1.0, 0.98, 0.99, 1.12, 1.41, 1.52, 1.39, 1.35, 1.0, 0.42,
            ],
            months=[1.7, 1.5, 1.3, 1.0, 0.7, 0.4, 0.2, 0.4, 0.7, 1.05, 1.4, 1.65],
        ),
    ),
    "solvents": Sector(
        "cities",
        Course(
            hours=[
                0.5, 0.35, 0.2, 0.1, 0.1, 0.2, 0.75, 1.25, 1.4, 1.5, 1.5, 1.5,
                1.5, 1.5, 1.5, 1.5, 1.5, 1.4, 1.25, 1.1, 1.0, 0.9, 0.8, 0.7,
            ],
            months=[0.95, 0.96, 1.02, 1.0, 1.01, 1.03, 1.03, 1.01, 1.04, 1.03, 1.01, 0.91],
        ),
    ),
    "farms": Sector(
        "surroundings",
        Course(
            hours=[
                0.6, 0.6, 0.6, 0.6, 0.6, 0.65, 0.75, 0.9, 1.1, 1.35, 1.45, 1.6,
                1.65, 1.75, 1.7, 1.55, 1.35, 1.1, 0.9, 0.75, 0.65, 0.6, 0.6, 0.6,
            ],
            months=[0.4, 0.45, 0.75, 1.05, 1.2, 1.5, 1.65, 1.5, 1.1, 0.95, 0.8, 0.65],
        ),
    ),
}  # fmt: skip
PARTS: dict[str, dict[str, float]] = {
    "SO2": {"power": 0.25, "industry": 0.60, "homes": 0.15},
    "NOx": {"power": 0.30, "industry": 0.35, "traffic": 0.10, "lorries": 0.20, "homes": 0.05},
    "CO": {"industry": 0.40, "homes": 0.40, "traffic": 0.20},
    "NH3": {"farms": 0.90, "homes": 0.05, "industry": 0.05},
    "NMVOC": {"solvents": 0.35, "industry": 0.25, "homes": 0.20, "traffic": 0.20},
    "BC": {"homes": 0.52, "industry": 0.32, "traffic": 0.04, "lorries": 0.12},
    "OC": {"homes": 0.76, "industry": 0.19, "traffic": 0.02, "lorries": 0.03},
    "other": {"industry": 0.75, "homes": 0.15, "power": 0.10},
}
"""What part of a species each sector emits."""
