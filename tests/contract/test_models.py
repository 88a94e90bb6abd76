"""What every network of `NETWORKS` promises; a new one is picked up by its name."""

import re

import pytest
import torch
from torch import nn

from swiftseg.models import NETWORKS, create_model
from tests.support.macs import parameter_count
from tests.support.networks import awake

CLASS_COUNTS = (11, 12, 19, 21, 22)

# Parameters at those class counts, from the papers' sheets; a new network adds its own.
EXACT_COUNTS = {
    "enet": (364_127, 364_192, 364_647, 364_777, 364_842),
    "enet_encoder": (339_575, 339_704, 340_607, 340_865, 340_994),
    "segnet": (29_449_355, 29_449_932, 29_453_971, 29_455_125, 29_455_702),
    "segnet_basic": (1_416_587, 1_416_652, 1_417_107, 1_417_237, 1_417_302),
    "bayesian_segnet": (29_449_355, 29_449_932, 29_453_971, 29_455_125, 29_455_702),
    "bayesian_segnet_basic": (1_416_587, 1_416_652, 1_417_107, 1_417_237, 1_417_302),
    "fcn8s": (134_348_929, 134_360_420, 134_456_985, 134_489_759, 134_507_010),
    "segfast": (603_019, 603_084, 603_539, 603_669, 603_734),
    "segfast_basic": (2_966_027, 2_966_092, 2_966_547, 2_966_677, 2_966_742),
    "shelfnet50": (36_640_011, 36_640_076, 36_640_531, 36_640_661, 36_640_726),
    "shelfnet101": (55_632_139, 55_632_204, 55_632_659, 55_632_789, 55_632_854),
    "shelfnet18_lw": (14_315_648, 14_316_224, 14_320_256, 14_321_408, 14_321_984),
    "shelfnet34_lw": (33_123_520, 33_124_672, 33_132_736, 33_135_040, 33_136_192),
    "fast_scnn": (1_136_091, 1_136_220, 1_137_123, 1_137_381, 1_137_510),
}

NUM_CLASSES = 3
SMALL_HW = (33, 47)  # odd at many strides, and cheap for FCN-8s, which pads it by 100


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def network(name: str) -> nn.Module:
    """Built once for all tests of a name: FCN-8s alone takes seconds and 537 MB."""
    torch.manual_seed(0)
    return awake(create_model(name, num_classes=NUM_CLASSES))


def logits_size(name: str, size_hw: tuple[int, int]) -> tuple[int, ...]:
    """The shape of the logits for one image, without computing them."""
    with torch.device("meta"):
        network, image = create_model(name, num_classes=NUM_CLASSES), torch.empty(1, 3, *size_hw)
    with torch.no_grad():
        return tuple(network.eval()(image).shape)


@pytest.mark.parametrize("num_classes", CLASS_COUNTS)
def test_the_parameters_are_counted_exactly(name: str, num_classes: int):
    expected = dict(zip(CLASS_COUNTS, EXACT_COUNTS[name], strict=True))
    count = parameter_count(lambda: create_model(name, num_classes=num_classes))
    assert count == expected[num_classes]


@pytest.mark.parametrize("size_hw", [(97, 131), (360, 480), (16, 500), (63, 65), (45, 31)])
def test_logits_have_the_images_size(name: str, size_hw: tuple[int, int]):
    assert logits_size(name, size_hw) == (1, NUM_CLASSES, *size_hw)


def test_the_smallest_image_is_one_pixel_or_named_by_the_refusal_of_it(name: str):
    try:
        assert logits_size(name, (1, 1)) == (1, NUM_CLASSES, 1, 1)
    except ValueError as refusal:
        found = re.search(r"the smallest it takes is (\d+)x(\d+)", str(refusal))
        assert found is not None
        height, width = int(found[1]), int(found[2])
        assert logits_size(name, (height, width)) == (1, NUM_CLASSES, height, width)
        for too_small_hw in ((height - 1, width), (height, width - 1)):
            with pytest.raises(ValueError, match="the smallest it takes"):
                logits_size(name, too_small_hw)


def test_eval_is_deterministic_and_sees_each_frame_alone(network: nn.Module):
    torch.manual_seed(1)
    frame, one, another = torch.rand(3, 1, 3, *SMALL_HW)
    network.eval()
    with torch.no_grad():
        beside_one = network(torch.cat((frame, one)))
        beside_another = network(torch.cat((frame, another)))
    assert beside_one.shape == (2, NUM_CLASSES, *SMALL_HW)
    assert beside_one.dtype == torch.float32
    assert beside_one.isfinite().all()
    assert torch.equal(beside_one[0], beside_another[0])
    assert not torch.equal(beside_one[1], beside_another[1])


def test_a_gradient_reaches_every_parameter(network: nn.Module):
    torch.manual_seed(2)
    network.train().zero_grad()
    logits = network(torch.rand(2, 3, *SMALL_HW))
    (logits * torch.randn_like(logits)).sum().backward()
    for path, parameter in network.named_parameters():
        assert parameter.grad is not None, path
        assert parameter.grad.isfinite().all(), path
        # A bias before batch normalization rightly gets zero.
        assert parameter.ndim < 2 or parameter.grad.any(), path
    network.zero_grad()
