"""Where VGG-16's layers are in torchvision's file; SegNet and FCN-8s start from them."""

from pathlib import Path

from torch import nn

from swiftseg.layers.backbone_weights import load_backbone

CONVOLUTIONS = tuple(
    f"features.{index}" for index in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
)
FULLY_CONNECTED = ("classifier.0", "classifier.3")


def load_vgg16(backbone: nn.Module, source: str | Path) -> None:
    """Fill the convolutions of `backbone`, in their order, with VGG-16's ImageNet weights.

    The weights expect RGB in 0..1 less ImageNet's mean, over its standard deviation.

    Args:
        backbone: Has VGG-16's 13 convolutions, with or without fc6 and fc7 as two more; other
            layers stay as they are.
        source: "imagenet", or the path of a local copy of torchvision's VGG-16 file.

    Raises:
        SwiftsegError: The file cannot be had or read, or does not fit.
    """
    from torchvision.models import VGG16_Weights

    ours = [name for name, module in backbone.named_modules() if isinstance(module, nn.Conv2d)]
    with_fully_connected = len(ours) > len(CONVOLUTIONS)
    theirs = CONVOLUTIONS + FULLY_CONNECTED if with_fully_connected else CONVOLUTIONS
    names = {
        f"{own}.{part}": f"{published}.{part}"
        for own, published in zip(ours, theirs, strict=True)
        for part in ("weight", "bias")
    }
    head = "classifier.6." if with_fully_connected else "classifier."
    load_backbone(backbone, VGG16_Weights.IMAGENET1K_V1, source, head=head, names=names)
