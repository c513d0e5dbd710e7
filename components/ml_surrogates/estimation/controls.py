# SPDX-License-Identifier: BSD-3-Clause
"""Control vectors: what is varied, with unit covariance, to move the state.

``increment(v)`` is linear in v; the increment's covariance for v of unit covariance is that of the background's error.
Ensemble controls follow dx = sum_k X_k o (C^1/2 v_k), X = (E - mean) / sqrt(N - 1) (Lorenc 2003; Buehner 2005).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Root = Callable[[Tensor], Tensor]
"""A square root of a covariance or correlation, applied along the last dimensions."""


class Control(Protocol):
    """What a control vector means."""

    def zero(self) -> Tensor:
        """The control vector of no increment."""
        ...

    def increment(self, v: Tensor) -> Tensor:
        """The increment of the state that ``v`` stands for."""
        ...


def perturbations(ensemble: Tensor) -> Tensor:
    """X = (E - mean) / sqrt(N - 1) of members along the first dimension; at least two."""
    n = ensemble.shape[0]
    if n < 2:
        raise ValueError(f"expected an ensemble of at least 2 members, found {n}")
    x: Tensor = (ensemble - ensemble.mean(0)) / math.sqrt(n - 1)
    return x


@dataclass(frozen=True)
class Static:
    """A static covariance B: dx = B^1/2 v.

    Parameters
    ----------
    root : B^1/2
    shape : of v
    like : a tensor of the precision and device wanted
    """

    root: Root
    shape: tuple[int, ...]
    like: Tensor

    def zero(self) -> Tensor:
        """The control vector of no increment."""
        return self.like.new_zeros(self.shape)

    def increment(self, v: Tensor) -> Tensor:
        """B^1/2 v."""
        return self.root(v)


@dataclass(frozen=True)
class Weights:
    """Weights of the members, w in R^N: dx = sum_k X_k w_k. No localisation can be written so.

    Parameters
    ----------
    x : (N, ...) perturbations over sqrt(N - 1)
    """

    x: Tensor

    def zero(self) -> Tensor:
        """The control vector of no increment."""
        return self.x.new_zeros(self.x.shape[0])

    def increment(self, v: Tensor) -> Tensor:
        """sum_k X_k v_k."""
        return (v @ self.x.reshape(self.x.shape[0], -1)).reshape(self.x.shape[1:])


@dataclass(frozen=True)
class Alpha:
    """Localised ensemble: weights that vary in the horizontal, dx = sum_k X_k o (C^1/2 v_k).

    Parameters
    ----------
    x : (N, fields, y, x) perturbations over sqrt(N - 1)
    root : C^1/2 along y and x, of a correlation
    """

    x: Tensor
    root: Root

    def zero(self) -> Tensor:
        """The control vector of no increment."""
        return self.x.new_zeros((self.x.shape[0], *self.x.shape[-2:]))

    def increment(self, v: Tensor) -> Tensor:
        """sum_k X_k o (C^1/2 v_k)."""
        alpha = self.root(v)
        return (self.x * alpha[:, None]).sum(0)


@dataclass(frozen=True)
class Hybrid:
    """Several controls side by side, each with a share of the covariance: dx = sum_i sqrt(beta_i) dx_i(v_i).

    Parameters
    ----------
    controls : such as `Static` and `Alpha`
    shares : beta of each, summing to one for a mean of covariances
    """

    controls: Sequence[Control]
    shares: Sequence[float]

    def zero(self) -> Tensor:
        """The control vector of no increment, the parts one after the other."""
        return torch.cat([c.zero().reshape(-1) for c in self.controls])

    def increment(self, v: Tensor) -> Tensor:
        """The weighted sum of the parts' increments."""
        total, start = None, 0
        for control, share in zip(self.controls, self.shares, strict=True):
            like = control.zero()
            part = v[start : start + like.numel()].reshape(like.shape)
            start += like.numel()
            dx = math.sqrt(share) * control.increment(part)
            total = dx if total is None else total + dx
        assert total is not None
        return total
