"""Random changes of a frame and its mask, drawn once for both; torchvision does the work."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from swiftseg.recipes.recipe import Augmentation

# torchvision blurs with a kernel of fixed size: 5 pixels hold a Gaussian of radius 1.
BLUR_KERNEL, BLUR_RADIUS = 5, (0.1, 1.0)
# An hour after sunset there is a tenth of the light that a camera's exposure still makes up for.
DUSK_EXPOSURE, DUSK_TINT, DUSK_NOISE = (0.1, 0.5), 0.25, 0.04
DISPLAY_GAMMA = 2.2

Fill = dict[type | str, Any]


class Augment:
    """Applies a recipe's augmentation."""

    def __init__(
        self, settings: Augmentation, size_hw: tuple[int, int], *, ignore_index: int
    ) -> None:
        # The mean of 8 bits outside the frame would be learned as a class of its own; black, as
        # the papers pad, is ignored by the mask.
        fill: Fill = {tv_tensors.Image: 0, tv_tensors.Mask: ignore_index}
        moves = geometry(settings, size_hw, fill, ignore_index=ignore_index)
        self.transform = v2.Compose([*moves, *colors(settings)])

    def __call__(self, image: Tensor, mask: Tensor, seed: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Change one frame on the device where it is.

        Args:
            image: uint8 (H, W, 3).
            mask: uint8 (H, W), on the same device.
            seed: Whatever names this draw, such as (run, stage, epoch, frame). The draw depends on
                nothing else, so that workers and resumed runs see the same, and is made on the CPU
                for all devices.

        Returns:
            uint8 (h, w, 3) and (h, w), the crop's size.
        """
        picture = tv_tensors.Image(image.permute(2, 0, 1))
        with torch.random.fork_rng(devices=[]):
            # Not torch.manual_seed, which would reseed the GPUs that draw the network's dropout.
            torch.default_generator.manual_seed(hash(tuple(seed)))
            picture, truth = self.transform(picture, tv_tensors.Mask(mask))
        return picture.as_subclass(Tensor).permute(1, 2, 0), truth.as_subclass(Tensor)


class PadTo(v2.Transform):
    """Pads what is smaller than `size_hw` to it, the frame anywhere inside.

    `v2.RandomCrop` would pad both sides by all that is missing and cut the frame afterwards.
    """

    def __init__(self, size_hw: tuple[int, int], fill: Fill) -> None:
        super().__init__()
        self.size_hw = size_hw
        self.fill = fill

    def make_params(self, flat_inputs: list[Any]) -> dict[str, list[int]]:
        height, width = v2.query_size(flat_inputs)
        missing = max(self.size_hw[0] - height, 0), max(self.size_hw[1] - width, 0)
        top, left = (int(torch.randint(0, m + 1, ())) for m in missing)
        return {"padding": [left, top, missing[1] - left, missing[0] - top]}

    def transform(self, inpt: Tensor, params: dict[str, list[int]]) -> Tensor:
        return v2.functional.pad(inpt, params["padding"], fill=self.fill[type(inpt)])


class BalancedCrop(v2.Transform):
    """Crops around a pixel of a class that is drawn from those in the mask, with `probability`.

    Else, and where the mask has no class, the crop lies anywhere. The pixel is drawn from all of
    its class, and is in the crop's middle unless it is near the border.
    """

    def __init__(self, size_hw: tuple[int, int], probability: float, ignore_index: int) -> None:
        super().__init__()
        self.size_hw, self.probability, self.ignore_index = size_hw, probability, ignore_index

    def make_params(self, flat_inputs: list[Any]) -> dict[str, int]:
        [mask] = [inpt for inpt in flat_inputs if isinstance(inpt, tv_tensors.Mask)]
        room = mask.shape[0] - self.size_hw[0], mask.shape[1] - self.size_hw[1]
        classes = mask.unique().tolist()
        classes = [value for value in classes if value != self.ignore_index]
        if not classes or float(torch.rand(())) >= self.probability:
            top, left = (int(torch.randint(0, r + 1, ())) for r in room)
            return {"top": top, "left": left}
        pixels = (mask == classes[int(torch.randint(0, len(classes), ()))]).nonzero()
        row, column = pixels[int(torch.randint(0, len(pixels), ()))].tolist()
        top = min(max(row - self.size_hw[0] // 2, 0), room[0])
        left = min(max(column - self.size_hw[1] // 2, 0), room[1])
        return {"top": top, "left": left}

    def transform(self, inpt: Tensor, params: dict[str, int]) -> Tensor:
        return v2.functional.crop(inpt, params["top"], params["left"], *self.size_hw)


class ChannelNoise(v2.Transform):
    """Adds to each channel of an image a value of its own, of `deviation` in 0..1 (Fast-SCNN)."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def make_params(self, flat_inputs: list[object]) -> dict[str, Tensor]:
        return {"shift": torch.randn(3, 1, 1) * (255 * self.deviation)}

    def transform(self, inpt: Tensor, params: dict[str, Tensor]) -> Tensor:
        if not isinstance(inpt, tv_tensors.Image):
            return inpt
        noisy = (inpt.float() + params["shift"].to(inpt.device)).round().clamp(0, 255)
        return tv_tensors.Image(noisy.to(torch.uint8))


class LightChange(v2.Transform):
    """Changes an image's light as a camera's settings and the hour do, by one curve a channel.

    Args:
        gamma: The exponent of the curve is drawn between 1 / (1 + gamma) and 1 + gamma, evenly on
            a logarithmic scale.
        white_balance: Red is multiplied and blue divided by a gain drawn likewise.
        dusk: The probability that the frame is exposed `DUSK_EXPOSURE` of the light, in a warm or a
            cold tint, with noise of up to `DUSK_NOISE` of 255.
    """

    def __init__(self, gamma: float, white_balance: float, dusk: float) -> None:
        super().__init__()
        self.gamma, self.white_balance, self.dusk = gamma, white_balance, dusk

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        exponent, gain = drawn_factor(self.gamma), drawn_factor(self.white_balance)
        scale, noise = 1.0, 0.0
        if self.dusk and float(torch.rand(())) < self.dusk:
            darkest, lightest = DUSK_EXPOSURE
            exposure = darkest + (lightest - darkest) * float(torch.rand(()))
            scale = exposure ** (1 / DISPLAY_GAMMA)  # of linear light, as 8 bits hold it
            gain *= drawn_factor(DUSK_TINT)
            noise = DUSK_NOISE * float(torch.rand(()))
        levels = torch.linspace(0, 1, 256) ** exponent * scale
        gains = torch.tensor([gain, 1.0, 1 / gain])
        return {"curves": 255 * levels * gains[:, None], "noise": noise}

    def transform(self, inpt: Tensor, params: dict[str, Any]) -> Tensor:
        if not isinstance(inpt, tv_tensors.Image):
            return inpt
        curves = params["curves"].to(inpt.device)
        if not params["noise"]:
            curves = curves.round().clamp(0, 255).to(torch.uint8)
        channels = zip(curves, inpt.as_subclass(Tensor), strict=True)
        changed = torch.stack([curve[channel.int()] for curve, channel in channels])
        if params["noise"]:
            grain = torch.randn(changed.shape) * (255 * params["noise"])
            changed = (changed + grain.to(inpt.device)).round().clamp(0, 255).to(torch.uint8)
        return tv_tensors.Image(changed)


def drawn_factor(strength: float) -> float:
    """Draw a factor between 1 / (1 + strength) and 1 + strength, evenly on a logarithmic scale."""
    if not strength:
        return 1.0
    return (1 + strength) ** (2 * float(torch.rand(())) - 1)


def geometry(
    settings: Augmentation, size_hw: tuple[int, int], fill: Fill, *, ignore_index: int
) -> list[v2.Transform]:
    """Make the transforms that move pixels; they end in the crop's size."""
    crop_hw = settings.crop_hw or size_hw
    transforms: list[v2.Transform] = []
    if settings.scale != (1.0, 1.0) or settings.base_short_side:
        base = settings.base_short_side or min(size_hw)
        shortest, longest = (round(base * factor) for factor in settings.scale)
        transforms.append(v2.RandomResize(shortest, longest + 1, antialias=True))
    if settings.rotation_degrees:
        bilinear = v2.InterpolationMode.BILINEAR
        degrees = (-settings.rotation_degrees, settings.rotation_degrees)
        transforms.append(v2.RandomRotation(degrees, bilinear, fill=fill))
    transforms.append(PadTo(crop_hw, fill))
    if settings.class_balanced:
        transforms.append(BalancedCrop(crop_hw, settings.class_balanced, ignore_index))
    else:
        transforms.append(v2.RandomCrop(crop_hw))
    if settings.horizontal_flip:
        transforms.append(v2.RandomHorizontalFlip(settings.horizontal_flip))
    return transforms


def colors(settings: Augmentation) -> list[v2.Transform]:
    """Make the transforms that change colors."""
    transforms: list[v2.Transform] = []
    if settings.brightness or settings.contrast or settings.saturation or settings.hue:
        transforms.append(
            v2.ColorJitter(
                settings.brightness, settings.contrast, settings.saturation, settings.hue
            )
        )
    if settings.gamma or settings.white_balance or settings.dusk:
        transforms.append(LightChange(settings.gamma, settings.white_balance, settings.dusk))
    if settings.channel_noise:
        transforms.append(ChannelNoise(settings.channel_noise))
    if settings.blur:
        blur = v2.GaussianBlur(BLUR_KERNEL, BLUR_RADIUS)
        transforms.append(v2.RandomApply([blur], settings.blur))
    return transforms
