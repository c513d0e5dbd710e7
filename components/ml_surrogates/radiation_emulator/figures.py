# SPDX-License-Identifier: BSD-3-Clause
"""Learning curves."""

from pathlib import Path

from coupler.files.atomic import whole_file

from .training import Course


def learning_curve(path: Path, course: Course) -> None:
    """Losses of the bands by epoch, training and held-out columns.

    Parameters
    ----------
    path : PNG to write
    course : of the training
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    plots = figure.subplots(1, len(course.bands), squeeze=False)[0]
    for n, (axes, name) in enumerate(zip(plots, course.bands, strict=True)):
        epochs = range(1, len(course.train) + 1)
        axes.semilogy(epochs, [loss[n] for loss in course.train], label="training")
        axes.semilogy(epochs, [loss[n] for loss in course.validation], label="other places")
        axes.axvline(course.best + 1, color="0.6", lw=0.8)
        axes.set(title=name, xlabel="epoch", ylabel="loss")
    axes.legend(frameon=False)
    with whole_file(path) as part:
        figure.savefig(part, format="png", dpi=110)
