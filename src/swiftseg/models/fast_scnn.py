"""Fast-SCNN: Fast Semantic Segmentation Network.

Poudel, Liwicki, Cipolla, arXiv:1902.04502, 2019. Table and section numbers below are the paper's.
Where the paper is silent:

- Batch normalization stands before each non-linearity and after each linear projection of a
  bottleneck or of the feature fusion; inside a depthwise separable convolution there is none.
- Strided convolutions pad by 1 on all sides, and bilinear upsampling aligns half pixels.
- Dropout has the rate 0.1; an auxiliary head is dropout and a 1x1 convolution.
- Convolutions start Kaiming-normal by their outputs.

`variant="port"` is the network of the most used public port (Tramac's), whose weights
`swiftseg import` reads. It departs from the paper in four places: normalization and ReLU inside a
separable convolution, a fusion without dilation, a first convolution without padding, and bilinear
upsampling that aligns corners.

Without batch normalization's scales and shifts the network has 1,114,115 weights at 19 classes,
the paper's 1.11 million.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from swiftseg.layers.conv import conv_bn_relu
from swiftseg.layers.resizing import upsample_to
from swiftseg.layers.training_outputs import TrainingOutputs

DROPOUT = 0.1


@dataclass(frozen=True)
class Details:
    """Where a variant departs from another.

    Attributes:
        separable_norm: Normalization and ReLU between depthwise and pointwise convolution.
        fusion_dilation: Of the feature fusion's depthwise convolution.
        first_padding: Of the first convolution, in pixels.
        align_corners: Whether bilinear upsampling makes corner pixels meet.
    """

    separable_norm: bool
    fusion_dilation: int
    first_padding: int
    align_corners: bool


PAPER = Details(separable_norm=False, fusion_dilation=4, first_padding=1, align_corners=False)
PORT = Details(separable_norm=True, fusion_dilation=1, first_padding=0, align_corners=True)
STYLES: Mapping[str, Details] = {"paper": PAPER, "port": PORT}


class FastSCNN(nn.Module):
    """The whole network (Table 1): `forward` gives logits (N, C, H, W) at the input's size.

    Args:
        num_classes: C, the number of classes without void.
        skip: Whether the feature fusion uses the high-resolution branch. Without it the network
            still loads the weights of one that was trained with it, as the paper's ablation does.
        aux_heads: Whether to have the two auxiliary heads, needed in training only.
        variant: See the module's docstring.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        skip: bool = True,
        aux_heads: bool = False,
        variant: Literal["paper", "port"] = "paper",
    ) -> None:
        super().__init__()
        if variant not in STYLES:
            raise ValueError(f"unknown Fast-SCNN variant {variant!r}; choose paper or port")
        style = STYLES[variant]
        self.align_corners = style.align_corners
        self.learning_to_downsample = LearningToDownsample(style)
        self.global_feature_extractor = GlobalFeatureExtractor(style)
        self.feature_fusion = FeatureFusion(64, 128, skip=skip, style=style)
        self.classifier = nn.Sequential(
            ds_conv(128, 128, inner_norm=style.separable_norm),
            ds_conv(128, 128, inner_norm=style.separable_norm),
            *pixel_classifier(128, num_classes),
        )
        aux_widths = (64, 128) if aux_heads else ()
        self.aux_heads = nn.ModuleList(
            nn.Sequential(*pixel_classifier(width, num_classes)) for width in aux_widths
        )
        initialize(self)

    def forward(self, image: Tensor) -> Tensor:
        detail, context = self.features(image)
        return self.logits(detail, context, image)

    def training_outputs(self, image: Tensor) -> TrainingOutputs:
        """Return the logits and, with `aux_heads`, those of both parts before the fusion.

        The paper weighs each auxiliary loss 0.4.
        """
        features = self.features(image)
        aux = tuple(
            upsample_to(head(stage), image.shape[-2:], align_corners=self.align_corners)
            for head, stage in zip(self.aux_heads, features, strict=False)
        )
        return TrainingOutputs(self.logits(*features, image), aux)

    def features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        detail = self.learning_to_downsample(image)  # (N, 64, H/8, W/8)
        return detail, self.global_feature_extractor(detail)  # (N, 128, H/32, W/32)

    def logits(self, detail: Tensor, context: Tensor, image: Tensor) -> Tensor:
        x = self.feature_fusion(detail, context)  # (N, 128, H/8, W/8)
        return upsample_to(self.classifier(x), image.shape[-2:], align_corners=self.align_corners)


class FastSCNNImageNet(nn.Module):
    """The network of the ImageNet pre-training: `forward` gives logits (N, C).

    Its two modules have the names they have in `FastSCNN`, so that their weights can be moved.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.learning_to_downsample = LearningToDownsample()
        self.global_feature_extractor = GlobalFeatureExtractor()
        self.classifier = nn.Linear(128, num_classes)
        initialize(self)

    def forward(self, image: Tensor) -> Tensor:
        x = self.global_feature_extractor(self.learning_to_downsample(image))
        return self.classifier(x.mean(dim=(-2, -1)))


class LearningToDownsample(nn.Sequential):
    """Section 3.2.1: three strided convolutions down to an eighth, 64 channels."""

    def __init__(self, style: Details = PAPER) -> None:
        inner_norm = style.separable_norm
        super().__init__(
            nn.Sequential(
                nn.Conv2d(3, 32, 3, stride=2, padding=style.first_padding, bias=False),
                nn.BatchNorm2d(32),
                nn.ReLU(inplace=True),
            ),
            ds_conv(32, 48, stride=2, inner_norm=inner_norm),
            ds_conv(48, 64, stride=2, inner_norm=inner_norm),
        )


class GlobalFeatureExtractor(nn.Sequential):
    """Section 3.2.2: nine bottlenecks down to a quarter of their input and pyramid pooling."""

    def __init__(self, style: Details = PAPER) -> None:
        super().__init__(
            *bottlenecks(64, 64, stride=2),
            *bottlenecks(64, 96, stride=2),
            *bottlenecks(96, 128, stride=1),
            PyramidPooling(128, align_corners=style.align_corners),
        )


class BottleneckResidual(nn.Module):
    """Table 2: expansion by 6, a depthwise convolution and a linear projection."""

    def __init__(self, in_channels: int, channels: int, *, stride: int) -> None:
        super().__init__()
        internal = 6 * in_channels
        self.convs = nn.Sequential(
            conv_bn_relu(in_channels, internal, 1),
            conv_bn_relu(internal, internal, 3, stride=stride, groups=internal),
            linear_conv(internal, channels),
        )
        self.residual = stride == 1 and in_channels == channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.convs(x) if self.residual else self.convs(x)


class PyramidPooling(nn.Module):
    """PSPNet's module: means over 1, 4, 9 and 36 regions join the features they come from."""

    BINS = (1, 2, 3, 6)

    def __init__(self, channels: int, *, align_corners: bool = False) -> None:
        super().__init__()
        self.align_corners = align_corners
        width = channels // len(self.BINS)
        self.branches = nn.ModuleList(conv_bn_relu(channels, width, 1) for _ in self.BINS)
        self.out = conv_bn_relu(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        levels = [
            upsample_to(
                branch(average_pool_to(x, bins)), x.shape[-2:], align_corners=self.align_corners
            )
            for branch, bins in zip(self.branches, self.BINS, strict=True)
        ]
        return self.out(torch.cat((x, *levels), dim=1))


class FeatureFusion(nn.Module):
    """Table 3: the upsampled global features and the high-resolution branch, added."""

    def __init__(
        self, detail_channels: int, channels: int, *, skip: bool, style: Details = PAPER
    ) -> None:
        super().__init__()
        self.align_corners = style.align_corners
        dilation = style.fusion_dilation  # in the paper the factor of the upsampling
        self.context = nn.Sequential(
            conv_bn_relu(channels, channels, 3, dilation=dilation, groups=channels),
            linear_conv(channels, channels),
        )
        self.detail = linear_conv(detail_channels, channels) if skip else None
        self.act = nn.ReLU()
        if not skip:
            self.register_load_state_dict_pre_hook(drop_detail_weights)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        x = upsample_to(context, detail.shape[-2:], align_corners=self.align_corners)
        x = self.context(x)
        return self.act(x if self.detail is None else x + self.detail(detail))


def ds_conv(
    in_channels: int, out_channels: int, *, stride: int = 1, inner_norm: bool = False
) -> nn.Sequential:
    """A depthwise separable convolution: nothing stands between its two halves (section 3.2.1)."""
    depthwise = nn.Conv2d(
        in_channels, in_channels, 3, stride=stride, padding=1, groups=in_channels, bias=False
    )
    between = (nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True)) if inner_norm else ()
    return nn.Sequential(depthwise, *between, *conv_bn_relu(in_channels, out_channels, 1))


def linear_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    """A 1x1 convolution that no activation follows."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)
    )


def bottlenecks(in_channels: int, channels: int, *, stride: int) -> tuple[BottleneckResidual, ...]:
    """A group of three; the stride is the first one's."""
    return (
        BottleneckResidual(in_channels, channels, stride=stride),
        BottleneckResidual(channels, channels, stride=1),
        BottleneckResidual(channels, channels, stride=1),
    )


def pixel_classifier(channels: int, num_classes: int) -> tuple[nn.Module, nn.Module]:
    return nn.Dropout(DROPOUT), nn.Conv2d(channels, num_classes, 1)


def average_pool_to(features: Tensor, bins: int) -> Tensor:
    """Adaptive average pooling (N, C, H, W) -> (N, C, bins, bins) as two matrix products.

    Exported, `F.adaptive_avg_pool2d` becomes a gather for each bin unless the bins are equal.
    """
    height, width = features.shape[-2:]
    rows = pooling_matrix(bins, height, features)  # (bins, H)
    columns = pooling_matrix(bins, width, features)  # (bins, W)
    return rows @ features @ columns.T


def pooling_matrix(bins: int, size: int, like: Tensor) -> Tensor:
    """Return the means over `bins` spans of `size` elements, those of torch's adaptive pooling."""
    spans = [(i * size // bins, -(-(i + 1) * size // bins)) for i in range(bins)]
    means = [[(start <= x < end) / (end - start) for x in range(size)] for start, end in spans]
    return torch.tensor(means, dtype=like.dtype, device=like.device)


def drop_detail_weights(
    module: nn.Module, state_dict: dict[str, Tensor], prefix: str, *_: object
) -> None:
    """Let a feature fusion without its high-resolution branch load the weights of one with it."""
    del module
    for name in [name for name in state_dict if name.startswith(f"{prefix}detail.")]:
        del state_dict[name]


def initialize(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
