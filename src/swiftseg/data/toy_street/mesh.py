"""Flat-colored polygons of the toy street, each with its class, and the shapes they are made of.

Coordinates are meters: x to the right, y up, z down the street. A face's corners run
counterclockwise as seen from the side it shows; from behind it is not painted, unless it is a
card (`two_sided`), as people and tree crowns are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from swiftseg.data.published.camvid import CAMVID_LABELS

(SKY, BUILDING, POLE, ROAD, SIDEWALK, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST) = range(
    len(CAMVID_LABELS)
)
VOID = 11

Vector = Sequence[float] | np.ndarray
Values = float | np.ndarray


class MeshPart(NamedTuple):
    """Faces of one corner count: points (K, n, 3), colors (K, 3) or (1, 3) for all, in 0..255."""

    points: np.ndarray
    colors: np.ndarray
    label: int
    glow: bool
    two_sided: bool


class Mesh:
    """Faces in painting order: what is added later covers what was added before.

    Attributes:
        height: In meters, for the shadow.
        radius: Half the width in meters, for the shadow; 0 casts none.
    """

    def __init__(self, *, height: float = 0.0, radius: float = 0.0) -> None:
        self.parts: list[MeshPart] = []
        self.height = height
        self.radius = radius

    def add(
        self,
        points: np.ndarray,
        color: Vector,
        label: int,
        *,
        glow: bool = False,
        two_sided: bool = False,
    ) -> None:
        """Add faces of one class.

        Args:
            points: (n, 3) for one face or (K, n, 3), in meters.
            color: (3,) or (K, 3), RGB in 0..255 under white light.
            label: The class of every pixel the faces cover.
            glow: The color is the light itself; the time of day leaves it alone.
            two_sided: Painted from both sides.
        """
        if points.ndim == 2:
            points = points[None]
        colors = np.asarray(color, dtype=np.float32).reshape(-1, 3)
        self.parts.append(MeshPart(points, colors, label, glow, two_sided))

    def add_card(self, shapes: np.ndarray, color: Vector, label: int) -> None:
        """Add flat shapes (n, 2) or (K, n, 2) in (x, y) that face along the street."""
        points = np.zeros((*shapes.shape[:-1], 3))
        points[..., :2] = shapes
        self.add(points, color, label, two_sided=True)

    def stretched(self, wide: float, tall: float) -> "Mesh":
        """Return the mesh with its x and z times `wide` and its y times `tall`."""
        mesh = Mesh(height=self.height * tall, radius=self.radius * wide)
        factors = np.array((wide, tall, wide))
        mesh.parts = [part._replace(points=part.points * factors) for part in self.parts]
        return mesh


@dataclass(frozen=True)
class Placed:
    """A mesh where it stands: turned by `angle` radians about the upright axis, then moved.

    Attributes:
        mesh: In its own coordinates.
        x: Meters to the right of the road's middle.
        z: Meters down the street.
        angle: Radians, from x toward z.
        far_z: Where it ends; what ends farther away is painted earlier.
    """

    mesh: Mesh
    x: float = 0.0
    z: float = 0.0
    angle: float = 0.0
    far_z: float = 0.0


class Faces(NamedTuple):
    """Faces of many meshes in world coordinates, flattened for one projection.

    Attributes:
        points: (P, 3) corners of all faces.
        starts: (K,) the first corner of each face.
        counts: (K,) corners of each face.
        colors: (K, 3) in 0..255.
    """

    points: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    colors: np.ndarray
    labels: np.ndarray
    glow: np.ndarray
    two_sided: np.ndarray


def gather(placed: Sequence[Placed]) -> Faces:
    """Move meshes (one at least) to their places and joins them, keeping their order."""
    parts = [part for item in placed for part in item.mesh.parts]
    num_faces = [len(part.points) for part in parts]
    points = np.concatenate([part.points.reshape(-1, 3) for part in parts])
    owners = np.repeat(
        np.arange(len(placed)),
        [sum(part.points.size // 3 for part in item.mesh.parts) for item in placed],
    )
    poses = np.array([(item.x, item.z, np.cos(item.angle), np.sin(item.angle)) for item in placed])
    x, z, cos, sin = poses[owners].T
    world = np.stack(
        (
            x + points[:, 0] * cos - points[:, 2] * sin,
            points[:, 1],
            z + points[:, 0] * sin + points[:, 2] * cos,
        ),
        axis=1,
    )
    counts = np.repeat([part.points.shape[1] for part in parts], num_faces)
    times = np.repeat(
        [len(part.points) // len(part.colors) for part in parts],
        [len(part.colors) for part in parts],
    )
    return Faces(
        points=world,
        starts=np.cumsum(counts) - counts,
        counts=counts,
        colors=np.concatenate([part.colors for part in parts]).repeat(times, axis=0),
        labels=np.repeat([part.label for part in parts], num_faces),
        glow=np.repeat([part.glow for part in parts], num_faces),
        two_sided=np.repeat([part.two_sided for part in parts], num_faces),
    )


def lift(shapes: np.ndarray, origin: Vector, along: Vector) -> np.ndarray:
    """Stands shapes (..., 2) of (s, y) upright: origin + s * along + y * up, (..., 3)."""
    upright = np.array([along, (0.0, 1.0, 0.0)])
    return shapes @ upright + np.asarray(origin)


def rectangles(s0: Values, y0: Values, s1: Values, y1: Values) -> np.ndarray:
    """Rectangles (K, 4, 2) from corners given as K values each, or one for all."""
    corners = np.empty((max(np.size(side) for side in (s0, y0, s1, y1)), 4, 2))
    for corner, (s, y) in enumerate(((s0, y0), (s1, y0), (s1, y1), (s0, y1))):
        corners[:, corner, 0] = s
        corners[:, corner, 1] = y
    return corners


def rectangle(s0: float, y0: float, s1: float, y1: float) -> np.ndarray:
    """One rectangle (4, 2)."""
    return np.array([(s0, y0), (s1, y0), (s1, y1), (s0, y1)])


def disc(s: float, y: float, radius: float, *, corners: int = 10, turn: float = 0.0) -> np.ndarray:
    """A regular polygon (corners, 2)."""
    return unit_polygon(corners, turn) * radius + (s, y)


@cache
def unit_polygon(corners: int, turn: float) -> np.ndarray:
    turns = turn + np.arange(corners) * (2 * np.pi / corners)
    return np.stack((np.cos(turns), np.sin(turns)), axis=1)


def limb(s0: float, y0: float, s1: float, y1: float, width: float) -> np.ndarray:
    """A bar (4, 2) of some width from one point to another."""
    ds, dy = s1 - s0, y1 - y0
    scale = 0.5 * width / max(float(np.hypot(ds, dy)), 1e-6)
    ns, ny = -dy * scale, ds * scale
    return np.array(
        [(s0 - ns, y0 - ny), (s1 - ns, y1 - ny), (s1 + ns, y1 + ny), (s0 + ns, y0 + ny)]
    )


Floor = tuple[float, float, float, float, float]
NEAR, FAR, LEFT, RIGHT, TOP = range(5)


def prism(bottom: Floor, top: Floor) -> np.ndarray:
    """The faces NEAR, FAR, LEFT, RIGHT, TOP (5, 4, 3) between rectangles (x0, z0, x1, z1, y)."""
    x0, z0, x1, z1, y = bottom
    b00, b10, b11, b01 = (x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)
    x0, z0, x1, z1, y = top
    t00, t10, t11, t01 = (x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)
    return np.array(
        [
            (b00, b10, t10, t00),
            (b11, b01, t01, t11),
            (b01, b00, t00, t01),
            (b10, b11, t11, t10),
            (t00, t10, t11, t01),
        ]
    )


def box(x0: float, z0: float, x1: float, z1: float, y0: float, y1: float) -> np.ndarray:
    """An upright box's faces NEAR, FAR, LEFT, RIGHT, TOP (5, 4, 3)."""
    return prism((x0, z0, x1, z1, y0), (x0, z0, x1, z1, y1))


def inset(face: np.ndarray, s0: float, t0: float, s1: float, t1: float) -> np.ndarray:
    """A part (4, 3) of a four-cornered face, from (s0, t0) to (s1, t1) in 0..1 of its sides."""
    return bilinear_weights(s0, t0, s1, t1) @ face


@lru_cache(maxsize=256)
def bilinear_weights(s0: float, t0: float, s1: float, t1: float) -> np.ndarray:
    """What each corner of a face gives to each corner of its part, (4, 4)."""
    s, t = np.array((s0, s1, s1, s0)), np.array((t0, t0, t1, t1))
    return np.stack(((1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t), axis=1)
