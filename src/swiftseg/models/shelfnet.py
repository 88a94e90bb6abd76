"""ShelfNet: multi-path segmentation network.

Zhuang, Yang, Gu, Dvornek, arXiv:1811.11254, version 4, 2019: `shelfnet50` and `shelfnet101`, and
the lightweight `shelfnet18_lw` and `shelfnet34_lw` of the authors' Cityscapes release. Levels A, B,
C, D have strides 4, 8, 16, 32, columns are numbered as in the paper: 0 backbone, 1 channel
reduction, 2 upward, 3 downward, 4 upward. D4 is fed by C3 alone; every other link is a sum.

Where the paper is silent, the release decides: channel dropout of 0.25 in an S-block, an S-block
between the columns at level A (drawn, not described), ReLU but no normalization after a downward
convolution, and the heads of training (`aux_heads=True`). The S-block that the release creates and
never calls is left out.

Deviation: a map on its way up takes the size of its skip, so that the input's size need not be a
multiple of 32.

`backbone_weights` is "imagenet", the path of a local copy of torchvision's file, or None for fresh
weights; those of ImageNet expect RGB in 0..1 less ImageNet's mean, over its standard deviation.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.layers.conv import conv_bn_relu
from swiftseg.layers.resizing import upsample_to
from swiftseg.layers.resnet import ResNetBackbone, resnet_backbone
from swiftseg.layers.training_outputs import TrainingOutputs

WIDTHS = (64, 128, 256, 512)  # of levels A, B, C, D in columns 1 to 4
RESNET_WIDTHS = (256, 512, 1024, 2048)  # of the same levels in column 0
LIGHT_RESNET_WIDTHS = (128, 256, 512)  # of ResNet-18 and 34 at levels B, C, D


def shelfnet50(
    num_classes: int,
    *,
    share_weights: bool = True,
    aux_heads: bool = False,
    backbone_weights: str | Path | None = None,
) -> "ShelfNet":
    """ShelfNet over ResNet-50: 36,639,296 + 65 C parameters."""
    backbone = resnet_backbone("resnet50", backbone_weights)
    return ShelfNet(num_classes, backbone, share_weights=share_weights, aux_heads=aux_heads)


def shelfnet101(
    num_classes: int,
    *,
    share_weights: bool = True,
    aux_heads: bool = False,
    backbone_weights: str | Path | None = None,
) -> "ShelfNet":
    """ShelfNet over ResNet-101: 55,631,424 + 65 C parameters."""
    backbone = resnet_backbone("resnet101", backbone_weights)
    return ShelfNet(num_classes, backbone, share_weights=share_weights, aux_heads=aux_heads)


class ShelfNet(nn.Module):
    """The whole network: `forward` gives logits (N, C, H, W) at the input's size.

    Args:
        num_classes: C, the number of classes without void.
        backbone: Column 0, a ResNet of bottleneck blocks.
        share_weights: Use one convolution twice in each S-block; otherwise two.
        aux_heads: Build the heads that only training needs.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: ResNetBackbone,
        *,
        share_weights: bool = True,
        aux_heads: bool = False,
    ) -> None:
        super().__init__()

        def s_block(channels: int) -> SBlock:
            return SBlock(channels, dropout=0.25, share_weights=share_weights)

        def up_step(in_channels: int, channels: int) -> UpStep:
            return UpStep(in_channels, channels, s_block)

        self.backbone = backbone
        self.reductions = nn.ModuleList(
            conv_bn_relu(wide, width, 1) for wide, width in zip(RESNET_WIDTHS, WIDTHS, strict=True)
        )
        self.shelf = Shelf(WIDTHS, s_block, up_step)
        self.classifier = nn.Conv2d(WIDTHS[0], num_classes, 1)
        self.training_heads = TrainingHeads(num_classes) if aux_heads else None

    def forward(self, image: Tensor) -> Tensor:
        column_4 = self.shelf(reduced(self.backbone(image), self.reductions))
        return resize_logits(self.classifier(column_4[0]), image)

    def training_outputs(self, image: Tensor) -> TrainingOutputs:
        """Return the logits and, with `aux_heads`, those of both training heads."""
        column_0 = self.backbone(image)
        column_4 = self.shelf(reduced(column_0, self.reductions))
        logits = resize_logits(self.classifier(column_4[0]), image)
        if self.training_heads is None:
            return TrainingOutputs(logits)
        aux, presence = self.training_heads(column_0[2], column_4[3])
        return TrainingOutputs(logits, (resize_logits(aux, image),), presence)


class Shelf(nn.Module):
    """Columns 2 to 4: from the maps of column 1, finest first, to those of column 4.

    Args:
        widths: Channels of each level, finest first; each is twice the one before.
        s_block: Makes a block that keeps its channels.
        up_step: Makes the step from a level, given its channels, to the finer one, given its.
    """

    def __init__(
        self,
        widths: Sequence[int],
        s_block: Callable[[int], nn.Module],
        up_step: Callable[[int, int], nn.Module],
    ) -> None:
        super().__init__()
        self.column_2 = UpwardColumn(widths, s_block, up_step)
        self.middle = s_block(widths[0])
        self.column_3 = DownwardColumn(widths, s_block)
        self.column_4 = UpwardColumn(widths, s_block, up_step)

    def forward(self, column_1: Sequence[Tensor]) -> list[Tensor]:
        column_2 = self.column_2(column_1)
        # The coarsest map of column 2 has no link to column 3.
        column_3 = self.column_3(self.middle(column_2[0]), column_2[:-1])
        return self.column_4(column_3)


class UpwardColumn(nn.Module):
    """From the coarsest level to the finest, adding at each the map of the column before."""

    def __init__(
        self,
        widths: Sequence[int],
        s_block: Callable[[int], nn.Module],
        up_step: Callable[[int, int], nn.Module],
    ) -> None:
        super().__init__()
        self.bottom = s_block(widths[-1])
        self.steps = nn.ModuleList(up_step(2 * width, width) for width in reversed(widths[:-1]))

    def forward(self, column: Sequence[Tensor]) -> list[Tensor]:
        maps = [self.bottom(column[-1])]
        for step, skip in zip(self.steps, reversed(column[:-1]), strict=True):
            maps.append(step(maps[-1], skip))
        return maps[::-1]


class DownwardColumn(nn.Module):
    """From the finest level down; below the coarsest of its S-blocks only the next one's input."""

    def __init__(self, widths: Sequence[int], s_block: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(s_block(width) for width in widths[:-1])
        self.downs = nn.ModuleList(
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1) for width in widths[:-1]
        )

    def forward(self, x: Tensor, skips: Sequence[Tensor]) -> list[Tensor]:
        maps: list[Tensor] = []
        for block, down, skip in zip(self.blocks, self.downs, skips, strict=True):
            maps.append(block(x + skip))
            x = F.relu(down(maps[-1]))
        return [*maps, x]


class SBlock(nn.Module):
    """The shared-weights residual block: one convolution used twice, each use with its own norm."""

    def __init__(
        self,
        channels: int,
        *,
        dropout: float,
        share_weights: bool = True,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(1 if share_weights else 2)
        )
        self.norm_1 = nn.BatchNorm2d(channels)
        self.act = activation()
        self.dropout = nn.Dropout2d(dropout)
        self.norm_2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        out = self.dropout(self.act(self.norm_1(self.convs[0](x))))
        return F.relu(x + self.norm_2(self.convs[-1](out)))


class UpStep(nn.Module):
    """Transposed convolution to the skip's size, sum, S-block."""

    def __init__(
        self, in_channels: int, channels: int, s_block: Callable[[int], nn.Module]
    ) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, channels, 3, stride=2, padding=1)
        self.block = s_block(channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.block(self.up(x, output_size=list(skip.shape[-2:])) + skip)


class TrainingHeads(nn.Module):
    """The two heads of training: segmentation from C0, presence of classes from D4."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.aux = nn.Sequential(
            conv_bn_relu(RESNET_WIDTHS[2], 256, 3),
            nn.Dropout2d(0.1),
            nn.Conv2d(256, num_classes, 1),
        )
        self.presence = nn.Linear(WIDTHS[3], num_classes)

    def forward(self, c0: Tensor, d4: Tensor) -> tuple[Tensor, Tensor]:
        return self.aux(c0), self.presence(d4.amax(dim=(2, 3)))


def shelfnet18_lw(
    num_classes: int, *, aux_heads: bool = False, backbone_weights: str | Path | None = None
) -> "LightShelfNet":
    """Lightweight ShelfNet over ResNet-18: 14,309,312 + 576 C parameters."""
    backbone = resnet_backbone("resnet18", backbone_weights)
    return LightShelfNet(
        num_classes, backbone, widths=(64, 128, 256), dropout=0.1, aux_heads=aux_heads
    )


def shelfnet34_lw(
    num_classes: int, *, aux_heads: bool = False, backbone_weights: str | Path | None = None
) -> "LightShelfNet":
    """Lightweight ShelfNet over ResNet-34, which it takes unreduced: 33,110,848 + 1,152 C."""
    backbone = resnet_backbone("resnet34", backbone_weights)
    return LightShelfNet(
        num_classes, backbone, widths=LIGHT_RESNET_WIDTHS, dropout=0.0, aux_heads=aux_heads
    )


class LightShelfNet(nn.Module):
    """Three levels, B to D: `forward` gives logits (N, C, H, W) at the input's size.

    Args:
        num_classes: C, the number of classes without void.
        backbone: Column 0, a ResNet of basic blocks.
        widths: Channels of the levels in columns 1 to 4; those of column 0 need no reduction.
        dropout: Rate in the S-blocks.
        aux_heads: Build the heads that only training needs.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: ResNetBackbone,
        *,
        widths: tuple[int, int, int],
        dropout: float,
        aux_heads: bool = False,
    ) -> None:
        super().__init__()

        def s_block(channels: int) -> SBlock:
            return SBlock(channels, dropout=dropout, activation=nn.LeakyReLU)

        self.backbone = backbone
        self.reductions = nn.ModuleList(
            nn.Identity() if wide == width else conv_bn_leaky(wide, width, 1)
            for wide, width in zip(LIGHT_RESNET_WIDTHS, widths, strict=True)
        )
        self.shelf = Shelf(widths, s_block, LightUpStep)
        self.head = light_head(widths[0], widths[0], num_classes)
        aux_widths = widths[1:] if aux_heads else ()
        self.aux_heads = nn.ModuleList(light_head(width, 64, num_classes) for width in aux_widths)

    def forward(self, image: Tensor) -> Tensor:
        return resize_logits(self.head(self.column_4(image)[0]), image)

    def training_outputs(self, image: Tensor) -> TrainingOutputs:
        """Return the logits and, with `aux_heads`, those of the heads at strides 16 and 32."""
        finest, *coarser = self.column_4(image)
        aux = tuple(
            resize_logits(head(features), image)
            for head, features in zip(self.aux_heads, coarser, strict=False)
        )
        return TrainingOutputs(resize_logits(self.head(finest), image), aux)

    def column_4(self, image: Tensor) -> list[Tensor]:
        """Return the maps of the last column at strides 8, 16 and 32."""
        return self.shelf(reduced(self.backbone(image)[1:], self.reductions))


class LightUpStep(nn.Module):
    """Attention to the finer level's width, doubled to the skip's size, sum, convolution."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.attention = Attention(in_channels, channels)
        self.conv = conv_bn_leaky(channels, channels, 3)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.interpolate(self.attention(x), size=list(skip.shape[-2:]), mode="nearest")
        return self.conv(x + skip)


class Attention(nn.Module):
    """A convolution whose channels are weighted by what the whole map holds of them."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = conv_bn_leaky(in_channels, channels, 3)
        self.weight = nn.Sequential(
            nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.weight(x.mean(dim=(2, 3), keepdim=True))


def reduced(column_0: Sequence[Tensor], reductions: nn.ModuleList) -> list[Tensor]:
    """Column 1: each level's map with the channels of the shelf."""
    return [reduce(x) for reduce, x in zip(reductions, column_0, strict=True)]


def resize_logits(logits: Tensor, image: Tensor) -> Tensor:
    return upsample_to(logits, image.shape[-2:], align_corners=True)


def conv_bn_leaky(in_channels: int, channels: int, kernel_size: int) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, channels, kernel_size, padding=kernel_size // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels), nn.LeakyReLU())


def light_head(in_channels: int, channels: int, num_classes: int) -> nn.Sequential:
    """The form of all three heads of a lightweight ShelfNet."""
    classifier = nn.Conv2d(channels, num_classes, 3, padding=1, bias=False)
    return nn.Sequential(conv_bn_leaky(in_channels, channels, 3), classifier)
