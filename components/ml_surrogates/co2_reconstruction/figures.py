# SPDX-License-Identifier: BSD-3-Clause
"""The learning curve."""

from pathlib import Path

from coupler.files.atomic import whole_file

from .training import CHECKED_EVERY, Course


def learning_curve(path: Path, course: Course) -> None:
    """Loss on the training samples and RMSE on the flows for validation, by step.

    Parameters
    ----------
    path : picture to write
    course : of the training
    """
    from matplotlib.figure import Figure

    steps = [CHECKED_EVERY * (n + 1) for n in range(len(course.train))]
    figure = Figure(figsize=(5.0, 3.0), layout="constrained")
    left = figure.subplots()
    left.plot(steps, course.train, color="tab:grey")
    left.set(xlabel="step", ylabel="CRPS in units of the spread, training")
    right = left.twinx()
    right.plot(steps, course.validation, color="tab:blue")
    right.set_ylabel("RMSE on other flows, ppm", color="tab:blue")
    with whole_file(path) as part:
        figure.savefig(part, format="png", dpi=80)
