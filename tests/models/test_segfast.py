import pytest
import torch
from torch import Tensor, nn

from swiftseg.layers.resizing import pad_to
from swiftseg.models.segfast import Convolutions, SkipStage, Spark, segfast, segfast_basic
from tests.support.macs import conv_gflops, parameter_count
from tests.support.operators import count_operators

VARIANTS = ("paper", "post_bn", "release")
NETWORKS = (segfast, segfast_basic)
CLASS_COUNTS = (11, 12, 13, 19, 20, 21, 22, 66)
SEGFAST_COUNTS = (603_019, 603_084, 603_149, 603_539, 603_604, 603_669, 603_734, 606_594)
BASIC_COUNTS = (
    *(2_966_027, 2_966_092, 2_966_157, 2_966_547),
    *(2_966_612, 2_966_677, 2_966_742, 2_969_602),
)


def disturb_norms(network: nn.Module) -> None:
    """Return batch normalization statistics and parameters that leave nothing as it is."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)


def convolutions(network: nn.Module) -> list[nn.Module]:
    return [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]


@pytest.mark.parametrize(
    ("num_classes", "count"), [*zip(CLASS_COUNTS, SEGFAST_COUNTS, strict=True)]
)
def test_segfast_has_exactly_the_parameters_of_its_reading(num_classes: int, count: int):
    assert parameter_count(lambda: segfast(num_classes)) == count


@pytest.mark.parametrize(("num_classes", "count"), [*zip(CLASS_COUNTS, BASIC_COUNTS, strict=True)])
def test_basic_has_exactly_the_parameters_of_its_reading(num_classes: int, count: int):
    assert parameter_count(lambda: segfast_basic(num_classes)) == count


def test_both_are_within_a_thousandth_of_the_papers_counts():
    small, basic = parameter_count(lambda: segfast(22)), parameter_count(lambda: segfast_basic(22))
    assert small == pytest.approx(603_288, rel=1e-3)
    assert basic == pytest.approx(2_965_976, rel=1e-3)
    # Table 5 compares with SegNet's 29,455,702 and FCN-8s' 134,507,010.
    assert round(basic / small, 2) == 4.91
    assert round(29_455_702 / small, 1) == 48.8
    assert round(134_507_010 / small, 1) == 222.8


@pytest.mark.parametrize(
    ("variant", "small", "basic"),
    [("post_bn", 603_222, 2_968_022), ("release", 627_482, 2_851_958)],
)
def test_the_other_variants_have_their_counts(variant: str, small: int, basic: int):
    assert parameter_count(lambda: segfast(22, variant=variant)) == small
    assert parameter_count(lambda: segfast_basic(22, variant=variant)) == basic


BLOCK_COUNTS = {
    "encoder_1": (1_792, 1_792),
    "encoder_2": (8_352, 24_352),
    "encoder_3": (31_040, 95_808),
    "encoder_4": (199_136, 606_048),
    "decoder_3.up": (134_912, 524_544),
    "decoder_3.conv": (137_472, 1_179_904),
    "decoder_2.up": (34_688, 131_200),
    "decoder_2.conv": (35_968, 295_040),
    "decoder_1.up": (9_152, 32_832),
    "decoder_1.conv": (9_792, 73_792),
    "classifier": (65 * 22, 65 * 22),
}


@pytest.mark.parametrize("block", BLOCK_COUNTS)
def test_each_block_has_its_parameters(block: str):
    counts = tuple(
        parameter_count(lambda build=build: build(22).get_submodule(block)) for build in NETWORKS
    )
    assert counts == BLOCK_COUNTS[block]


@pytest.mark.parametrize(
    ("size_hw", "num_classes", "small", "basic"),
    [
        ((224, 224), 12, "1.520", "6.759"),
        ((224, 224), 22, "1.536", "6.775"),
        ((360, 480), 11, "5.208", "23.238"),
        ((360, 480), 12, "5.213", "23.243"),
    ],
)
def test_operations(size_hw: tuple[int, int], num_classes: int, small: str, basic: str):
    assert f"{conv_gflops(lambda: segfast(num_classes), size_hw):.3f}" == small
    assert f"{conv_gflops(lambda: segfast_basic(num_classes), size_hw):.3f}" == basic


def map_sizes(network: nn.Module, size_hw: tuple[int, int]) -> list[tuple[int, ...]]:
    """Return the shapes of the encoder's four maps and of the logits."""
    shapes: list[tuple[int, ...]] = []
    for name in ("encoder_1", "encoder_2", "encoder_3", "encoder_4"):
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:]))
        )
    shapes.append(tuple(network(torch.empty(1, 3, *size_hw, device="meta")).shape[1:]))
    return shapes


@pytest.mark.parametrize("build", NETWORKS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_map_sizes_at_the_papers_input(build, variant: str):
    with torch.device("meta"):
        network = build(12, variant=variant).eval()
    assert map_sizes(network, (224, 224)) == [
        (64, 112, 112),
        (128, 56, 56),
        (256, 28, 28),
        (512, 14, 14),
        (12, 224, 224),
    ]


@pytest.mark.parametrize("build", NETWORKS)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size_hw", [(360, 480), (97, 131), (15, 15), (16, 31), (17, 23)])
def test_odd_sizes_come_back(build, variant: str, size_hw: tuple[int, int]):
    with torch.device("meta"):
        network = build(12, variant=variant).eval()
    assert map_sizes(network, size_hw)[-1] == (12, *size_hw)


def test_an_odd_skip_meets_a_map_padded_at_its_right_and_bottom():
    network = segfast(11).eval()
    skip, coarse = torch.rand(1, 256, 45, 3), torch.rand(1, 512, 22, 1)
    stage = network.decoder_3
    upsampled = stage.up(coarse)
    assert upsampled.shape[-2:] == (44, 2)
    padded = torch.zeros(1, 256, 45, 3)
    padded[..., :44, :2] = upsampled
    # Upsampled first, encoder second.
    expected = stage.conv(torch.cat((padded, skip), dim=1))
    torch.testing.assert_close(stage(coarse, skip), expected, rtol=0, atol=0)
    assert torch.equal(pad_to(upsampled, (45, 3)), padded)


@pytest.mark.parametrize("size_hw", [(14, 64), (64, 14), (1, 1)])
def test_too_small_an_image_is_told_the_smallest(size_hw: tuple[int, int]):
    with pytest.raises(ValueError, match="15x15"):
        segfast(11)(torch.zeros(1, 3, *size_hw))


@pytest.mark.parametrize("build", NETWORKS)
def test_in_every_spark_normalization_comes_before_and_relu_after(build):
    network = build(11).eval()
    disturb_norms(network)
    sparks = [module for module in network.modules() if isinstance(module, Spark)]
    assert len(sparks) == 8
    for spark in sparks:
        norm, conv, _ = spark.squeeze
        x = torch.randn(1, conv.in_channels, 5, 4)
        before_relu = conv(norm(x))
        torch.testing.assert_close(spark.squeeze(x), before_relu.clamp(min=0))
        nn.init.constant_(norm.weight, 0.3)
        assert not torch.allclose(conv(norm(x)), before_relu)
        assert spark(x).min() >= 0


@pytest.mark.parametrize(("squeeze", "expand"), [(16, 64), (48, 192)])
def test_a_spark_concatenates_its_1x1_and_3x3_expansions(squeeze: int, expand: int):
    spark = Spark(64, squeeze, expand, Convolutions(separable=True, norm_last=False)).eval()
    disturb_norms(spark)
    x = torch.randn(1, 64, 6, 5)
    squeezed = spark.squeeze(x)
    output = spark(x)
    assert squeezed.shape[1] == squeeze
    assert output.shape[1] == 2 * expand
    torch.testing.assert_close(output[:, :expand], spark.expand_1(squeezed))
    torch.testing.assert_close(output[:, expand:], spark.expand_3(squeezed))


def test_segfast_has_no_dense_kernel_but_its_first():
    dense = [
        conv for conv in convolutions(segfast(11)) if conv.groups == 1 and max(conv.kernel_size) > 1
    ]
    assert [(conv.in_channels, conv.kernel_size) for conv in dense] == [(3, (3, 3))]


@pytest.mark.parametrize("variant", VARIANTS)
def test_basic_has_no_grouped_convolution(variant: str):
    assert {conv.groups for conv in convolutions(segfast_basic(11, variant=variant))} == {1}


@pytest.mark.parametrize("build", NETWORKS)
def test_the_transposed_convolutions_double_the_size_depthwise_first(build):
    for stage in (module for module in build(11).modules() if isinstance(module, SkipStage)):
        first = stage.up[0]
        assert isinstance(first, nn.ConvTranspose2d)
        assert (first.kernel_size, first.stride, first.padding) == ((2, 2), (2, 2), (0, 0))


@pytest.mark.parametrize("build", NETWORKS)
def test_log_softmax_of_the_logits_is_a_distribution_with_the_same_argmax(build):
    logits = build(12).eval()(torch.rand(1, 3, 32, 48))
    log_probs = logits.log_softmax(dim=1)
    torch.testing.assert_close(log_probs.exp().sum(dim=1), torch.ones(1, 32, 48))
    assert torch.equal(log_probs.argmax(dim=1), logits.argmax(dim=1))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_decoder_gets_the_encoders_features_and_every_pooling_averages(variant: str):
    network = segfast(11, variant=variant).eval()
    maps: dict[str, Tensor] = {}
    skips: dict[str, Tensor] = {}
    for level in "123":
        network.get_submodule(f"encoder_{level}").register_forward_hook(
            lambda _module, _inputs, output, level=level: maps.update({level: output})
        )
        network.get_submodule(f"decoder_{level}").register_forward_pre_hook(
            lambda _module, inputs, level=level: skips.update({level: inputs[1]})
        )
    counts = count_operators(network, torch.rand(1, 3, 48, 32))
    assert all(maps[level] is skips[level] for level in "123")
    assert counts["avg_pool2d"] == 3
    assert not any("max" in name for name in counts)


def test_the_text_decides_where_normalization_stands():
    """Outside of sparks there is none but inside separable convolutions."""
    network = segfast(11)
    norms = {name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}
    outside = {
        name for name in norms if not name.startswith(("encoder_2", "encoder_3", "encoder_4"))
    }
    assert outside == {
        f"decoder_{level}.{part}.{at}"
        for level in (1, 2, 3)
        for part, at in (("up", 1), ("conv", "0.1"))
    }


@pytest.mark.parametrize("build", NETWORKS)
def test_weights_start_as_torch_makes_them(build):
    torch.manual_seed(0)
    network = build(22)
    for conv in convolutions(network):
        bound = conv.weight[0].numel() ** -0.5  # uniform, by the fan-in as torch counts it
        assert conv.weight.abs().max() <= bound
        assert conv.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.15)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        assert norm.weight.eq(1).all()
        assert norm.bias.eq(0).all()


def test_an_unknown_variant_is_told_the_known():
    with pytest.raises(ValueError, match=r"'papers'; choose paper, post_bn or release"):
        segfast(11, variant="papers")
