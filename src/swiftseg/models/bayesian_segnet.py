"""Bayesian SegNet: Model Uncertainty in Deep Convolutional Encoder-Decoder Architectures for Scene Understanding.

Kendall, Badrinarayanan, Cipolla, arXiv:1511.02680, 2015: SegNet and SegNet-Basic with dropout in
their middle, where the paper finds it to help most. In training mode every pass draws another
sample; their mean is the prediction, their variance its uncertainty. In eval mode, and so in an
exported file, the network is SegNet.
"""  # noqa: E501

from pathlib import Path

from swiftseg.models.segnet import SegNet, SegNetBasic


def bayesian_segnet(num_classes: int, *, backbone_weights: str | Path | None = None) -> SegNet:
    """SegNet with dropout after the last three encoder and the first three decoder stages."""
    return SegNet(num_classes, bayesian=True, backbone_weights=backbone_weights)


def bayesian_segnet_basic(
    num_classes: int, *, bias: bool = True, response_norm: bool = True
) -> SegNetBasic:
    """SegNet-Basic with dropout after the last two encoder and the first two decoder stages."""
    return SegNetBasic(num_classes, bayesian=True, bias=bias, response_norm=response_norm)
