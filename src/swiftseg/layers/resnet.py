"""torchvision's ResNets as backbones: the maps at strides 4 to 32, with or without its weights."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from torch import Tensor, nn

from swiftseg.core import unknown_name
from swiftseg.layers.backbone_weights import load_backbone

if TYPE_CHECKING:
    from torchvision.models import ResNet

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101")
# Of torchvision's first recipe: the kind that papers before 2021 started from.
WEIGHTS = "IMAGENET1K_V1"


class ResNetBackbone(nn.Module):
    """torchvision's ResNet under its own names, without the last pooling and the classifier."""

    def __init__(self, classifier: "ResNet") -> None:
        super().__init__()
        self.conv1 = classifier.conv1
        self.bn1 = classifier.bn1
        self.relu = classifier.relu
        self.maxpool = classifier.maxpool
        self.layer1 = classifier.layer1
        self.layer2 = classifier.layer2
        self.layer3 = classifier.layer3
        self.layer4 = classifier.layer4

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the maps at strides 4, 8, 16 and 32.

        Their channels are 256, 512, 1024 and 2048, or 64, 128, 256 and 512 for ResNet-18 and 34;
        their sizes are those of the image (N, 3, H, W) over the stride, rounded up.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(image))))  # (N, 64, H/4, W/4)
        stride_4 = self.layer1(x)
        stride_8 = self.layer2(stride_4)
        stride_16 = self.layer3(stride_8)
        return stride_4, stride_8, stride_16, self.layer4(stride_16)


def resnet_backbone(name: str, source: str | Path | None = None) -> ResNetBackbone:
    """Build a backbone with fresh or ImageNet weights.

    The weights expect RGB in 0..1 less ImageNet's mean, over its standard deviation.

    Args:
        name: One of `RESNETS`.
        source: "imagenet", the path of a local copy of torchvision's file, or None for fresh ones.

    Raises:
        UsageError: No backbone has that name.
        SwiftsegError: The file cannot be had or read, or does not fit.
    """
    if name not in RESNETS:
        raise unknown_name("backbone", name, RESNETS)
    from torchvision.models import get_model, get_model_weights

    backbone = ResNetBackbone(cast("ResNet", get_model(name)))
    if source is not None:
        load_backbone(backbone, get_model_weights(name)[WEIGHTS], source, head="fc.")
    return backbone
