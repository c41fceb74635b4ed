"""Images of convex polygons, triangles by default (Lucic et al. 2018, "Are GANs Created Equal?", arXiv:1711.10337).

The corners lie on a circle, one in each of as many equal sectors; the polygon is dark, its corners' mean is the centre
of the image, and a pixel's grey is the share of its ``subpixels`` x ``subpixels`` points that are inside. Every draw is
new: the paper's 60,000 images are as many draws. Its code turns the polygon by up to ``rotation`` = 2 pi *degrees*
(360 was surely meant) and keeps neighbouring corners ``angle`` / 2 apart, not ``angle``: both are taken as they are.
"""

import math
from typing import Annotated

import torch
from pydantic import Field, PositiveInt

from ganbench import Dataset, hookimpl

AT_ONCE = 2**18  # numbers, that a processor's cache holds: all images at once take three times as long


class Polygons:
    """Images (n, 1, size, size), float32: -1 inside, 1 outside."""

    def __init__(self, vertices, angle, rotation, scale, size, subpixels):
        self.shape = (1, size, size)
        self.vertices, self.angle, self.rotation = vertices, math.radians(angle), math.radians(rotation)
        self.radius, self.subpixels = scale * size / 2, subpixels

    def sample(self, n, generator):
        random = torch.rand(n, self.vertices + 1, generator=generator, device=generator.device)
        size, fine = self.shape[1], self.subpixels
        pieces = self.corners(random).split(max(AT_ONCE // (size * fine * (size + 1)), 1))
        return torch.cat([1 - 2 * coverage(piece, size, fine) for piece in pieces])[:, None]

    def corners(self, random):
        """The corners that numbers on [0, 1), (n, vertices + 1), stand for, in pixels: (n, vertices, 2)."""
        sector = 2 * math.pi / self.vertices
        start = torch.arange(self.vertices, device=random.device) * sector + self.angle / 2
        angles = start + random[:, :-1] * (sector - self.angle / 2) + random[:, -1:] * self.rotation
        corners = self.radius * torch.stack([angles.cos(), angles.sin()], dim=-1)
        return corners - corners.mean(1, keepdim=True) + self.shape[1] / 2


def coverage(corners, size, fine):
    """The share of each pixel's fine x fine points that are within convex polygons: (n, k, 2) -> (n, size, size)."""
    (x, y), (to_x, to_y) = corners.unbind(-1), corners.roll(-1, 1).unbind(-1)
    # Along a line of points a convex polygon is an interval, from where one edge crosses it to where another does.
    line = (torch.arange(size * fine, device=x.device)[:, None] + 0.5) / fine
    x, y, to_x, to_y = (end[:, None] for end in (x, y, to_x, to_y))
    crosses = (y <= line) != (to_y <= line)
    place = x + (line - y) / torch.where(crosses, to_y - y, 1.0) * (to_x - x)
    left = torch.where(crosses, place, math.inf).amin(-1, keepdim=True)
    right = torch.where(crosses, place, -math.inf).amax(-1, keepdim=True)
    # How many of a line's points lie before each end, and before both the end and each pixel's border.
    first, last = ((fine * end.clamp(-size, 2 * size) - 0.5).ceil() for end in (left, right))
    border = torch.arange(size + 1, device=x.device) * fine
    before = torch.minimum(torch.maximum(border, first), torch.maximum(first, last))
    return before.unflatten(1, (size, fine)).sum(2).diff(dim=-1) / fine**2


def polygons(
    *,
    vertices: Annotated[int, Field(ge=3, le=32)] = 3,
    angle: Annotated[float, Field(ge=0, le=120)] = 20.0,
    rotation: Annotated[float, Field(ge=0, le=360)] = 2 * math.pi,
    scale: Annotated[float, Field(gt=0, le=1)] = 0.75,
    size: Annotated[int, Field(ge=4, le=256)] = 28,
    subpixels: PositiveInt = 8,
):
    if angle > 360 / vertices:
        raise ValueError(f"angle must be at most {360 / vertices:g} degrees for {vertices} corners")
    return Polygons(vertices, angle, rotation, scale, size, subpixels)


@hookimpl
def ganbench_datasets():
    yield Dataset("polygons", polygons)
