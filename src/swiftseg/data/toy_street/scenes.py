"""Scenes and clips of the toy street as samples."""

from collections.abc import Sequence
from typing import overload

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from swiftseg.core import LabelSet, Sample, SwiftsegError, unknown_name
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.data.toy_street.backdrop import noise_at, paint_backdrop
from swiftseg.data.toy_street.camera import Camera, paint
from swiftseg.data.toy_street.mesh import BUILDING, gather
from swiftseg.data.toy_street.world import World, draw_world

SIZE_HW = (192, 256)
FRAMES_PER_SECOND = 12
SPLITS = {"train": 0, "val": 1, "test": 2}
CLIP_STREAM = 3
DRIVE_SPEED = 5.0


class ToyStreet(Sequence[Sample]):
    """Single scenes, each a street of its own; a scene depends on split, seed and index alone.

    Args:
        split: train, val or test; no two share a scene.
        length: The number of scenes.
        size_hw: Height and width in pixels.
        seed: Another seed gives other scenes.

    Raises:
        UsageError: The split is none of the three.
        SwiftsegError: The length or the size is not positive.
    """

    def __init__(
        self, split: str, length: int, size_hw: tuple[int, int] = SIZE_HW, seed: int = 0
    ) -> None:
        if split not in SPLITS:
            raise unknown_name("toy street split", split, SPLITS)
        if length < 1:
            raise SwiftsegError(f"expected one scene at least, got a length of {length}")
        check_size(size_hw)
        self.split = split
        self.length = length
        self.size_hw = size_hw
        self.seed = seed

    @property
    def labels(self) -> LabelSet:
        """CamVid's classes, void among the mask's values."""
        return CAMVID_LABELS

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.length))]
        if not -self.length <= index < self.length:
            raise IndexError(f"scene {index} of {self.length}")
        index %= self.length
        rng = np.random.default_rng((SPLITS[self.split], self.seed, index))
        world = draw_world(rng, self.size_hw, 0.0, speed=0.0)
        return render(world, 0.0, rng, f"{self.split}_{self.seed}_{index:05d}")


def render_clip(seed: int, num_frames: int, size_hw: tuple[int, int] = SIZE_HW) -> list[Sample]:
    """Render a drive down one street at 12 frames a second.

    Clips share no street with any `ToyStreet`.

    Raises:
        SwiftsegError: The number of frames or the size is not positive.
    """
    if num_frames < 1:
        raise SwiftsegError(f"expected one frame at least, got {num_frames}")
    check_size(size_hw)
    rng = np.random.default_rng((CLIP_STREAM, seed))
    world = draw_world(rng, size_hw, num_frames / FRAMES_PER_SECOND, speed=DRIVE_SPEED)
    return [
        render(world, frame / FRAMES_PER_SECOND, rng, f"clip_{seed}_{frame:05d}")
        for frame in range(num_frames)
    ]


def check_size(size_hw: tuple[int, int]) -> None:
    if len(size_hw) != 2 or min(size_hw) < 1:
        raise SwiftsegError(f"expected a size as (height, width), got {size_hw}")


def render(world: World, seconds: float, rng: np.random.Generator, name: str) -> Sample:
    """Render the world at a moment; `rng` draws the sensor's noise only."""
    camera = world.camera_at(seconds)
    rays = camera.rays()
    placed = world.visible(seconds)
    backdrop = paint_backdrop(rays, camera, world.light, world.layout, world.shadows(placed))
    canvas = Image.fromarray(backdrop)
    paint(ImageDraw.Draw(canvas), gather(placed), camera, world.light)
    painted = np.asarray(canvas)
    mask = painted[..., 3].copy()
    colors = roughen(painted[..., :3], mask, rays, camera, world.layout.facade_m)
    return Sample(name=name, image=sense(colors, rng), mask=mask)


def roughen(
    colors: np.ndarray, mask: np.ndarray, rays: np.ndarray, camera: Camera, facade_m: float
) -> np.ndarray:
    """Return walls a rough plaster that stays on them as the camera moves; uint8 (H, W, 3)."""
    rows, columns = np.nonzero(mask == BUILDING)
    across, up, ahead = rays[rows, columns].T
    wall_x = np.where(across < 0, -facade_m, facade_m) - camera.x
    reach = np.minimum(wall_x / np.where(np.abs(across) < 1e-3, 1e-3, across), 60.0)
    grain = noise_at((camera.z + reach * ahead) * 9, (camera.height + reach * up) * 9)
    fading = np.clip(1.1 - reach / 40, 0.2, 1)
    rough = colors.copy()
    scale = 1 + 0.5 * grain * fading
    rough[rows, columns] = np.clip(colors[rows, columns] * scale[:, None], 0, 255)
    return rough


def sense(colors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the sensor makes of it: slight blur, vignetting and noise; uint8 (H, W, 3)."""
    height, width = colors.shape[:2]
    blur = rng.uniform(0.15, 0.55) * max(height, width) / 320
    soft = np.asarray(Image.fromarray(colors).filter(ImageFilter.GaussianBlur(blur)))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)
    vignette = (1 - 0.1 * (x * x + y * y))[..., None]
    noise = rng.standard_normal((height, width, 3), dtype=np.float32)
    noisy = soft * vignette + noise * np.float32(rng.uniform(1.0, 5.0))
    return np.clip(noisy, 0, 255).astype(np.uint8)
