import pytest
import torch
from torch import nn
from torch.nn import functional as F

from swiftseg.core import InputSpec, UsageError
from swiftseg.losses.cross_entropy import WeightedCrossEntropy
from swiftseg.models.fast_scnn import (
    BottleneckResidual,
    FastSCNN,
    FastSCNNImageNet,
    GlobalFeatureExtractor,
    LearningToDownsample,
    average_pool_to,
    ds_conv,
)
from swiftseg.recipes import load_recipe
from swiftseg.recipes.recipe import Loss
from swiftseg.runtimes.torch_backend import FrameGraph
from swiftseg.training.criterion import Criterion
from swiftseg.training.step import TrainingStep
from tests.support.macs import conv_gflops, parameter_count
from tests.support.networks import modules_of, outputs_of, sizes_of
from tests.support.operators import count_operators


def trained(**options: bool) -> FastSCNN:
    """A network whose batch statistics have seen something."""
    torch.manual_seed(0)
    network = FastSCNN(4, **options).train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(4, 3, 64, 64))
    return network.eval()


@pytest.mark.parametrize(
    ("num_classes", "count"),
    [
        (11, 1_136_091),
        (12, 1_136_220),
        (19, 1_137_123),
        (20, 1_137_252),
        (21, 1_137_381),
        (22, 1_137_510),
    ],
)
def test_parameters(num_classes: int, count: int):
    assert parameter_count(lambda: FastSCNN(num_classes)) == count


def test_without_norms_there_are_the_published_parameters():
    with torch.device("meta"):
        network = FastSCNN(19)
    norms = sum(
        parameter_count(lambda norm=norm: norm) for norm in modules_of(network, nn.BatchNorm2d)
    )
    assert norms == 23_008
    assert parameter_count(lambda: network) - norms == 1_114_115


def test_parameters_module_by_module():
    with torch.device("meta"):
        network = FastSCNN(19)

    def counts(modules: nn.Module) -> list[int]:
        return [parameter_count(lambda module=module: module) for module in modules.children()]

    assert counts(network.learning_to_downsample) == [864 + 64, 1_920, 3_632]
    assert counts(network.global_feature_extractor) == [
        *[54_272] * 3,
        *[66_624, 118_272, 118_272],
        *[136_768, 206_848, 206_848],
        49_664,
    ]
    assert counts(network.feature_fusion) == [18_048, 8_448, 0]
    assert counts(network.classifier) == [17_792, 17_792, 0, 129 * 19]
    assert parameter_count(LearningToDownsample) == 928 + 1_920 + 3_632
    assert parameter_count(GlobalFeatureExtractor) == 1_066_112


@pytest.mark.parametrize(
    ("num_classes", "size_hw", "gflops"),
    [
        (19, (1024, 2048), 13.419),
        (19, (512, 1024), 3.355),
        (19, (256, 512), 0.839),
        (19, (360, 480), 1.130),
        (19, (360, 640), 1.506),
        (11, (1024, 2048), 13.352),
        (11, (512, 1024), 3.338),
        (11, (256, 512), 0.835),
        (11, (360, 480), 1.124),
    ],
)
def test_operations(num_classes: int, size_hw: tuple[int, int], gflops: float):
    # The sheet gives three decimals.
    assert conv_gflops(lambda: FastSCNN(num_classes), size_hw) == pytest.approx(gflops, abs=6e-4)


def test_sizes_at_1024x2048():
    names = [
        "learning_to_downsample",
        "global_feature_extractor",
        "feature_fusion",
        "classifier",
        "",
    ]
    sizes = sizes_of(lambda: FastSCNN(19), names, (1024, 2048))
    assert list(sizes.values()) == [
        (64, 128, 256),
        (128, 32, 64),
        (128, 128, 256),
        (19, 128, 256),
        (19, 1024, 2048),
    ]
    stages = [f"global_feature_extractor.{index}" for index in (2, 5, 8)]
    sizes = sizes_of(lambda: FastSCNN(19), stages, (1024, 2048))
    assert list(sizes.values()) == [(64, 64, 128), (96, 32, 64), (128, 32, 64)]


@pytest.mark.parametrize("size_hw", [(97, 131), (360, 480), (256, 512), (1, 1)])
def test_logits_have_the_images_size(size_hw: tuple[int, int]):
    names = ["learning_to_downsample", "feature_fusion", ""]
    sizes = sizes_of(lambda: FastSCNN(19), names, size_hw)
    assert sizes[""] == (19, *size_hw)
    assert sizes["feature_fusion"][1:] == sizes["learning_to_downsample"][1:]


def test_nothing_stands_inside_a_depthwise_separable_convolution():
    kinds = [type(module) for module in ds_conv(32, 48, stride=2)]
    assert kinds == [nn.Conv2d, nn.Conv2d, nn.BatchNorm2d, nn.ReLU]


def test_the_activation_is_plain_relu_and_only_the_classifier_has_a_bias():
    with torch.device("meta"):
        network = FastSCNN(19)
    kinds = {type(module) for module in network.modules() if not list(module.children())}
    assert kinds == {nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Dropout, nn.ModuleList}
    biased = [conv for conv in modules_of(network, nn.Conv2d) if conv.bias is not None]
    assert biased == [network.classifier[-1]]


def test_the_fusions_depthwise_convolution_is_dilated_by_4():
    with torch.device("meta"):
        depthwise = modules_of(FastSCNN(19).feature_fusion, nn.Conv2d)[0]
    assert (depthwise.dilation, depthwise.padding, depthwise.groups) == ((4, 4), (4, 4), 128)


def test_there_are_six_residual_additions():
    with torch.device("meta"):
        network, image = FastSCNN(19).eval(), torch.empty(1, 3, 64, 64)
    blocks = modules_of(network, BottleneckResidual)
    assert [block.residual for block in blocks] == [False, True, True] * 3
    assert count_operators(network, image)["add"] == 6 + 1  # one more is the feature fusion


@pytest.mark.parametrize("size_hw", [(12, 15), (32, 64), (4, 5), (1, 1)])
@pytest.mark.parametrize("bins", [1, 2, 3, 6])
def test_pooling_equals_torchs_own(size_hw: tuple[int, int], bins: int):
    features = torch.rand(2, 3, *size_hw)
    expected = F.adaptive_avg_pool2d(features, bins)
    torch.testing.assert_close(average_pool_to(features, bins), expected)


def test_labels_are_the_likeliest_classes_and_probabilities_sum_to_one():
    network = trained()
    spec = InputSpec(size_hw=(40, 56))
    frames = torch.randint(0, 256, (2, 40, 56, 3), dtype=torch.uint8)
    with torch.no_grad():
        labels = FrameGraph(network, spec, "labels")(frames)[0]
        probs = FrameGraph(network, spec, "probs")(frames)[0]
    assert torch.equal(probs.argmax(dim=1), labels.long())
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(2, 40, 56))


def test_without_the_skip_its_branch_adds_nothing():
    network = trained()
    ablated = FastSCNN(4, skip=False).eval()
    ablated.load_state_dict(network.state_dict())
    image = torch.rand(1, 3, 40, 56)
    with torch.no_grad():
        whole = network(image)
        network.feature_fusion.detail.register_forward_hook(lambda *args: 0 * args[-1])
        expected = network(image)
        assert torch.equal(ablated(image), expected)
    assert not torch.allclose(whole, expected)


def test_without_the_skip_its_parameters_are_gone():
    assert parameter_count(lambda: FastSCNN(19, skip=False)) == 1_128_675 == 1_137_123 - 8_448


def test_14_depthwise_weights_are_to_be_left_out_of_weight_decay():
    with torch.device("meta"):
        network = FastSCNN(19)

    def depthwise(module: nn.Module) -> int:
        convs = modules_of(module, nn.Conv2d)
        return sum(conv.groups == conv.in_channels > 1 for conv in convs)

    assert depthwise(network.learning_to_downsample) == 2
    assert depthwise(network.global_feature_extractor) == 9
    assert depthwise(network.feature_fusion) == 1
    assert depthwise(network.classifier) == 2


def test_equal_heads_give_1_8_times_the_main_loss():
    network = FastSCNN(4, aux_heads=True)
    for head in (network.classifier, *network.aux_heads):
        nn.init.zeros_(head[-1].weight)
        head[-1].bias.data = torch.tensor([0.0, 1.0, 2.0, 3.0])
    frames = torch.randint(0, 256, (2, 97, 131, 3), dtype=torch.uint8)
    mask = torch.randint(0, 4, (2, 97, 131), dtype=torch.uint8)
    step = TrainingStep(
        network,
        Criterion([(1.0, WeightedCrossEntropy(None, ignore_index=255))]),
        load_recipe("fast_scnn_cityscapes").loss,
        InputSpec((97, 131)),
        coarse=False,
    )
    sums, normalizers, _ = step(frames, mask)
    main = F.cross_entropy(step.graph.logits(frames), mask.long())
    assert (sums / normalizers).item() == pytest.approx(1.8 * main.item())


def test_aux_heads_are_where_the_paper_has_them():
    network = trained(aux_heads=True)
    assert parameter_count(lambda: FastSCNN(19, aux_heads=True)) == 1_137_123 + 1_235 + 2_451
    names = ["learning_to_downsample", "global_feature_extractor"]
    image = torch.rand(1, 3, 40, 56)
    stages = outputs_of(network, names, lambda: network(image))
    with torch.no_grad():
        logits, aux, _, _ = network.training_outputs(image)
        assert torch.equal(logits, network(image))
        for name, head, given in zip(names, network.aux_heads, aux, strict=True):
            coarse = head(stages[name][0])
            resized = F.interpolate(coarse, (40, 56), mode="bilinear", align_corners=False)
            assert torch.equal(given, resized)


def test_aux_heads_take_no_part_in_eval():
    network = trained(aux_heads=True)
    plain = FastSCNN(4).eval()
    kept = {k: v for k, v in network.state_dict().items() if not k.startswith("aux_heads.")}
    plain.load_state_dict(kept)
    image = torch.rand(1, 3, 40, 56)
    assert count_operators(network, image) == count_operators(plain, image)
    with torch.no_grad():
        assert torch.equal(network(image), plain(image))
        assert torch.equal(network(image), network(image))  # no dropout


def test_a_loss_of_heads_that_are_not_there_is_refused():
    spec = InputSpec((32, 32))
    step = TrainingStep(FastSCNN(4), Criterion([]), Loss(aux_weight=0.4), spec, coarse=False)
    with pytest.raises(UsageError, match=r"needs auxiliary heads, .* option aux_heads"):
        step.outputs(torch.rand(2, 3, 32, 32))


def test_dropout_stands_before_the_last_convolution_alone():
    with torch.device("meta"):
        network = FastSCNN(19)
    (dropout,) = modules_of(network, nn.Dropout)
    assert network.classifier[-2] is dropout
    assert dropout.p == 0.1


def test_convolutions_start_kaiming_normal_by_their_outputs():
    torch.manual_seed(0)
    network = FastSCNN(19)
    for conv in modules_of(network, nn.Conv2d):
        fan_out = conv.out_channels * conv.kernel_size[0] * conv.kernel_size[1]
        deviation = conv.weight.std().item()
        assert deviation == pytest.approx((2 / fan_out) ** 0.5, rel=0.2)
    for norm in modules_of(network, nn.BatchNorm2d):
        assert norm.weight.eq(1).all()
        assert norm.bias.eq(0).all()


def test_the_imagenet_head_is_a_mean_and_one_linear_layer():
    torch.manual_seed(0)
    network = FastSCNNImageNet(10).eval()
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        features = network.global_feature_extractor(network.learning_to_downsample(image))
        pooled = F.adaptive_avg_pool2d(features, 1).flatten(1)
        torch.testing.assert_close(network(image), network.classifier(pooled))
    assert parameter_count(FastSCNNImageNet) == 6_480 + 1_066_112 + 129 * 1000


def test_imagenet_weights_fit_the_segmentation_network():
    pretrained, network = FastSCNNImageNet(10), FastSCNN(4)
    moved = {k: v for k, v in pretrained.state_dict().items() if not k.startswith("classifier.")}
    missing, unexpected = network.load_state_dict(moved, strict=False)
    assert unexpected == []
    assert {name.partition(".")[0] for name in missing} == {"feature_fusion", "classifier"}


class TestPort:
    """The variant of the public port; tests/importing holds its logits against the port's."""

    def test_normalization_inside_separable_convolutions_adds_672(self):
        counts = {11: 1_136_763, 12: 1_136_892, 19: 1_137_795, 20: 1_137_924, 21: 1_138_053}
        counts[22] = 1_138_182
        for num_classes, count in counts.items():
            assert parameter_count(lambda c=num_classes: FastSCNN(c, variant="port")) == count

    def test_the_fusion_is_not_dilated_and_the_first_convolution_does_not_pad(self):
        with torch.device("meta"):
            network = FastSCNN(4, variant="port")
        [depthwise] = [
            conv for conv in modules_of(network.feature_fusion, nn.Conv2d) if conv.groups == 128
        ]
        assert (depthwise.dilation, depthwise.padding) == ((1, 1), (1, 1))
        assert modules_of(network, nn.Conv2d)[0].padding == (0, 0)

    def test_logits_have_the_input_size(self):
        network = FastSCNN(4, variant="port").eval()
        for size_hw in ((97, 131), (128, 256)):
            with torch.no_grad():
                assert network(torch.rand(1, 3, *size_hw)).shape == (1, 4, *size_hw)

    def test_an_unknown_variant(self):
        with pytest.raises(ValueError, match="'tramac'; choose paper or port"):
            FastSCNN(4, variant="tramac")
