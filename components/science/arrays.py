# SPDX-License-Identifier: BSD-3-Clause
"""Array operations that serve numpy and torch alike: light models stay numpy, and gradients pass through them in torch.

torch is never loaded here: an array that is a tensor has brought it along.
"""

import sys
from typing import Any

import numpy as np


class _Numpy:
    """Operations on numpy arrays."""

    where, maximum, minimum = staticmethod(np.where), staticmethod(np.maximum), staticmethod(np.minimum)
    exp, log, sqrt = staticmethod(np.exp), staticmethod(np.log), staticmethod(np.sqrt)

    root = staticmethod(np.sqrt)

    @staticmethod
    def constant(value: Any) -> Any:
        """The array itself."""
        return value

    @staticmethod
    def points(n: int, value: Any) -> Any:
        """A contiguous double array of ``n`` points from an array or a number."""
        return np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)))


class _Torch:
    """The same on tensors of one dtype and device; numbers and numpy arrays may stand beside them."""

    def __init__(self, torch: Any, like: Any):
        self._torch, self._like = torch, like
        self.exp, self.sqrt = torch.exp, torch.sqrt

    def constant(self, value: Any) -> Any:
        """A number or array as a tensor; truth values stay such."""
        if isinstance(value, self._torch.Tensor):
            return value
        array = np.asarray(value)
        dtype = None if array.dtype == bool else self._like.dtype
        return self._torch.tensor(array, dtype=dtype, device=self._like.device)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return self._torch.where(self.constant(condition), self.constant(a), self.constant(b))

    def maximum(self, a: Any, b: Any) -> Any:
        return self._torch.maximum(self.constant(a), self.constant(b))

    def minimum(self, a: Any, b: Any) -> Any:
        return self._torch.minimum(self.constant(a), self.constant(b))

    def log(self, a: Any) -> Any:
        return self._torch.log(self.constant(a))

    def root(self, a: Any) -> Any:
        """Square root whose derivative at zero is zero, where that of ``sqrt`` is infinite."""
        there = a > 0.0
        return self._torch.where(there, self._torch.sqrt(self._torch.where(there, a, 1.0)), 0.0)

    def points(self, n: int, value: Any) -> Any:
        """A tensor of ``n`` points from a tensor, an array or a number."""
        return self.constant(value).expand(n)


def operations(*values: Any) -> Any:
    """Operations for some arrays: torch's where one of them is a tensor, else numpy's.

    Parameters
    ----------
    *values : array, Tensor or number
        What the operations shall work on.

    Returns
    -------
    object
        With ``where, maximum, minimum, exp, log, sqrt``; ``root``, which is flat at zero for derivatives; ``constant``,
        which puts an array beside them, and ``points``, which spreads it over some points.

    Examples
    --------
    >>> operations(np.array([1.0, 4.0])).sqrt(np.array([1.0, 4.0]))
    array([1., 2.])
    """
    torch = sys.modules.get("torch")
    if torch is not None:
        for value in values:
            if isinstance(value, torch.Tensor):
                return _Torch(torch, value)
    return _Numpy
