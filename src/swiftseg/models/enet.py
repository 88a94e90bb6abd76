"""ENet: A Deep Neural Network Architecture for Real-Time Semantic Segmentation.

Paszke, Chaurasia, Kim, Culurciello, arXiv:1606.02147, 2016. Section and table numbers below are
the paper's. Where the paper is silent, facts of the authors' Torch7 training release decide:

- Biases: only the initial convolution, the main convolution of each bottleneck and the final
  transposed convolution have one; the paper excludes only the projections.
- The 5x1 and 1x5 pair has neither batch normalization nor activation in between (Figure 2 puts the
  encoder's end at the 67th activation, which fits no other reading).
- Decoder: `decoder="paper"` uses PReLU and dropout as section 4 and Figure 2 say;
  `decoder="release"` uses plain ReLU and no dropout as the authors' code does.

Deviation: an input whose height or width is no multiple of 8 is padded at its right and bottom by
repeating its edge, and the logits are cropped back, since each of the three pooled sizes must be
even.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from swiftseg.layers.resizing import pad_to_multiple, upsample_to
from swiftseg.layers.training_outputs import TrainingOutputs
from swiftseg.layers.unpooling import max_pool_2x2, max_unpool_2x2

Activation = Callable[[int], nn.Module]

ENCODER_STRIDE = 8


class ENet(nn.Module):
    """The whole network (Table 1): `forward` gives logits (N, C, H, W) at the input's size.

    Args:
        num_classes: C, the number of classes without void.
        decoder: Activation and dropout of stages 4 and 5, see the module's docstring.
        in_channels: Bands of the image, see `InitialBlock`.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        decoder: Literal["paper", "release"] = "paper",
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.encoder = ENetEncoder(in_channels)
        self.decoder = ENetDecoder(num_classes, variant=decoder)
        initialize(self)

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        image = pad_to_multiple(image, ENCODER_STRIDE)
        features, switches_1, switches_2 = self.encoder(image)  # (N, 128, H/8, W/8)
        logits = self.decoder(features, switches_1, switches_2)  # (N, C, H, W)
        return logits[..., :height, :width]


class ENetEncoderClassifier(nn.Module):
    """The network of the first training stage: the encoder and a temporary 1x1 head (section 5).

    `forward` gives logits at the input's size like every network. The paper trains them at an
    eighth of it: the coarse ones of `training_outputs`, (N, C, ceil(H/8), ceil(W/8)).
    """

    def __init__(self, num_classes: int, *, in_channels: int = 3) -> None:
        super().__init__()
        self.encoder = ENetEncoder(in_channels)
        self.head = nn.Conv2d(128, num_classes, 1)
        initialize(self)

    def forward(self, image: Tensor) -> Tensor:
        return self.training_outputs(image).logits

    def training_outputs(self, image: Tensor) -> TrainingOutputs:
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image, ENCODER_STRIDE)
        features, _, _ = self.encoder(padded)
        coarse = self.head(features)  # (N, C, ceil(H/8), ceil(W/8))
        logits = upsample_to(coarse, padded.shape[-2:])
        return TrainingOutputs(logits[..., :height, :width], coarse=coarse)


class ENetEncoder(nn.Module):
    """Initial block and stages 1 to 3; gives features and the switches of both poolings."""

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.initial = InitialBlock(in_channels)
        self.down_1 = DownBottleneck(16, 64, dropout=0.01)
        self.stage_1 = nn.Sequential(*(Bottleneck(64, dropout=0.01) for _ in range(4)))
        self.down_2 = DownBottleneck(64, 128, dropout=0.1)
        self.stage_2 = context_stage()
        self.stage_3 = context_stage()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.initial(image)  # (N, 16, H/2, W/2)
        x, switches_1 = self.down_1(x)  # (N, 64, H/4, W/4), switches of 16 channels
        x = self.stage_1(x)
        x, switches_2 = self.down_2(x)  # (N, 128, H/8, W/8), switches of 64 channels
        x = self.stage_2(x)
        return self.stage_3(x), switches_1, switches_2


class ENetDecoder(nn.Module):
    """Stages 4 and 5 and the final transposed convolution."""

    def __init__(self, num_classes: int, *, variant: Literal["paper", "release"]) -> None:
        super().__init__()
        if variant not in ("paper", "release"):
            raise ValueError(f"unknown ENet decoder {variant!r}; choose paper or release")
        activation, dropout = (nn.PReLU, 0.1) if variant == "paper" else (relu, 0.0)
        self.up_4 = UpBottleneck(128, 64, dropout=dropout, activation=activation)
        self.stage_4 = nn.Sequential(
            Bottleneck(64, dropout=dropout, activation=activation),
            Bottleneck(64, dropout=dropout, activation=activation),
        )
        self.up_5 = UpBottleneck(64, 16, dropout=dropout, activation=activation)
        self.stage_5 = Bottleneck(16, dropout=dropout, activation=activation)
        self.fullconv = nn.ConvTranspose2d(16, num_classes, 2, stride=2)

    def forward(self, features: Tensor, switches_1: Tensor, switches_2: Tensor) -> Tensor:
        x = self.up_4(features, switches_2)  # (N, 64, H/4, W/4)
        x = self.stage_4(x)
        x = self.up_5(x, switches_1)  # (N, 16, H/2, W/2)
        x = self.stage_5(x)
        return self.fullconv(x)  # (N, C, H, W)


class InitialBlock(nn.Module):
    """Figure 2a: a strided convolution beside a max pooling, concatenated to 16 channels.

    Of these the pooled image takes as many as it has bands, 3 in the paper.
    """

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        if not 1 <= in_channels < 16:
            raise ValueError(f"ENet takes images of 1 to 15 bands, got {in_channels}")
        self.conv = nn.Conv2d(in_channels, 16 - in_channels, 3, stride=2, padding=1)
        self.norm = batch_norm(16)
        self.act = nn.PReLU(16)

    def forward(self, image: Tensor) -> Tensor:
        joined = torch.cat((self.conv(image), F.max_pool2d(image, 2)), dim=1)
        return self.act(self.norm(joined))  # (N, 16, H/2, W/2)


class Bottleneck(nn.Module):
    """Figure 2b: regular, dilated or asymmetric (`kernel_size=5`) residual block at one width."""

    def __init__(
        self,
        channels: int,
        *,
        dropout: float,
        dilation: int = 1,
        asymmetric: bool = False,
        activation: Activation = nn.PReLU,
    ) -> None:
        super().__init__()
        internal = channels // 4
        conv = (
            asymmetric_conv(internal)
            if asymmetric
            else nn.Conv2d(internal, internal, 3, padding=dilation, dilation=dilation)
        )
        projection = nn.Conv2d(channels, internal, 1, bias=False)
        self.extension = extension_branch(projection, conv, channels, dropout, activation)
        self.act = activation(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.extension(x))


class DownBottleneck(nn.Module):
    """Figure 2b, downsampling: the main branch is max-pooled and padded with zero channels."""

    def __init__(self, in_channels: int, channels: int, *, dropout: float) -> None:
        super().__init__()
        internal = channels // 4
        projection = nn.Conv2d(in_channels, internal, 2, stride=2, bias=False)
        conv = nn.Conv2d(internal, internal, 3, padding=1)
        self.extra_channels = channels - in_channels
        self.extension = extension_branch(projection, conv, channels, dropout, nn.PReLU)
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        main, switches = max_pool_2x2(x)
        main = F.pad(main, (0, 0, 0, 0, 0, self.extra_channels))
        return self.act(main + self.extension(x)), switches


class UpBottleneck(nn.Module):
    """Section 4: unpooling with the encoder's switches beside a transposed convolution."""

    def __init__(
        self, in_channels: int, channels: int, *, dropout: float, activation: Activation
    ) -> None:
        super().__init__()
        internal = channels // 4
        self.main = nn.Sequential(
            nn.Conv2d(in_channels, channels, 1, bias=False), batch_norm(channels)
        )
        projection = nn.Conv2d(in_channels, internal, 1, bias=False)
        conv = nn.ConvTranspose2d(internal, internal, 3, stride=2, padding=1, output_padding=1)
        self.extension = extension_branch(projection, conv, channels, dropout, activation)
        self.act = activation(channels)

    def forward(self, x: Tensor, switches: Tensor) -> Tensor:
        main = max_unpool_2x2(self.main(x), switches)
        return self.act(main + self.extension(x))


def extension_branch(
    projection: nn.Module, conv: nn.Module, channels: int, dropout: float, activation: Activation
) -> nn.Sequential:
    """Projection, main convolution, expansion, each normalized; spatial dropout last."""
    internal = channels // 4
    layers = [
        projection,
        batch_norm(internal),
        activation(internal),
        conv,
        batch_norm(internal),
        activation(internal),
        nn.Conv2d(internal, channels, 1, bias=False),
        batch_norm(channels),
    ]
    if dropout:
        layers.append(nn.Dropout2d(dropout))
    return nn.Sequential(*layers)


def context_stage() -> nn.Sequential:
    """Blocks 1 to 8 of stage 2, repeated as stage 3 (Table 1)."""
    return nn.Sequential(
        Bottleneck(128, dropout=0.1),
        Bottleneck(128, dropout=0.1, dilation=2),
        Bottleneck(128, dropout=0.1, asymmetric=True),
        Bottleneck(128, dropout=0.1, dilation=4),
        Bottleneck(128, dropout=0.1),
        Bottleneck(128, dropout=0.1, dilation=8),
        Bottleneck(128, dropout=0.1, asymmetric=True),
        Bottleneck(128, dropout=0.1, dilation=16),
    )


def asymmetric_conv(channels: int) -> nn.Sequential:
    """A 5x5 convolution as 5x1 and 1x5 (section 4, factorizing filters)."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, (5, 1), padding=(2, 0), bias=False),
        nn.Conv2d(channels, channels, (1, 5), padding=(0, 2)),
    )


def batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)


def relu(channels: int) -> nn.Module:
    """ReLU with the signature of `nn.PReLU`; it has no parameter a channel."""
    del channels
    return nn.ReLU()


def initialize(network: nn.Module) -> None:
    """Kaiming-normal convolutions and zero biases: the paper names no initialization."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
