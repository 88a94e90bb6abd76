import math
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import VGG

from swiftseg.models.fcn8s import FCN8s, fill_with_bilinear
from tests.support.macs import conv_gflops, parameter_count
from tests.support.networks import awake, modules_of, outputs_of, sizes_of

MAPS = [
    *("backbone.to_pool3.1", "backbone.to_pool3.4", "backbone.to_pool3.9", "backbone.to_pool3"),
    *("backbone.to_pool4", "backbone.to_pool5", "backbone.fc6", "backbone.fc7"),
    *("score_fr", "up2", "score_pool4", "up_pool4", "score_pool3", "up8", ""),
]


@pytest.fixture(scope="module")
def network() -> FCN8s:
    """Three classes, fresh, in eval mode; 537 MB, hence one for all."""
    torch.manual_seed(0)
    return FCN8s(3).eval()


@pytest.mark.parametrize(
    ("num_classes", "count"),
    [
        (11, 134_348_929),
        (12, 134_360_420),
        (13, 134_372_487),
        (19, 134_456_985),
        (20, 134_473_084),
        (21, 134_489_759),
        (22, 134_507_010),  # published
        (66, 135_836_294),
    ],
)
def test_parameters(num_classes: int, count: int):
    assert parameter_count(lambda: FCN8s(num_classes)) == count
    assert count == 134_260_544 + 4_867 * num_classes + 288 * num_classes**2


@pytest.mark.parametrize(
    ("num_classes", "size_hw", "gflops"),
    [
        (11, (224, 224), 125.45),
        (11, (360, 480), 278.93),
        (11, (512, 1024), 668.2),
        (12, (224, 224), 125.47),
        (12, (360, 480), 278.98),
        (12, (500, 500), 362.23),
        (12, (512, 512), 379.81),
        (21, (224, 224), 125.72),
        (21, (360, 480), 279.62),
        (21, (500, 500), 363.06),
        (21, (512, 512), 380.73),
    ],
)
def test_operations(num_classes: int, size_hw: tuple[int, int], gflops: float):
    # The sheet gives four or five digits.
    assert conv_gflops(lambda: FCN8s(num_classes), size_hw) == pytest.approx(gflops, rel=1e-4)


def test_sizes_of_all_maps_at_224x224():
    sizes = sizes_of(lambda: FCN8s(22), MAPS, (224, 224))
    widths = [64, 64, 128, 256, 512, 512, 4096, 4096, *[22] * 7]
    heights = [422, 211, 106, 53, 27, 14, 8, 8, 8, 18, 27, 38, 53, 312, 224]
    names = [*MAPS[:1], "backbone.to_pool3.4", "backbone.to_pool3.9", *MAPS[3:]]
    assert len(names) == len(heights)
    assert [sizes[name] for name in names] == [
        (width, height, height) for width, height in zip(widths, heights, strict=True)
    ]


def test_sizes_of_the_maps_at_360x480():
    names = [name for name in MAPS if name not in ("backbone.to_pool3.1", "backbone.fc7")]
    sizes = sizes_of(lambda: FCN8s(22), names, (360, 480))
    pools = [sizes[name][1:] for name in names[:5]]
    assert pools == [(279, 339), (140, 170), (70, 85), (35, 43), (18, 22)]
    assert sizes["backbone.fc6"] == (4096, 12, 16)
    assert sizes["up2"] == (22, 26, 34)
    assert sizes["up_pool4"] == (22, 54, 70)
    assert sizes["up8"] == (22, 440, 568)
    assert sizes[""] == (22, 360, 480)


@pytest.mark.parametrize("size_hw", [(224, 224), (360, 480), (97, 131), (32, 32), (1, 1)])
def test_logits_have_the_images_size(size_hw: tuple[int, int]):
    assert sizes_of(lambda: FCN8s(11), [""], size_hw)[""] == (11, *size_hw)


def test_fresh_logits_are_zero_and_the_loss_is_the_logarithm_of_the_classes(network: FCN8s):
    network.initialize()  # what a fresh one has done: another test may have filled the scores
    with torch.no_grad():
        logits = network(torch.rand(1, 3, 8, 8))
    assert logits.eq(0).all()
    mask = torch.randint(0, 3, (1, 8, 8))
    assert F.cross_entropy(logits, mask).item() == pytest.approx(math.log(3))


def test_weights_start_as_torchvisions_vgg16_without_any(network: FCN8s):
    convs = modules_of(network.backbone, nn.Conv2d)
    for conv in convs[:13]:
        assert conv.weight.std().item() == pytest.approx(
            (2 / (9 * conv.out_channels)) ** 0.5, rel=0.1
        )
    for fully_connected in convs[13:]:
        assert fully_connected.weight[:64].std().item() == pytest.approx(0.01, rel=0.01)


@pytest.mark.parametrize(("size", "total"), [(4, 4.0), (16, 64.0)])
def test_upsampling_starts_bilinear(size: int, total: float):
    weight = torch.empty(3, 3, size, size)
    fill_with_bilinear(weight)
    torch.testing.assert_close(weight.sum(dim=(2, 3)), total * torch.eye(3))
    # Independent: the kernel is the answer of bilinear interpolation to a single one.
    impulse = torch.zeros(1, 1, 5, 5)
    impulse[..., 2, 2] = 1
    factor = size // 2
    answer = F.interpolate(impulse, scale_factor=factor, mode="bilinear", align_corners=False)
    start = 2 * factor - factor // 2
    torch.testing.assert_close(
        weight[0, 0], answer[0, 0, start : start + size, start : start + size]
    )


@pytest.mark.parametrize("name", ["up2", "up_pool4", "up8"])
def test_a_constant_map_stays_constant_away_from_borders(network: FCN8s, name: str):
    up = network.get_submodule(name)
    constant = torch.tensor([1.5, -2.0, 0.25]).reshape(1, 3, 1, 1)
    with torch.no_grad():
        upsampled = up(constant.expand(1, 3, 5, 6))
    border = up.kernel_size[0] - up.stride[0]
    inner = upsampled[..., border:-border, border:-border]
    torch.testing.assert_close(inner, constant.expand_as(inner))


def test_upsampling_is_trained_unless_frozen():
    with torch.device("meta"):
        trained, frozen = FCN8s(3), FCN8s(3, freeze_up=True)
    assert all(parameter.requires_grad for parameter in trained.parameters())
    still = {name for name, parameter in frozen.named_parameters() if not parameter.requires_grad}
    assert still == {"up2.weight", "up_pool4.weight", "up8.weight"}


def test_pooled_features_are_scaled_before_they_are_scored(network: FCN8s):
    torch.manual_seed(0)
    image = torch.rand(1, 3, 8, 8)
    names = ["backbone", "score_pool3", "score_pool4"]
    outputs = outputs_of(awake(network), names, lambda: network(image))
    pool3, pool4, _ = outputs["backbone"][0]
    for features, name, scale in ((pool3, "score_pool3", 1e-4), (pool4, "score_pool4", 1e-2)):
        score = network.get_submodule(name)
        unscaled = F.conv2d(features, score.weight * scale, score.bias)
        torch.testing.assert_close(outputs[name][0], unscaled)


def test_a_hundredfold_score_makes_up_for_the_scale(network: FCN8s):
    image = torch.rand(1, 3, 8, 8)
    score = awake(network).get_submodule("score_pool4")
    unscale = score.register_forward_pre_hook(lambda _score, inputs: (100 * inputs[0],))
    with torch.no_grad():
        expected = network(image)
        unscale.remove()
        unchanged = network(image)
        score.weight *= 100
        scaled = network(image)
        score.weight /= 100
    torch.testing.assert_close(scaled, expected)
    assert not torch.allclose(unchanged, expected)


def test_dropout_is_elementwise_and_rests_in_eval(network: FCN8s):
    (dropout,) = modules_of(network, nn.Dropout)
    assert dropout.p == 0.5
    image = torch.rand(1, 3, 8, 8)
    calls = outputs_of(awake(network), ["", "backbone.dropout"], lambda: network(image))
    with torch.no_grad():
        assert torch.equal(network(image), calls[""][0])
    assert calls[""][0].ne(0).any()
    assert len(calls["backbone.dropout"]) == 2  # after fc6 and after fc7


def test_vgg16_fills_13_convolutions_fc6_and_fc7(published_vgg16: tuple[VGG, Path]):
    published, path = published_vgg16
    network = FCN8s(1, backbone_weights=path)
    ours = modules_of(network.backbone, nn.Conv2d)
    theirs = modules_of(published.features, nn.Conv2d)
    assert len(ours[:13]) == len(theirs)
    for own, their in zip(ours[:13], theirs, strict=True):
        assert torch.equal(own.weight, their.weight)
        assert torch.equal(own.bias, their.bias)
    features = torch.rand(1, 512, 7, 7)  # what VGG-16 flattens
    fc6, fc7 = published.classifier[0], published.classifier[3]
    with torch.no_grad():
        hidden = fc6(features.flatten(1))
        torch.testing.assert_close(network.backbone.fc6(features).flatten(1), hidden)
        torch.testing.assert_close(
            network.backbone.fc7(hidden[:, :, None, None]).flatten(1), fc7(hidden)
        )
    assert network.score_fr.weight.eq(0).all()
