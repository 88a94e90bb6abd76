"""The pinhole camera that drives down the street, and the painting of faces as it sees them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PIL import ImageDraw

from swiftseg.data.toy_street.light import Light, hazed
from swiftseg.data.toy_street.mesh import Faces

NEAR_M = 0.4


@dataclass(frozen=True)
class Camera:
    """Where the camera is, where it looks and what its sensor is.

    Attributes:
        x, height, z: Position in meters.
        yaw, pitch, roll: Radians; pitch is positive looking down.
        bend: The street's curve: x shifts by bend * depth**2 (1/m).
        focal: In widths of the longer image side.
        size_hw: Pixels.
    """

    x: float
    height: float
    z: float
    yaw: float
    pitch: float
    roll: float
    bend: float
    focal: float
    size_hw: tuple[int, int]

    @cached_property
    def focal_px(self) -> float:
        return self.focal * max(self.size_hw)

    @cached_property
    def rotation(self) -> np.ndarray:
        """From street axes to camera axes (3, 3)."""
        cos, sin = (
            np.cos((self.yaw, self.pitch, self.roll)),
            np.sin((self.yaw, self.pitch, self.roll)),
        )
        yaw = np.array(((cos[0], 0, -sin[0]), (0, 1, 0), (sin[0], 0, cos[0])))
        pitch = np.array(((1, 0, 0), (0, cos[1], sin[1]), (0, -sin[1], cos[1])))
        roll = np.array(((cos[2], sin[2], 0), (-sin[2], cos[2], 0), (0, 0, 1)))
        return roll @ pitch @ yaw

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """Turn street points (P, 3) into camera axes (P, 3), z being the depth."""
        relative = points - (self.x, 0.0, self.z)
        relative[:, 0] += self.bend * relative[:, 2] ** 2
        relative[:, 1] -= self.height
        return relative @ self.rotation.T

    def to_pixels(self, view: np.ndarray) -> np.ndarray:
        """Project camera points (P, 3) in front of the camera to (column, row) (P, 2)."""
        height, width = self.size_hw
        scale = self.focal_px / view[:, 2:]
        return view[:, :2] * scale * (1, -1) + ((width - 1) / 2, (height - 1) / 2)

    def rays(self) -> np.ndarray:
        """The direction each pixel looks in, in street axes: float32 (H, W, 3)."""
        height, width = self.size_hw
        columns = (np.arange(width, dtype=np.float32) - (width - 1) / 2) / self.focal_px
        rows = ((height - 1) / 2 - np.arange(height, dtype=np.float32)) / self.focal_px
        across, up, ahead = self.rotation.astype(np.float32)
        return columns[:, None] * across + rows[:, None, None] * up + ahead

    def moved(self, x: float, z: float, yaw: float, pitch: float) -> "Camera":
        """Return the camera elsewhere on its drive."""
        return replace(self, x=x, z=z, yaw=yaw, pitch=pitch)


def paint(draw: ImageDraw.ImageDraw, faces: Faces, camera: Camera, light: Light) -> None:
    """Paint faces in their order on an RGBA canvas whose fourth channel is the class.

    Color and class of a pixel are written by one stroke, so they never disagree.
    """
    view = camera.to_view(faces.points)
    depth = view[:, 2]
    seen = facing(faces, view) | faces.two_sided
    farthest = np.maximum.reduceat(depth, faces.starts)
    whole = np.minimum.reduceat(depth, faces.starts) > NEAR_M
    corners = camera.to_pixels(np.where(depth[:, None] > NEAR_M, view, (0.0, 0.0, NEAR_M)))
    wanted = seen & (farthest > NEAR_M) & (~whole | on_screen(faces, corners, camera.size_hw))
    inks = shaded(faces, depth, light)
    flat = corners.ravel().tolist()
    chosen = np.flatnonzero(wanted)
    bounds = np.stack((faces.starts[chosen], faces.counts[chosen], whole[chosen]), axis=1).tolist()
    for (start, count, is_whole), ink in zip(bounds, inks[chosen].tolist(), strict=True):
        if is_whole:
            outline = flat[2 * start : 2 * (start + count)]
        else:
            outline = camera.to_pixels(cut_near(view[start : start + count])).ravel().tolist()
        draw.polygon(outline, fill=tuple(ink))


def facing(faces: Faces, view: np.ndarray) -> np.ndarray:
    """Whether each face (K,) shows the side on which its corners run counterclockwise."""
    first = view[faces.starts]
    normal = np.cross(view[faces.starts + 1] - first, view[faces.starts + 2] - first)
    return np.einsum("kc,kc->k", normal, first) > 0


def on_screen(faces: Faces, corners: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Whether each face (K,) can touch a pixel and is worth one: over 0.4 pixels high and wide."""
    low = np.minimum.reduceat(corners, faces.starts)
    high = np.maximum.reduceat(corners, faces.starts)
    inside = np.all(high >= 0, axis=1) & np.all(low < size_hw[::-1], axis=1)
    return np.logical_and(inside, np.all(high - low > 0.4, axis=1))


def shaded(faces: Faces, depth: np.ndarray, light: Light) -> np.ndarray:
    """The ink of each face: lit color after haze, and class, uint8 (K, 4)."""
    first = faces.points[faces.starts]
    inward = np.cross(
        faces.points[faces.starts + 1] - first, faces.points[faces.starts + 2] - first
    )
    inward /= np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-9)
    toward_sun = np.where(faces.two_sided, 0.6, np.maximum(-(inward @ light.sun_direction), 0))
    lit = faces.colors * (light.ambient + light.sun * toward_sun[:, None])
    lit[faces.glow] = faces.colors[faces.glow]
    mean_depth = np.add.reduceat(depth, faces.starts) / faces.counts
    colors = hazed(lit, mean_depth, light)
    return np.column_stack((np.clip(colors, 0, 255), faces.labels)).astype(np.uint8)


def cut_near(corners: np.ndarray) -> np.ndarray:
    """Cut off what of a polygon (n, 3) in camera axes is nearer than the near plane."""
    kept: list[np.ndarray] = []
    for here, there in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if here[2] > NEAR_M:
            kept.append(here)
        if (here[2] > NEAR_M) != (there[2] > NEAR_M):
            share = (NEAR_M - here[2]) / (there[2] - here[2])
            kept.append(here + share * (there - here))
    return np.array(kept)
