from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import VGG

from swiftseg.layers.unpooling import max_pool_2x2
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.models.segnet import (
    DecoderStage,
    EncoderStage,
    LocalResponseNorm,
    SegNet,
    SegNetBasic,
    encode_and_decode,
)
from tests.support.macs import conv_gflops, parameter_count
from tests.support.networks import modules_of, outputs_of, sizes_of
from tests.support.operators import count_operators


def test_segnet_at_22_classes_has_the_published_parameters():
    assert parameter_count(lambda: SegNet(22)) == 29_455_702


@pytest.mark.parametrize(
    ("num_classes", "segnet", "biased", "unbiased"),
    [
        (11, 29_449_355, 1_416_587, 1_416_075),
        (12, 29_449_932, 1_416_652, 1_416_140),
        (19, 29_453_971, 1_417_107, 1_416_595),
        (20, 29_454_548, 1_417_172, 1_416_660),
        (21, 29_455_125, 1_417_237, 1_416_725),
        (22, 29_455_702, 1_417_302, 1_416_790),
    ],
)
def test_parameters(num_classes: int, segnet: int, biased: int, unbiased: int):
    assert parameter_count(lambda: SegNet(num_classes)) == segnet
    assert parameter_count(lambda: SegNetBasic(num_classes)) == biased
    assert parameter_count(lambda: SegNetBasic(num_classes, bias=False)) == unbiased


def test_parameters_stage_by_stage():
    with torch.device("meta"):
        network, basic = SegNet(11), SegNetBasic(11)
    encoder = [parameter_count(lambda stage=stage: stage) for stage in network.encoder]
    decoder = [parameter_count(lambda stage=stage: stage) for stage in network.decoder]
    assert encoder == [38_976, 221_952, 1_476_864, 5_902_848, 7_082_496]
    assert decoder[:-1] == [7_082_496, 5_902_080, 1_476_480, 221_760]
    assert decoder[-1] + parameter_count(lambda: network.classifier) == 37_056 + 577 * 11
    stages = [*basic.encoder, *basic.decoder, basic.classifier]
    counts = [parameter_count(lambda stage=stage: stage) for stage in stages]
    assert counts == [9_600, *[200_896] * 7, 65 * 11]


@pytest.mark.parametrize(
    ("network", "num_classes", "size_hw", "gflops"),
    [
        (SegNet, 11, (360, 640), 284.6),
        (SegNet, 11, (360, 480), 213.4),
        (SegNet, 11, (224, 224), 61.85),
        (SegNet, 11, (512, 1024), 646.3),
        (SegNet, 12, (360, 640), 284.83),
        (SegNet, 12, (360, 480), 213.62),
        (SegNet, 12, (224, 224), 61.91),
        (SegNet, 12, (512, 1024), 646.9),
        (SegNet, 19, (360, 640), 286.69),
        (SegNet, 19, (512, 1024), 651.1),
        (SegNet, 20, (360, 640), 286.96),
        (SegNet, 20, (360, 480), 215.22),
        (SegNet, 20, (224, 224), 62.37),
        (SegNet, 20, (512, 1024), 651.7),
        (SegNetBasic, 11, (360, 640), 157.8),
        (SegNetBasic, 11, (360, 480), 118.4),
        (SegNetBasic, 11, (224, 224), 34.37),
        (SegNetBasic, 11, (512, 1024), 359.2),
    ],
)
def test_operations(network: type[nn.Module], num_classes: int, size_hw, gflops: float):
    # The sheet gives four or five digits.
    assert conv_gflops(lambda: network(num_classes), size_hw) == pytest.approx(gflops, rel=3e-4)


def test_maps_are_pooled_up_and_unpooled_to_the_same_sizes():
    with torch.device("meta"):
        network, image = SegNet(11).eval(), torch.empty(1, 3, 360, 480)
    names = [f"{half}.{index}" for half in ("encoder", "decoder") for index in range(5)]
    outputs = outputs_of(network, names, lambda: network(image))
    pooled = [tuple(outputs[name][0][0].shape[-2:]) for name in names[:5]]
    unpooled = [tuple(outputs[name][0].shape[-2:]) for name in names[5:]]
    assert pooled == [(180, 240), (90, 120), (45, 60), (23, 30), (12, 15)]
    assert unpooled == [(23, 30), (45, 60), (90, 120), (180, 240), (360, 480)]


@pytest.mark.parametrize("size_hw", [(360, 480), (97, 131), (90, 120), (1, 1)])
@pytest.mark.parametrize("network", [SegNet, SegNetBasic])
def test_logits_have_the_images_size(network: type[nn.Module], size_hw: tuple[int, int]):
    assert sizes_of(lambda: network(11), [""], size_hw)[""] == (11, *size_hw)


@pytest.mark.parametrize("size_hw", [(23, 30), (45, 60), (9, 11)])
@pytest.mark.parametrize("depth", [1, 3])
def test_without_convolutions_each_maximum_returns_to_its_place(size_hw, depth: int):
    encoder = [EncoderStage(nn.Identity(), dropout=False) for _ in range(depth)]
    decoder = [DecoderStage(nn.Identity(), dropout=False) for _ in range(depth)]
    image = torch.randn(2, 3, *size_hw)
    returned = encode_and_decode(image, encoder, decoder)

    handed_over = []
    expected = image
    for _ in range(depth):
        size = list(expected.shape[-2:])
        expected, indices = F.max_pool2d(expected, 2, ceil_mode=True, return_indices=True)
        handed_over.append((indices, size))
    for indices, size in reversed(handed_over):
        expected = F.max_unpool2d(expected, indices, 2, output_size=size)

    assert torch.equal(returned, expected)
    kept = returned != 0
    assert torch.equal(returned[kept], image[kept])


def test_switches_are_used_once_in_reverse_order():
    network = SegNetBasic(3).eval()
    made: list[torch.Tensor] = []
    used: list[torch.Tensor] = []
    for stage in network.encoder:
        stage.register_forward_hook(lambda _stage, _inputs, output: made.append(output[1]))
    for stage in network.decoder:
        stage.register_forward_hook(lambda _stage, inputs, _output: used.append(inputs[1]))
    with torch.no_grad():
        network(torch.rand(1, 3, 23, 30))
    assert [id(switches) for switches in used] == [id(switches) for switches in reversed(made)]
    assert len({id(switches) for switches in used}) == 4


def test_segnet_has_25_relus_and_25_norms_and_basic_has_4_relus():
    image = torch.rand(1, 3, 32, 32)
    with torch.device("meta"):
        network = SegNet(3).eval()
    counts = count_operators(network, image.to("meta"))
    assert counts["relu"] + counts["relu_"] == 25
    assert len(modules_of(network, nn.BatchNorm2d)) == 25
    assert len(modules_of(network, nn.Conv2d)) == 26
    basic = SegNetBasic(3).eval()
    counts = count_operators(basic, image)
    assert counts["relu"] + counts["relu_"] == 4
    assert len(modules_of(basic, nn.BatchNorm2d)) == 8


@pytest.mark.parametrize(("network", "kernel_size"), [(SegNet, 3), (SegNetBasic, 1)])
def test_nothing_follows_the_classifier(network: type[nn.Module], kernel_size: int):
    with torch.device("meta"):
        built, image = network(11).eval(), torch.empty(1, 3, 32, 32)
    assert isinstance(built.classifier, nn.Conv2d)
    assert built.classifier.kernel_size == (kernel_size, kernel_size)
    assert built.classifier.bias is not None
    outputs = outputs_of(built, ["classifier", ""], lambda: built(image))
    assert outputs["classifier"][0] is outputs[""][0]


def test_vgg16_fills_the_encoders_13_convolutions(published_vgg16: tuple[VGG, Path]):
    published, path = published_vgg16
    network = SegNet(3, backbone_weights=path)
    ours = modules_of(network.encoder, nn.Conv2d)
    theirs = modules_of(published.features, nn.Conv2d)
    assert len(ours) == len(theirs) == 13
    for own, their in zip(ours, theirs, strict=True):
        assert torch.equal(own.weight, their.weight)
        assert torch.equal(own.bias, their.bias)
    for norm in modules_of(network, nn.BatchNorm2d):
        assert norm.weight.eq(1).all()
        assert norm.bias.eq(1e-3).all()
        assert norm.running_mean.eq(0).all()
        assert norm.running_var.eq(1).all()


def test_void_pixels_add_no_loss_and_no_gradient():
    torch.manual_seed(0)
    mask = torch.randint(0, 4, (2, 23, 30))
    mask[:, :5] = 11
    logits = SegNetBasic(4).eval()(torch.rand(2, 3, 23, 30))
    logits.retain_grad()
    loss = WeightedCrossEntropy(torch.tensor([0.5, 1.0, 2.0, 4.0]), ignore_index=11)
    loss(logits, mask)[0].backward()
    assert logits.grad is not None
    assert logits.grad[:, :, :5].eq(0).all()
    assert logits.grad[:, :, 5:].ne(0).any()
    moved = logits.detach().clone()
    moved[:, :, :5] += torch.randn(2, 4, 5, 30)
    assert torch.equal(loss(moved, mask)[0], loss(logits.detach(), mask)[0])


def test_response_norm_equals_torchs_own():
    image = 255 * torch.rand(2, 3, 7, 9)
    expected = F.local_response_norm(image, size=5, alpha=1e-4, beta=0.75, k=1)
    torch.testing.assert_close(LocalResponseNorm()(image), expected)


def test_response_norm_can_be_left_out():
    basic = SegNetBasic(3, response_norm=False)
    image = 255 * torch.rand(1, 3, 8, 8)
    assert torch.equal(basic.input_norm(image), image)


@pytest.mark.parametrize("build", [SegNet, SegNetBasic])
def test_initialization_is_the_releases(build: type[nn.Module]):
    torch.manual_seed(0)
    network = build(3)
    for conv in modules_of(network, nn.Conv2d):
        fan_in = conv.weight[0].numel()
        assert conv.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.15)
        assert conv.bias.eq(0).all()
    for norm in modules_of(network, nn.BatchNorm2d):
        assert norm.weight.eq(1).all()
        assert norm.bias.eq(1e-3).all()


def test_dropout_comes_after_pooling():
    torch.manual_seed(0)
    stage = EncoderStage(nn.Identity(), dropout=True)
    image = torch.rand(1, 1, 64, 64) + 1
    pooled, switches, _ = stage(image)
    maxima, expected = max_pool_2x2(image)
    assert torch.equal(switches, expected)
    kept = pooled != 0
    assert kept.float().mean().item() == pytest.approx(0.5, abs=0.05)
    torch.testing.assert_close(pooled[kept], 2 * maxima[kept])
