"""Every paper's network gives the logits of one that was written independently of it.

Both have the same tensors, none of them as a network starts: normalization has statistics, scales
and shifts, and slopes differ by channel, so that a unit that is missing, doubled or in another
place changes the logits. In float64 they agree but for the last digits.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from swiftseg.models import create_model
from tests.support import paper_references as reference

SIZE_HW = 40, 72  # pooled to odd sizes, which only ENet, in multiples of 8, does not meet

Reference = Callable[[dict[str, Tensor], Tensor], Tensor]

NETWORKS: dict[str, tuple[str, dict[str, object], Reference]] = {
    "enet": ("enet", {}, lambda s, x: reference.enet(s, x, decoder_prelu=True)),
    "enet, release's decoder": (
        "enet",
        {"decoder": "release"},
        lambda s, x: reference.enet(s, x, decoder_prelu=False),
    ),
    "segnet": ("segnet", {}, reference.segnet),
    "segnet, bayesian": ("bayesian_segnet", {}, reference.segnet),
    "segnet-basic": (
        "segnet_basic",
        {},
        lambda s, x: reference.segnet_basic(s, 255 * x, bias=True),
    ),
    "segnet-basic, no biases": (
        "segnet_basic",
        {"bias": False},
        lambda s, x: reference.segnet_basic(s, 255 * x, bias=False),
    ),
    "segfast": ("segfast", {}, lambda s, x: reference.segfast(s, x, separable=True)),
    "segfast-basic": ("segfast_basic", {}, lambda s, x: reference.segfast(s, x, separable=False)),
    "fast-scnn": ("fast_scnn", {}, reference.fast_scnn),
    "shelfnet-50": (
        "shelfnet50",
        {},
        lambda s, x: reference.shelfnet(s, x, (3, 4, 6, 3), shared=True),
    ),
    "shelfnet-50, unshared": (
        "shelfnet50",
        {"share_weights": False},
        lambda s, x: reference.shelfnet(s, x, (3, 4, 6, 3), shared=False),
    ),
    "shelfnet-101": (
        "shelfnet101",
        {},
        lambda s, x: reference.shelfnet(s, x, (3, 4, 23, 3), shared=True),
    ),
    "shelfnet-18, light": (
        "shelfnet18_lw",
        {},
        lambda s, x: reference.shelfnet_light(s, x, (2, 2, 2, 2), reduces=True),
    ),
    "shelfnet-34, light": (
        "shelfnet34_lw",
        {},
        lambda s, x: reference.shelfnet_light(s, x, (3, 4, 6, 3), reduces=False),
    ),
}


def filled(network: nn.Module) -> nn.Module:
    """Give every tensor values that a trained network might have."""
    draws = torch.Generator().manual_seed(1)
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=draws)
        elif tensor.dim() == 1 and name.endswith("weight"):  # of normalization, and slopes
            tensor.uniform_(0.2, 1.2, generator=draws)
        elif tensor.dim() == 1:
            tensor.normal_(0, 0.2, generator=draws)
        elif not bool(tensor.any()):  # scores that start at zero
            tensor.normal_(0, 0.02, generator=draws)
    return network.eval()


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_logits_are_those_of_the_papers_tables(name: str):
    network_name, options, build = NETWORKS[name]
    torch.manual_seed(0)
    network = filled(create_model(network_name, num_classes=11, **options)).double()
    image = torch.rand(1, 3, *SIZE_HW, dtype=torch.float64)
    fed = 255 * image if network_name == "segnet_basic" else image

    logits = network(fed)

    expected = build(network.state_dict(), image)
    assert logits.shape == expected.shape == (1, 11, *SIZE_HW)
    assert logits.std() > 1e-6
    torch.testing.assert_close(logits, expected, rtol=1e-8, atol=1e-9 * float(expected.abs().max()))


@torch.no_grad()
def test_fcn8s_logits_are_those_of_the_papers_tables():
    torch.manual_seed(0)
    network = filled(create_model("fcn8s", num_classes=11))
    image = torch.rand(1, 3, 20, 36)  # the border of 100 costs more than the image
    logits, expected = network(image), reference.fcn8s(network.state_dict(), image)
    assert logits.std() > 1e-6
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@torch.no_grad()
def test_a_unit_in_another_place_is_noticed():
    torch.manual_seed(0)
    network = filled(create_model("enet", num_classes=11)).double()
    image = torch.rand(1, 3, 64, 96, dtype=torch.float64)
    expected = reference.enet(network.state_dict(), image, decoder_prelu=True)
    network.encoder.stage_2[1].extension[3].dilation = (1, 1)
    network.encoder.stage_2[1].extension[3].padding = (1, 1)
    assert (network(image) - expected).abs().max() > 1e-3 * expected.abs().max()
