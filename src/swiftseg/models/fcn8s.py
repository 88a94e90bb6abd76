"""Fully Convolutional Networks for Semantic Segmentation: FCN-8s on VGG-16.

Shelhamer, Long, Darrell, arXiv:1605.06211, 2016, in its "at once" form: all three scores are
trained together and the pooled features are scaled by constants. Facts of the authors' release:

- The first convolution pads by 100 and fc6 not at all, so that any input size is legal; the crops
  below bring the three scores and the input back into register.
- Pooling rounds up; the crops' offsets hold for no other rounding.
- Dropout is element-wise, 0.5 after fc6 and fc7; the scores start at zero.

Deviation: the transposed convolutions start as bilinear interpolation and are trained, as in the
comparisons that publish 134,507,010 parameters; `freeze_up=True` fixes them as the paper does.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from swiftseg.layers.vgg16 import load_vgg16

POOL3_SCALE, POOL4_SCALE = 0.0001, 0.01
POOL4_OFFSET, POOL3_OFFSET, IMAGE_OFFSET = 5, 9, 31


class FCN8s(nn.Module):
    """VGG-16 as convolutions, scored at strides 32, 16 and 8: `forward` gives logits (N, C, H, W).

    Args:
        num_classes: C, the number of classes without void.
        freeze_up: Whether upsampling stays bilinear rather than being trained.
        backbone_weights: "imagenet", or the path of torchvision's VGG-16 file, to start the
            convolutions, fc6 and fc7 from; by default everything starts at random.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        freeze_up: bool = False,
        backbone_weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.backbone = VGG16()
        self.score_fr = nn.Conv2d(4096, num_classes, 1)
        self.score_pool4 = nn.Conv2d(512, num_classes, 1)
        self.score_pool3 = nn.Conv2d(256, num_classes, 1)
        self.up2 = up_conv(num_classes, 4, stride=2)
        self.up_pool4 = up_conv(num_classes, 4, stride=2)
        self.up8 = up_conv(num_classes, 16, stride=8)
        self.initialize()
        for up in (self.up2, self.up_pool4, self.up8):
            up.requires_grad_(not freeze_up)
        if backbone_weights is not None:
            load_vgg16(self.backbone, backbone_weights)

    def forward(self, image: Tensor) -> Tensor:
        pool3, pool4, fc7 = self.backbone(image)
        x = self.up2(self.score_fr(fc7))
        x = x + crop_like(self.score_pool4(POOL4_SCALE * pool4), x, POOL4_OFFSET)
        x = self.up_pool4(x)
        x = x + crop_like(self.score_pool3(POOL3_SCALE * pool3), x, POOL3_OFFSET)
        return crop_like(self.up8(x), image, IMAGE_OFFSET)  # (N, C, H, W)

    def initialize(self) -> None:
        for score in (self.score_fr, self.score_pool4, self.score_pool3):
            nn.init.zeros_(score.weight)
            nn.init.zeros_(torch.as_tensor(score.bias))
        for up in (self.up2, self.up_pool4, self.up8):
            fill_with_bilinear(up.weight)


class VGG16(nn.Module):
    """The convolutions of VGG-16 and its first two fully connected layers as such.

    Returns pool3 (N, 256, ~H/8 + 25, ...), pool4 (N, 512, ~H/16 + 13, ...) and fc7 (N, 4096,
    ~H/32 + 1, ...) for an image (N, 3, H, W).
    """

    def __init__(self) -> None:
        super().__init__()
        self.to_pool3 = nn.Sequential(
            *conv_stage(3, 64, 64, first_padding=100),
            *conv_stage(64, 128, 128),
            *conv_stage(128, 256, 256, 256),
        )
        self.to_pool4 = nn.Sequential(*conv_stage(256, 512, 512, 512))
        self.to_pool5 = nn.Sequential(*conv_stage(512, 512, 512, 512))
        self.fc6 = nn.Conv2d(512, 4096, 7)
        self.fc7 = nn.Conv2d(4096, 4096, 1)
        self.dropout = nn.Dropout(0.5)
        self.relu = nn.ReLU()
        self.initialize()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pool3 = self.to_pool3(image)
        pool4 = self.to_pool4(pool3)
        x = self.to_pool5(pool4)
        x = self.dropout(self.relu(self.fc6(x)))
        return pool3, pool4, self.dropout(self.relu(self.fc7(x)))

    def initialize(self) -> None:
        """As torchvision's VGG starts without weights."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                nn.init.zeros_(torch.as_tensor(module.bias))
        for fully_connected in (self.fc6, self.fc7):
            nn.init.normal_(fully_connected.weight, std=0.01)


def conv_stage(*widths: int, first_padding: int = 1) -> list[nn.Module]:
    """3x3 convolutions with ReLU, such as 3 -> 64 -> 64, and a pooling that rounds up."""
    layers: list[nn.Module] = []
    for index, width in enumerate(widths[1:]):
        padding = 1 if index else first_padding
        layers += [nn.Conv2d(widths[index], width, 3, padding=padding), nn.ReLU(inplace=True)]
    return [*layers, nn.MaxPool2d(2, ceil_mode=True)]


def up_conv(channels: int, kernel_size: int, *, stride: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, channels, kernel_size, stride=stride, bias=False)


def crop_like(features: Tensor, reference: Tensor, offset: int) -> Tensor:
    """Crop to the reference's height and width, from row and column `offset` on."""
    height, width = reference.shape[-2:]
    return features[..., offset : offset + height, offset : offset + width]


def fill_with_bilinear(weight: Tensor) -> None:
    """Make a transposed convolution (C, C, K, K) interpolate each class on its own."""
    size = weight.shape[-1]  # even
    positions = torch.arange(size, dtype=weight.dtype, device=weight.device)
    ramp = 1 - (positions - (size - 1) / 2).abs() / (size / 2)
    kernel = ramp[:, None] * ramp[None, :]  # (K, K)
    identity = torch.eye(weight.shape[0], dtype=weight.dtype, device=weight.device)
    with torch.no_grad():
        weight.copy_(identity[:, :, None, None] * kernel)
