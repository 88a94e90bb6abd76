"""Choices of the papers, undone one by one: section 4 of ENet's, and ShelfNet's dropout."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from swiftseg.models.enet import (
    Bottleneck,
    DownBottleneck,
    ENet,
    ENetEncoder,
    InitialBlock,
    UpBottleneck,
    batch_norm,
)

MORE_MAPS = 32  # of the initial block, which has 16


def without_dilation(network: nn.Module) -> None:
    """Let every dilated convolution be a regular one."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.dilation != (1, 1):
            module.dilation, module.padding = (1, 1), (1, 1)


def relu_in_encoder(network: nn.Module) -> None:
    """Let ReLU stand for PReLU in the encoder."""
    for parent in list(encoder_of(network).modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.PReLU):
                setattr(parent, name, nn.ReLU())


def more_initial_maps(network: nn.Module) -> None:
    """Let the initial block have 32 maps, and the decoder's last stage as many."""
    encoder = encoder_of(network)
    encoder.initial = InitialBlock()
    encoder.initial.conv = nn.Conv2d(3, MORE_MAPS - 3, 3, stride=2, padding=1)
    encoder.initial.norm = batch_norm(MORE_MAPS)
    encoder.initial.act = nn.PReLU(MORE_MAPS)
    encoder.down_1 = DownBottleneck(MORE_MAPS, 64, dropout=0.01)
    if isinstance(network, ENet):
        decoder, num_classes = network.decoder, network.decoder.fullconv.out_channels
        decoder.up_5 = UpBottleneck(64, MORE_MAPS, dropout=0.1, activation=nn.PReLU)
        decoder.stage_5 = Bottleneck(MORE_MAPS, dropout=0.1)
        decoder.fullconv = nn.ConvTranspose2d(MORE_MAPS, num_classes, 2, stride=2)


def narrow_projection(network: nn.Module) -> None:
    """Let downsampling projections see one pixel of four, as ResNet's do."""
    for module in network.modules():
        if isinstance(module, DownBottleneck):
            wide = module.extension[0]
            assert isinstance(wide, nn.Conv2d)
            module.extension[0] = nn.Conv2d(
                wide.in_channels, wide.out_channels, 1, stride=2, bias=False
            )


def without_dropout(network: nn.Module) -> None:
    """Let no branch be thinned."""
    for module in network.modules():
        if isinstance(module, nn.Dropout2d):
            module.p = 0.0


class DropBranch(nn.Module):
    """Stochastic depth (Huang et al., arXiv:1603.09382): a sample's whole branch, or nothing."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        if not self.training:
            return branch
        kept = torch.rand(len(branch), 1, 1, 1, device=branch.device) >= self.rate
        return branch * kept / (1 - self.rate)


def stochastic_depth(network: nn.Module) -> None:
    """Let whole branches be dropped, at the rates of their spatial dropout."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Dropout2d):
                setattr(parent, name, DropBranch(child.p))


CHANGES: dict[str, Callable[[nn.Module], None]] = {
    "without dilation": without_dilation,
    "ReLU in the encoder": relu_in_encoder,
    "32 initial maps": more_initial_maps,
    "1x1 projection": narrow_projection,
    "without spatial dropout": without_dropout,
    "stochastic depth": stochastic_depth,
}


def encoder_of(network: nn.Module) -> ENetEncoder:
    [encoder] = [module for module in network.modules() if isinstance(module, ENetEncoder)]
    return encoder
