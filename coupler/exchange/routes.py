# SPDX-License-Identifier: BSD-3-Clause
"""Message tags, and what the coupler tells each participant about its part of a task."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupler.errors import LayoutError

TAG_CONTROL, TAG_GRANT, TAG_ROUTE, TAG_PLAN = 1, 2, 3, 4
"""To the controller (one tag for all it is told: a look costs an MPI call), from it, routes, and the plan."""
_FIRST_TASK = 64
_SLOTS = 8
NOTES = 2 * _SLOTS
"""Tags of one task that carry data. As many for each of the two kinds of notes on shared memory come after them."""
_A_TASK = 4 * NOTES


def input_tag(task: int, slot: int) -> int:
    """Tag of the messages from a source to the coupler.

    Parameters
    ----------
    task : number of the task
    slot : number of the input
    """
    return _FIRST_TASK + _A_TASK * task + slot


def output_tag(task: int, slot: int) -> int:
    """Tag of the messages from the coupler (or, on a direct route, the source) to a target.

    Parameters
    ----------
    task : number of the task
    slot : number of the output
    """
    return _FIRST_TASK + _A_TASK * task + _SLOTS + slot


def check_tags(tasks: int, largest: int) -> None:
    """Refuse more tasks than the MPI has tags for.

    Parameters
    ----------
    tasks : how many there are
    largest : tag that the MPI takes

    Raises
    ------
    LayoutError
        With the number of exchanges there can be.
    """
    most = (largest - _FIRST_TASK + 1) // _A_TASK
    if tasks > most:
        raise LayoutError(
            f"the case has {tasks} exchanges; this MPI has tags for {most} (its largest is {largest}): "
            "join rules, or run with --serial"
        )


@dataclass(frozen=True)
class Route:
    """One channel of a task between a coupler rank and one rank of a component.

    Parameters
    ----------
    task, slot : int
        Task, and its input or output.
    outgoing : bool
        True towards the component (a delivery), False from it (a bundle).
    component : str
        The component.
    peer : int
        Process at the other end, as the receiver of this object sees it.
    positions : ndarray of int64
        Local cells of the component's rank, in the order of the message.
    area : ndarray of float64 or None
        Area of each of those cells that takes part, m2; None where the method does not conserve.
    covered : ndarray of float64
        Of a delivery: covered fraction of each cell.
    """

    task: int
    slot: int
    outgoing: bool
    component: str
    peer: int
    positions: npt.NDArray[np.int64]
    area: npt.NDArray[np.float64] | None
    covered: npt.NDArray[np.float64] | None
