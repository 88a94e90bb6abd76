"""SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation.

Badrinarayanan, Kendall, Cipolla, arXiv:1511.00561, 2015. Where the paper leaves a choice, facts of
the authors' Caffe release decide:

- Pooling rounds up: 360x480 is pooled to 23x30 and 12x15, and unpooled to the same sizes.
- SegNet's decoder convolutions are followed by batch normalization and ReLU, those of SegNet-Basic
  by batch normalization alone.
- SegNet-Basic's convolutions have biases; `bias=False` drops them, as its paper describes.

Batch normalization keeps running averages; training recomputes its statistics over the training set
where a recipe says `reestimate_batch_norm`, as the release does.
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from torch import Tensor, nn

from swiftseg.layers.conv import conv_bn_relu
from swiftseg.layers.unpooling import max_pool_2x2, max_unpool_2x2
from swiftseg.layers.vgg16 import load_vgg16


class SegNet(nn.Module):
    """VGG-16's 13 convolutions and their mirror image: `forward` gives logits (N, C, H, W).

    Args:
        num_classes: C, the number of classes without void.
        bayesian: Dropout of 0.5 after the deepest three encoder and decoder stages, as Bayesian
            SegNet has it.
        backbone_weights: "imagenet", or the path of torchvision's VGG-16 file, to start the
            encoder's convolutions from; by default everything starts at random.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        bayesian: bool = False,
        backbone_weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(
            (
                EncoderStage(convs_3x3(3, 64, 64), dropout=False),
                EncoderStage(convs_3x3(64, 128, 128), dropout=False),
                EncoderStage(convs_3x3(128, 256, 256, 256), dropout=bayesian),
                EncoderStage(convs_3x3(256, 512, 512, 512), dropout=bayesian),
                EncoderStage(convs_3x3(512, 512, 512, 512), dropout=bayesian),
            )
        )
        self.decoder = nn.ModuleList(
            (
                DecoderStage(convs_3x3(512, 512, 512, 512), dropout=bayesian),
                DecoderStage(convs_3x3(512, 512, 512, 256), dropout=bayesian),
                DecoderStage(convs_3x3(256, 256, 256, 128), dropout=bayesian),
                DecoderStage(convs_3x3(128, 128, 64), dropout=False),
                DecoderStage(convs_3x3(64, 64), dropout=False),
            )
        )
        self.classifier = nn.Conv2d(64, num_classes, 3, padding=1)
        initialize(self)
        if backbone_weights is not None:
            load_vgg16(self.encoder, backbone_weights)

    def forward(self, image: Tensor) -> Tensor:
        features = encode_and_decode(image, self.encoder, self.decoder)  # (N, 64, H, W)
        return self.classifier(features)


class SegNetBasic(nn.Module):
    """Four 7x7 stages each way, 64 wide throughout: `forward` gives logits (N, C, H, W).

    Args:
        num_classes: C, the number of classes without void.
        bayesian: Dropout of 0.5 after the deepest two encoder and decoder stages, as Bayesian
            SegNet has it.
        bias: Whether the convolutions before batch normalization have biases.
        response_norm: Whether the image is normalized by its local response. That is meant for
            values of 0..255: of those in 0..1 it changes less than 0.01 %.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        bayesian: bool = False,
        bias: bool = True,
        response_norm: bool = True,
    ) -> None:
        super().__init__()
        self.input_norm = LocalResponseNorm() if response_norm else nn.Identity()
        self.encoder = nn.ModuleList(
            (
                EncoderStage(conv_bn_relu(3, 64, 7, bias=bias), dropout=False),
                EncoderStage(conv_bn_relu(64, 64, 7, bias=bias), dropout=False),
                EncoderStage(conv_bn_relu(64, 64, 7, bias=bias), dropout=bayesian),
                EncoderStage(conv_bn_relu(64, 64, 7, bias=bias), dropout=bayesian),
            )
        )
        self.decoder = nn.ModuleList(
            (
                DecoderStage(conv_7x7_bn(bias=bias), dropout=bayesian),
                DecoderStage(conv_7x7_bn(bias=bias), dropout=bayesian),
                DecoderStage(conv_7x7_bn(bias=bias), dropout=False),
                DecoderStage(conv_7x7_bn(bias=bias), dropout=False),
            )
        )
        self.classifier = nn.Conv2d(64, num_classes, 1)
        initialize(self)

    def forward(self, image: Tensor) -> Tensor:
        image = self.input_norm(image)
        features = encode_and_decode(image, self.encoder, self.decoder)  # (N, 64, H, W)
        return self.classifier(features)


def encode_and_decode(
    features: Tensor, encoder: Iterable[nn.Module], decoder: Iterable[nn.Module]
) -> Tensor:
    """Run both halves; the last switches to be made are the first to be used."""
    handed_over: list[tuple[Tensor, tuple[int, int]]] = []
    for stage in encoder:
        features, switches, size_hw = stage(features)
        handed_over.append((switches, size_hw))
    for stage in decoder:
        features = stage(features, *handed_over.pop())
    return features


class LocalResponseNorm(nn.Module):
    """Caffe's normalization across 5 channels, alpha 1e-4, beta 0.75, for an image of 3.

    A window of 5 around any of 3 channels holds all of them, so that the sum needs no window.
    """

    def forward(self, image: Tensor) -> Tensor:
        energy = image.square().sum(dim=1, keepdim=True)  # (N, 1, H, W)
        return image * (1 + 1e-4 / 5 * energy) ** -0.75


class EncoderStage(nn.Module):
    """Convolutions, then pooling; gives features, switches and the size before pooling."""

    def __init__(self, convs: nn.Module, *, dropout: bool) -> None:
        super().__init__()
        self.convs = convs
        self.dropout = nn.Dropout(0.5) if dropout else nn.Identity()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, tuple[int, int]]:
        x = self.convs(x)
        pooled, switches = max_pool_2x2(x)  # (N, C, ceil(H/2), ceil(W/2))
        return self.dropout(pooled), switches, (x.shape[-2], x.shape[-1])


class DecoderStage(nn.Module):
    """Unpooling to the size before pooling, then convolutions."""

    def __init__(self, convs: nn.Module, *, dropout: bool) -> None:
        super().__init__()
        self.convs = convs
        self.dropout = nn.Dropout(0.5) if dropout else nn.Identity()

    def forward(self, x: Tensor, switches: Tensor, size_hw: tuple[int, int]) -> Tensor:
        return self.dropout(self.convs(max_unpool_2x2(x, switches, size_hw)))


def convs_3x3(*widths: int) -> nn.Sequential:
    """A chain of 3x3 convolutions, such as 3 -> 64 -> 64."""
    return nn.Sequential(*(conv_bn_relu(*pair, 3, bias=True) for pair in pairwise(widths)))


def conv_7x7_bn(*, bias: bool) -> nn.Sequential:
    """SegNet-Basic's decoder convolution: no ReLU follows."""
    return nn.Sequential(nn.Conv2d(64, 64, 7, padding=3, bias=bias), nn.BatchNorm2d(64))


def initialize(network: nn.Module) -> None:
    """He-normal convolutions, zero biases and shifts of 0.001, as in the release."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.bias, 1e-3)
