"""A recipe's augmentation for a whole batch on the device where its frames lie.

`swiftseg.training.augmentation` changes one frame after another with torchvision; a GPU that takes
a step in milliseconds would wait for it. Here one affine map a frame does all that moves pixels.
The draws are the same in kind, not one by one:

- Resizing averages 2x2 bilinear samples a pixel, which stands for torchvision's antialiasing.
- A turned frame keeps the corners that torchvision would cut off before it crops.
- Brightness, contrast and saturation follow in this order, not in a drawn one.

Frames of several sizes lie in the top left corners of images of one size.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from swiftseg.recipes.recipe import Augmentation
from swiftseg.training.augmentation import (
    DISPLAY_GAMMA,
    DUSK_EXPOSURE,
    DUSK_NOISE,
    DUSK_TINT,
)

SAMPLES = 2  # a pixel and axis
GRAY = (0.2989, 0.587, 0.114)  # torchvision's
BLUR_RADIUS = 0.1, 1.0  # in pixels; the kernel has 5


class BatchAugment:
    """Draws crops of frames and their masks.

    Args:
        recipe: What to draw.
        size_hw: The network's input, the size of a crop unless the recipe names another.
        ignore_index: The mask value of what lies outside the frame.
        device: Where the frames are.
        seed: Of all draws.

    Raises:
        ValueError: The recipe asks for what is not done here.
    """

    def __init__(
        self,
        recipe: Augmentation,
        size_hw: tuple[int, int],
        *,
        ignore_index: int,
        device: torch.device,
        seed: int,
    ) -> None:
        if recipe.hue or recipe.class_balanced:
            raise ValueError("hue and class_balanced are not drawn in batches")
        self.recipe, self.ignore_index = recipe, ignore_index
        self.crop_hw = recipe.crop_hw or size_hw
        self.base = recipe.base_short_side or min(size_hw)
        self.resizes = recipe.scale != (1.0, 1.0) or recipe.base_short_side is not None
        self.draws = torch.Generator(device).manual_seed(seed)

    def __call__(self, images: Tensor, masks: Tensor, frame_hw: Tensor) -> tuple[Tensor, Tensor]:
        """Change images uint8 (N, H, W, 3) and masks uint8 (N, H, W): the same kinds, cropped.

        `frame_hw`, float (N, 2), are the sizes of the frames in them.
        """
        whole_hw = images.shape[1], images.shape[2]
        maps = self.affine_maps(frame_hw)
        height, width = self.crop_hw
        grid = F.affine_grid(maps, [len(images), 1, height, width], align_corners=False)
        inside = (grid.abs() <= 1).all(dim=-1)  # (N, h, w)
        fine_hw = [len(images), 1, SAMPLES * height, SAMPLES * width]
        fine_grid = F.affine_grid(maps, fine_hw, align_corners=False)
        planes = images.permute(0, 3, 1, 2).float()  # (N, 3, H, W)
        fine_grid = within_images(fine_grid, frame_hw, whole_hw)
        samples = F.grid_sample(planes, fine_grid, align_corners=False)
        crops = F.avg_pool2d(samples, SAMPLES)  # (N, 3, h, w)
        grid = within_images(grid, frame_hw, whole_hw)
        labels = F.grid_sample(masks[:, None].float(), grid, "nearest", align_corners=False)[:, 0]
        crops = self.recolored(crops * inside[:, None]).round().clamp(0, 255).to(torch.uint8)
        masks = torch.where(inside, labels.to(torch.uint8), self.ignore_index)
        return crops.permute(0, 2, 3, 1).contiguous(), masks.to(torch.uint8)

    def affine_maps(self, frame_hw: Tensor) -> Tensor:
        """Draw maps (N, 2, 3) from a crop's coordinates to those of frames (N, 2), all -1..1."""
        height, width = frame_hw.unbind(1)
        count, device = len(frame_hw), frame_hw.device
        crop_height, crop_width = self.crop_hw
        recipe = self.recipe
        scale = torch.ones(count, device=device)
        if self.resizes:
            scale = self.uniform(count, *recipe.scale, device=device)
            scale = scale * self.base / frame_hw.min(1).values
        # What a scaled frame has over the crop is negative where the crop is padded.
        top = (self.uniform(count, 0, 1, device=device) * (height * scale - crop_height)).round()
        left = (self.uniform(count, 0, 1, device=device) * (width * scale - crop_width)).round()
        mirrored = self.uniform(count, 0, 1, device=device) < recipe.horizontal_flip
        degrees = recipe.rotation_degrees
        angle = self.uniform(count, -degrees, degrees, device=device) * (math.pi / 180)
        # A crop's point, from the middle of the scaled frame: a factor and a shift an axis.
        x = torch.where(mirrored, -crop_width / 2, crop_width / 2)
        x_shift = crop_width / 2 + left - width * scale / 2
        y, y_shift = crop_height / 2, crop_height / 2 + top - height * scale / 2
        cos, sin = angle.cos(), angle.sin()
        to_x, to_y = 2 / (scale * width), 2 / (scale * height)
        rows = (
            torch.stack((cos * x, -sin * y, cos * x_shift - sin * y_shift), dim=1) * to_x[:, None],
            torch.stack((sin * x, cos * y, sin * x_shift + cos * y_shift), dim=1) * to_y[:, None],
        )
        return torch.stack(rows, dim=1)

    def recolored(self, crops: Tensor) -> Tensor:
        """Change the colors of crops float (N, 3, h, w), 0..255."""
        recipe, count = self.recipe, len(crops)
        if recipe.brightness:
            crops = (crops * self.factor(recipe.brightness, crops)).clamp(0, 255)
        if recipe.contrast:
            mean = gray(crops).mean(dim=(1, 2, 3), keepdim=True)
            crops = blend(crops, mean, self.factor(recipe.contrast, crops))
        if recipe.saturation:
            crops = blend(crops, gray(crops), self.factor(recipe.saturation, crops))
        if recipe.gamma or recipe.white_balance or recipe.dusk:
            crops = self.relit(crops)
        if recipe.channel_noise:
            noise = torch.randn(count, 3, 1, 1, generator=self.draws, device=crops.device)
            crops = (crops + noise * (255 * recipe.channel_noise)).clamp(0, 255)
        if recipe.blur:
            chosen = self.uniform(count, 0, 1, device=crops.device) < recipe.blur
            radius = self.uniform(count, *BLUR_RADIUS, device=crops.device)
            crops = torch.where(chosen[:, None, None, None], blurred(crops, radius), crops)
        return crops

    def relit(self, crops: Tensor) -> Tensor:
        """Change the light of crops float (N, 3, h, w), as `LightChange` does."""
        recipe, count, device = self.recipe, len(crops), crops.device
        exponent, gain = (
            self.ratio(s, count, device) for s in (recipe.gamma, recipe.white_balance)
        )
        dark = self.uniform(count, 0, 1, device=device) < recipe.dusk
        exposure = self.uniform(count, *DUSK_EXPOSURE, device=device) ** (1 / DISPLAY_GAMMA)
        scale = torch.where(dark, exposure, 1.0)
        gain = torch.where(dark, gain * self.ratio(DUSK_TINT, count, device), gain)
        gains = torch.stack((gain, torch.ones_like(gain), 1 / gain), dim=1) * scale[:, None]
        curved = (crops / 255).clamp(0, 1) ** exponent[:, None, None, None]
        noise = torch.where(dark, self.uniform(count, 0, DUSK_NOISE, device=device), 0.0)
        grain = torch.randn(crops.shape, generator=self.draws, device=device)
        grain = grain * noise[:, None, None, None]
        return (255 * (curved * gains[..., None, None] + grain)).clamp(0, 255)

    def ratio(self, strength: float, count: int, device: torch.device) -> Tensor:
        """Draw factors between 1 / (1 + strength) and 1 + strength, evenly in logarithm: (N,)."""
        return (1 + strength) ** self.uniform(count, -1, 1, device=device)

    def factor(self, strength: float, crops: Tensor) -> Tensor:
        """Draw one factor a crop, as torchvision's `ColorJitter` does: (N, 1, 1, 1)."""
        low = max(0.0, 1 - strength)
        return self.uniform(len(crops), low, 1 + strength, device=crops.device)[:, None, None, None]

    def uniform(self, count: int, low: float, high: float, *, device: torch.device) -> Tensor:
        return torch.rand(count, generator=self.draws, device=device) * (high - low) + low


def within_images(grid: Tensor, frame_hw: Tensor, whole_hw: tuple[int, int]) -> Tensor:
    """Turn places (N, h, w, 2) of frames into places of the images that hold them.

    What lies outside a frame takes its border's pixels.
    """
    axes = zip(grid.unbind(-1), frame_hw.flip(1).unbind(1), reversed(whole_hw), strict=True)
    return torch.stack([within_axis(*axis) for axis in axes], dim=-1)


def within_axis(places: Tensor, sizes: Tensor, whole: int) -> Tensor:
    sizes = sizes[:, None, None]
    border = 1 - 1 / sizes
    return (places.clamp(-border, border) + 1) * sizes / whole - 1


def gray(crops: Tensor) -> Tensor:
    """Return the brightness of crops (N, 3, h, w) as (N, 1, h, w)."""
    red, green, blue = crops.split(1, dim=1)
    return GRAY[0] * red + GRAY[1] * green + GRAY[2] * blue


def blend(crops: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    return (factor * crops + (1 - factor) * other).clamp(0, 255)


def blurred(crops: Tensor, radius: Tensor) -> Tensor:
    """Blur crops (N, 3, h, w) by Gaussians of 5x5 with the deviations `radius` (N,)."""
    places = torch.arange(-2, 3, device=crops.device)
    weights = (-(places**2) / (2 * radius[:, None] ** 2)).exp()  # (N, 5)
    weights = (weights / weights.sum(1, keepdim=True))[..., None, None, None]
    height, width = crops.shape[-2:]
    padded = F.pad(crops, (0, 0, 2, 2), mode="reflect")
    rows = sum(weights[:, k] * padded[..., k : k + height, :] for k in range(5))
    padded = F.pad(torch.as_tensor(rows), (2, 2, 0, 0), mode="reflect")
    return torch.as_tensor(sum(weights[:, k] * padded[..., k : k + width] for k in range(5)))
