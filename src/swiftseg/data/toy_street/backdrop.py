"""What is painted before anything stands: sky, ground, shadows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from swiftseg.data.toy_street.camera import Camera, cut_near
from swiftseg.data.toy_street.light import Light, hazed
from swiftseg.data.toy_street.mesh import ROAD, SIDEWALK, SKY, TREE

NOISE_SIZE = 256
HORIZON_M = 400.0


@dataclass(frozen=True)
class Layout:
    """The street's plan and its surfaces.

    Attributes:
        road_half_m: From the middle of the road to the curb.
        verge_m: Width of a strip of grass between curb and sidewalk; often 0.
        crossings: (first, last) z of each side street, in meters.
        asphalt, paving, grass, curb: RGB in 0..255.
        cobbles: The road is paved with setts.
        dash_m: Length of the middle line's dashes and gaps.
        clouds: (12, 12) coarse noise in 0..1.
    """

    road_half_m: float
    walk_m: float
    verge_m: float
    crossings: Sequence[tuple[float, float]]
    asphalt: np.ndarray
    paving: np.ndarray
    grass: np.ndarray
    curb: np.ndarray
    tile_m: float
    cobbles: bool
    dash_m: float
    clouds: np.ndarray

    @property
    def facade_m(self) -> float:
        """From the middle of the road to where buildings and gardens begin."""
        return self.road_half_m + self.verge_m + self.walk_m

    def in_crossing(self, z: float) -> bool:
        return any(first <= z <= last for first, last in self.crossings)


def paint_sky(rays: np.ndarray, light: Light, layout: Layout) -> np.ndarray:
    """Sky colors float32 (H, W, 3): a gradient, clouds, a glow around the sun."""
    steepness = np.clip(rays[..., 1] * 2.2, 0, 1)[..., None]
    horizon, zenith = light.horizon.astype(np.float32), light.zenith.astype(np.float32)
    sky = horizon + (zenith - horizon) * steepness
    height, width = rays.shape[:2]
    cover = Image.fromarray((layout.clouds * 255).astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    cover = np.asarray(cover, dtype=np.float32)[..., None] / 255 - 1 + 0.85 * light.cloudiness
    cloud = np.minimum(horizon * 1.06, 255)
    sky += (cloud - sky) * np.clip(cover * 3, 0, 0.85)
    norm = np.sqrt((rays**2).sum(axis=-1))
    near_sun = np.clip(rays @ light.sun_direction.astype(np.float32) / norm, 0, 1) ** 40
    return sky + near_sun[..., None] * (255 * light.sun.astype(np.float32))


def paint_ground(
    rays: np.ndarray, camera: Camera, light: Light, layout: Layout
) -> tuple[np.ndarray, np.ndarray]:
    """Colors float32 (H, W, 3) and classes uint8 (H, W) of the ground under downward rays."""
    reach = np.minimum(camera.height / np.maximum(-rays[..., 1], 1e-4), HORIZON_M)
    ahead = reach * rays[..., 2]
    x = camera.x + reach * rays[..., 0] - np.float32(camera.bend) * ahead**2
    z = camera.z + ahead
    labels = ground_labels(x, z, layout)
    table = np.zeros((12, 3), dtype=np.float32)
    table[ROAD], table[SIDEWALK], table[TREE] = layout.asphalt, layout.paving, layout.grass
    colors = table[labels]
    sharpness = np.clip(1.2 - reach / 30, 0, 1)
    colors *= (1 + ground_grain(x, z, labels) * (0.25 + 0.75 * sharpness))[..., None]
    colors *= (1 - slab_joints(x, z, labels, layout) * sharpness * 0.2)[..., None]
    curb = (np.abs(np.abs(x) - layout.road_half_m - 0.1) < 0.1) & (labels != ROAD)
    colors[curb] = layout.curb
    white = lane_marks(x, z, layout) & (labels == ROAD)
    colors[white] = colors[white] * 0.25 + 165
    return colors, labels


def ground_labels(x: np.ndarray, z: np.ndarray, layout: Layout) -> np.ndarray:
    """Classes uint8 (H, W) at places of the plan: road, grass, sidewalk, and gardens of grass."""
    across = np.abs(x)
    walk_from = layout.road_half_m + layout.verge_m
    labels = np.full(x.shape, SIDEWALK, dtype=np.uint8)
    labels[across > layout.facade_m] = TREE
    labels[(across > layout.road_half_m + 0.2) & (across < walk_from)] = TREE
    labels[across < layout.road_half_m] = ROAD
    for first, last in layout.crossings:
        corner = (z > first - layout.walk_m) & (z < last + layout.walk_m)
        labels[corner & (across > layout.road_half_m)] = SIDEWALK
        labels[(z > first) & (z < last)] = ROAD
    return labels


def ground_grain(x: np.ndarray, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Noise fixed to the ground, about -0.4..0.4; grass is the roughest."""
    roughness = np.where(labels == TREE, np.float32(1.5), np.float32(0.75))
    return noise_at(x * 11, z * 11) * roughness


def slab_joints(x: np.ndarray, z: np.ndarray, labels: np.ndarray, layout: Layout) -> np.ndarray:
    """Whether a joint between slabs or setts runs through each place (H, W)."""
    size = np.where(labels == ROAD, np.float32(0.4), np.float32(layout.tile_m))
    paved = (labels == SIDEWALK) | ((labels == ROAD) & layout.cobbles)
    return paved & ((np.mod(x, size) < 0.09 * size + 0.02) | (np.mod(z, size) < 0.12 * size + 0.02))


def lane_marks(x: np.ndarray, z: np.ndarray, layout: Layout) -> np.ndarray:
    """Whether white paint lies at each place (H, W): middle dashes, edges, zebra crossings."""
    across = np.abs(x)
    dashes = (across < 0.09) & (np.mod(z, 2 * layout.dash_m) < layout.dash_m)
    marks = dashes | (np.abs(across - layout.road_half_m + 0.35) < 0.06)
    if layout.cobbles:
        marks[:] = False
    for first, last in layout.crossings:
        marks &= (z < first) | (z > last)
        stripes = np.mod(x, 1.1) < 0.55
        marks |= stripes & (across < layout.road_half_m - 0.3) & (np.abs(z - first + 2.4) < 1.4)
    return marks


@cache
def noise_table() -> np.ndarray:
    """Tileable noise of grains and patches, float32 (NOISE_SIZE, NOISE_SIZE) in -0.5..0.5.

    It is the same in every run.
    """
    rng = np.random.default_rng(1)
    noise = np.zeros((NOISE_SIZE, NOISE_SIZE))
    for blur, strength in ((0.5, 0.1), (2.5, 0.08), (10.0, 0.08)):
        octave = Image.fromarray(rng.normal(128, 40, noise.shape).clip(0, 255).astype(np.uint8))
        wrapped = np.tile(np.asarray(octave), (3, 3))
        soft = Image.fromarray(wrapped).filter(ImageFilter.GaussianBlur(blur))
        values = np.asarray(soft, dtype=np.float64)[NOISE_SIZE:-NOISE_SIZE, NOISE_SIZE:-NOISE_SIZE]
        noise += strength * (values - values.mean()) / values.std()
    return np.clip(noise, -0.5, 0.5).astype(np.float32)


def noise_at(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Look the noise up at texel coordinates of any range."""
    mask = NOISE_SIZE - 1
    return noise_table()[v.astype(np.int32) & mask, u.astype(np.int32) & mask]


def shadow_map(outlines: Sequence[np.ndarray], camera: Camera) -> np.ndarray:
    """How much each pixel lies in shadow, float32 (H, W) in 0..1, were it ground."""
    height, width = camera.size_hw
    canvas = Image.new("L", (width, height))
    draw = ImageDraw.Draw(canvas)
    for outline in outlines:
        corners = cut_near(camera.to_view(outline))
        if len(corners) >= 3:
            draw.polygon(camera.to_pixels(corners).ravel().tolist(), fill=255)
    soft = canvas.filter(ImageFilter.BoxBlur(0.6 * width / 320))
    return np.asarray(soft, dtype=np.float32) / 255


def paint_backdrop(
    rays: np.ndarray,
    camera: Camera,
    light: Light,
    layout: Layout,
    shadows: Sequence[np.ndarray],
) -> np.ndarray:
    """Sky and ground as uint8 (H, W, 4): RGB and class."""
    is_ground = rays[..., 1] < -1e-3
    sky_rows = int(np.flatnonzero(~is_ground.all(axis=1))[-1]) + 1 if not is_ground.all() else 0
    first_row = int(np.argmax(is_ground.any(axis=1))) if is_ground.any() else len(rays)
    canvas = np.empty((*camera.size_hw, 4), dtype=np.uint8)
    canvas[..., 3] = SKY
    if sky_rows:
        canvas[:sky_rows, :, :3] = np.clip(paint_sky(rays[:sky_rows], light, layout), 0, 255)
    if first_row == len(rays):
        return canvas
    low = rays[first_row:]
    colors, labels = paint_ground(low, camera, light, layout)
    sunlit = 1 - light.shadow * shadow_map(shadows, camera)[first_row:, :, None]
    glare = light.ambient + light.sun * max(float(light.sun_direction[1]), 0.25)
    colors *= glare.astype(np.float32) * sunlit
    depth = camera.height / np.maximum(-low[..., 1], 1e-4)
    colors = np.clip(hazed(colors, np.minimum(depth, HORIZON_M), light), 0, 255)
    is_ground = is_ground[first_row:]
    canvas[first_row:, :, :3][is_ground] = colors[is_ground]
    canvas[first_row:, :, 3][is_ground] = labels[is_ground]
    return canvas
