"""Truly horizontal pressure gradient on faces whose cells differ much in height.

Where a coordinate surface rises by a good part of a layer between neighbouring cells, dp/dx - (dz/dx) dp/dz is the
difference of two large terms and its truncation error drives winds (Mahrer 1984; Zaengl 2012, Mon. Wea. Rev. 140,
3722-3733). There both columns are interpolated to one height with cubic polynomials and subtracted. The height
is that of
the middle of the face, but not below the lowest layer of the higher column, so that nothing is extrapolated into the
ground.
"""

from typing import NamedTuple

import torch

from .geometry import HALO as H
from .geometry import Geometry


class SteepFaces(NamedTuple):
    """Faces of one direction and how to interpolate the pressure on both sides of them.

    Attributes
    ----------
    face : (n,) index of the face in the flattened interior faces
    points : (8, n) index into the flattened pressure (nz, ny+2, nx+2): four levels of the cell before, four after
    weights : (8, n) their weights, those before with the sign of the difference
    """

    face: torch.Tensor
    points: torch.Tensor
    weights: torch.Tensor


def find_steep_faces(g: Geometry, threshold: float = 0.25) -> tuple[SteepFaces | None, SteepFaces | None]:
    """Faces in x and in y across which the layer centre rises by more than ``threshold`` layers.

    None over flat ground.
    """
    if g.rise_x is None or g.nz < 4:
        return None, None
    z = g.z[:, H - 1 : 1 - H, H - 1 : 1 - H].double()
    dz = g.dz[:, H - 1 : 1 - H, H - 1 : 1 - H].double()
    shape = z.shape
    number = torch.arange(z.numel(), device=z.device).reshape(shape)
    x = _find(z[:, 1:-1], dz[:, 1:-1], number[:, 1:-1], 2, threshold, shape, g.dz.dtype)
    y = _find(z[:, :, 1:-1], dz[:, :, 1:-1], number[:, :, 1:-1], 1, threshold, shape, g.dz.dtype)
    return x, y


def _find(
    z: torch.Tensor,
    dz: torch.Tensor,
    number: torch.Tensor,
    dim: int,
    threshold: float,
    shape: torch.Size,
    dtype: torch.dtype,
) -> SteepFaces | None:
    n = z.shape[dim] - 1
    before, after = z.narrow(dim, 0, n), z.narrow(dim, 1, n)
    thickness = torch.minimum(dz.narrow(dim, 0, n), dz.narrow(dim, 1, n))
    steep = (before - after).abs() > threshold * thickness
    if not bool(steep.any()):
        return None
    height = torch.maximum(0.5 * (before + after), torch.maximum(before[:1], after[:1]))[steep]
    face = steep.reshape(-1).nonzero().reshape(-1)
    plane = shape[1] * shape[2]
    points, weights = [], []
    for column, base, sign in ((before, number.narrow(dim, 0, n), -1.0), (after, number.narrow(dim, 1, n), 1.0)):
        flat = column.reshape(z.shape[0], -1)
        where = face % flat.shape[1]
        own = flat[:, where]
        first = ((own < height).sum(0) - 2).clamp(0, z.shape[0] - 4)
        levels = [torch.gather(own, 0, (first + m)[None])[0] for m in range(4)]
        ground = base.reshape(z.shape[0], -1)[0, where]
        for a in range(4):
            w = torch.full_like(height, sign)
            for b in range(4):
                if b != a:
                    w = w * (height - levels[b]) / (levels[a] - levels[b])
            points.append(ground + (first + a) * plane)
            weights.append(w.to(dtype))
    return SteepFaces(face, torch.stack(points), torch.stack(weights))


def replace_steep(difference: torch.Tensor, p: torch.Tensor, faces: SteepFaces | None) -> torch.Tensor:
    """Differences of pressure across faces with those of ``faces`` replaced; ``p`` (nz, ny+2, nx+2), Pa."""
    if faces is None:
        return difference
    flat = p.reshape(-1)
    value = flat[faces.points[0]] * faces.weights[0]
    for m in range(1, 8):
        value = value + flat[faces.points[m]] * faces.weights[m]
    return difference.reshape(-1).index_copy(0, faces.face, value).reshape(difference.shape)
