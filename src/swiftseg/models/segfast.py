"""SegFast: A Faster SqueezeNet based Semantic Image Segmentation Technique.

Pal, Jaiswal, Ghosh, Das, Nasipuri, ICVGIP 2018: `segfast`, and `segfast_basic` with ordinary in
place of depthwise-separable convolutions. The paper gives the block structure; the widths are
those of SqueezeNet 1.1, which alone come within 0.1 % of both published parameter counts (603,288
and 2,965,976 at 22 classes; here 603,734 and 2,966,742).

Variants, all three by the same names:

- `paper`: batch normalization only before the convolutions of a spark module and inside a
  separable convolution, as the text says.
- `post_bn`: normalization after every convolution instead, with ReLU between depthwise and
  pointwise as well; none around the transposed convolutions.
- `release`: the network of the authors' later code, which has other widths and sparks in its
  decoder; each convolution is followed by normalization and ReLU, and the last upsampling aligns
  corners.

Deviation: where a skip has an odd size, the upsampled map is padded with zeros at its right and
bottom to meet it, as the authors' later code does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.layers.resizing import pad_to, require_image_size, upsample_to

Variant = Literal["paper", "post_bn", "release"]

# Of each stage of the encoder, squeeze and expansion widths of its spark modules.
SQUEEZENET_SPARKS = (
    ((16, 64), (16, 64)),
    ((32, 128), (32, 128)),
    ((48, 192), (48, 192), (64, 256), (64, 256)),
)
RELEASE_SPARKS = (
    ((32, 64), (32, 64)),
    ((64, 128), (64, 128)),
    ((128, 256), (128, 256)),
)

SMALLEST_HW = (15, 15)  # the first convolution gives 8x8, which three poolings leave 1x1


def segfast(num_classes: int, *, variant: Variant = "paper") -> "SegFast":
    """SegFast, of depthwise-separable convolutions: 602,304 + 65 C parameters."""
    return SegFast(num_classes, separable=True, variant=variant)


def segfast_basic(num_classes: int, *, variant: Variant = "paper") -> "SegFast":
    """SegFast-Basic, of ordinary convolutions: 2,965,312 + 65 C parameters."""
    return SegFast(num_classes, separable=False, variant=variant)


class SegFast(nn.Module):
    """The whole network: `forward` gives logits (N, C, H, W) at the input's size.

    `separable` splits convolutions of more than one pixel into depthwise and pointwise; for
    `variant` see the module. The paper counts void as a class.
    """

    def __init__(self, num_classes: int, *, separable: bool, variant: Variant) -> None:
        super().__init__()
        if variant not in ("paper", "post_bn", "release"):
            raise ValueError(
                f"unknown SegFast variant {variant!r}; choose paper, post_bn or release"
            )
        release = variant == "release"
        self.align_corners = release
        style = Convolutions(separable=separable, norm_last=variant != "paper")
        sparks = RELEASE_SPARKS if release else SQUEEZENET_SPARKS
        decoder_stage = release_decoder_stage if release else paper_decoder_stage
        self.encoder_1 = release_stem(style) if release else paper_stem(style)
        self.encoder_2 = spark_stage(64, sparks[0], style)
        self.encoder_3 = spark_stage(128, sparks[1], style)
        self.encoder_4 = spark_stage(256, sparks[2], style)
        self.decoder_3 = decoder_stage(512, 256, style)
        self.decoder_2 = decoder_stage(256, 128, style)
        self.decoder_1 = decoder_stage(128, 64, style)
        self.classifier = nn.Conv2d(64, num_classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        require_image_size(image, SMALLEST_HW)
        skip_1 = self.encoder_1(image)  # (N, 64, H/2, W/2)
        skip_2 = self.encoder_2(F.avg_pool2d(skip_1, 2))  # (N, 128, H/4, W/4)
        skip_3 = self.encoder_3(F.avg_pool2d(skip_2, 2))  # (N, 256, H/8, W/8)
        x = self.encoder_4(F.avg_pool2d(skip_3, 2))  # (N, 512, H/16, W/16)
        x = self.decoder_3(x, skip_3)  # (N, 256, H/8, W/8)
        x = self.decoder_2(x, skip_2)  # (N, 128, H/4, W/4)
        x = self.decoder_1(x, skip_1)  # (N, 64, H/2, W/2)
        return upsample_to(self.classifier(x), image.shape[-2:], align_corners=self.align_corners)


@dataclass(frozen=True)
class Convolutions:
    """How a variant builds its convolutions.

    Attributes:
        separable: Depthwise and pointwise in place of one ordinary convolution.
        norm_last: Normalize what a convolution gives, rather than what a spark's one takes.
    """

    separable: bool
    norm_last: bool

    def conv_3x3(self, in_channels: int, channels: int, *, stride: int = 1) -> nn.Module:
        """A 3x3 convolution of either kind."""
        if not self.separable:
            return nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1)
        depthwise = nn.Conv2d(
            in_channels, in_channels, 3, stride=stride, padding=1, groups=in_channels
        )
        pointwise = nn.Conv2d(in_channels, channels, 1)
        if self.norm_last:
            return nn.Sequential(self.activated(depthwise, in_channels), pointwise)
        return nn.Sequential(depthwise, nn.BatchNorm2d(in_channels), pointwise)

    def activated(self, conv: nn.Module, channels: int) -> nn.Sequential:
        """The unit outside of sparks: ReLU follows, normalized only with `norm_last`."""
        if self.norm_last:
            return nn.Sequential(conv, nn.BatchNorm2d(channels), nn.ReLU())
        return nn.Sequential(conv, nn.ReLU())

    def spark_unit(self, conv: nn.Module, in_channels: int, channels: int) -> nn.Sequential:
        """The unit of sparks: normalization precedes and ReLU follows (section 3)."""
        if self.norm_last:
            return self.activated(conv, channels)
        return nn.Sequential(nn.BatchNorm2d(in_channels), conv, nn.ReLU())


class Spark(nn.Module):
    """A fire module of SqueezeNet with separable 3x3 convolutions (section 3)."""

    def __init__(self, in_channels: int, squeeze: int, expand: int, style: Convolutions) -> None:
        super().__init__()
        conv_1x1 = nn.Conv2d(in_channels, squeeze, 1)
        self.squeeze = style.spark_unit(conv_1x1, in_channels, squeeze)
        self.expand_1 = style.spark_unit(nn.Conv2d(squeeze, expand, 1), squeeze, expand)
        self.expand_3 = style.spark_unit(style.conv_3x3(squeeze, expand), squeeze, expand)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat((self.expand_1(x), self.expand_3(x)), dim=1)  # (N, 2 * expand, h, w)


class SkipStage(nn.Module):
    """Upsampling, then a convolution over its result and the encoder's map of that size."""

    def __init__(self, up: nn.Module, conv: nn.Module) -> None:
        super().__init__()
        self.up = up
        self.conv = conv

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = pad_to(self.up(x), skip.shape[-2:])
        return self.conv(torch.cat((x, skip), dim=1))


def paper_stem(style: Convolutions) -> nn.Sequential:
    """The one ordinary convolution that both networks begin with."""
    return style.activated(nn.Conv2d(3, 64, 3, stride=2, padding=1), 64)


def release_stem(style: Convolutions) -> nn.Sequential:
    return style.activated(style.conv_3x3(3, 64, stride=2), 64)


def spark_stage(
    in_channels: int, sparks: Sequence[tuple[int, int]], style: Convolutions
) -> nn.Sequential:
    """Spark modules one after the other, each given as squeeze and expansion width."""
    stage = nn.Sequential()
    for squeeze, expand in sparks:
        stage.append(Spark(in_channels, squeeze, expand, style))
        in_channels = 2 * expand
    return stage


def paper_decoder_stage(in_channels: int, channels: int, style: Convolutions) -> SkipStage:
    """Transposed 2x2 convolution and ReLU, then a 3x3 convolution over both halves."""
    if style.separable:
        depthwise = nn.ConvTranspose2d(in_channels, in_channels, 2, stride=2, groups=in_channels)
        between = [] if style.norm_last else [nn.BatchNorm2d(in_channels)]
        up = nn.Sequential(depthwise, *between, nn.Conv2d(in_channels, channels, 1), nn.ReLU())
    else:
        up = nn.Sequential(nn.ConvTranspose2d(in_channels, channels, 2, stride=2), nn.ReLU())
    conv = style.activated(style.conv_3x3(2 * channels, channels), channels)
    return SkipStage(up, conv)


def release_decoder_stage(in_channels: int, channels: int, style: Convolutions) -> SkipStage:
    """Pointwise before the transposed 3x3 convolution, then a spark over both halves."""
    if style.separable:
        up = nn.Sequential(
            style.activated(nn.Conv2d(in_channels, channels, 1), channels),
            style.activated(transposed_3x3(channels, channels, groups=channels), channels),
        )
    else:
        up = style.activated(transposed_3x3(in_channels, channels), channels)
    return SkipStage(up, Spark(2 * channels, channels // 2, channels // 2, style))


def transposed_3x3(in_channels: int, channels: int, *, groups: int = 1) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(in_channels, channels, 3, stride=2, padding=1, groups=groups)
