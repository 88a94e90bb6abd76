from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from swiftseg.core import InputSpec, UsageError
from swiftseg.models import create_model
from swiftseg.models.shelfnet import (
    Attention,
    LightUpStep,
    SBlock,
    Shelf,
    UpStep,
    shelfnet18_lw,
    shelfnet34_lw,
    shelfnet50,
    shelfnet101,
)
from swiftseg.recipes.recipe import Loss
from swiftseg.training.criterion import Criterion
from swiftseg.training.step import TrainingStep
from tests.support.macs import conv_gflops, parameter_count
from tests.support.operators import count_operators

CLASS_COUNTS = (11, 12, 19, 20, 21, 22, 59, 60)
COUNTS = {
    shelfnet50: (
        *(36_640_011, 36_640_076, 36_640_531, 36_640_596),
        *(36_640_661, 36_640_726, 36_643_131, 36_643_196),
    ),
    shelfnet101: (
        *(55_632_139, 55_632_204, 55_632_659, 55_632_724),
        *(55_632_789, 55_632_854, 55_635_259, 55_635_324),
    ),
    shelfnet18_lw: (14_315_648, 14_316_224, 14_320_256, 14_320_832, 14_321_408, 14_321_984),
    shelfnet34_lw: (33_123_520, 33_124_672, 33_132_736, 33_133_888, 33_135_040, 33_136_192),
}
COUNTS_WITH_HEADS = {
    shelfnet50: (
        *(39_008_289, 39_009_124, 39_014_969, 39_015_804),
        *(39_016_639, 39_017_474, 39_048_369, 39_049_204),
    ),
    shelfnet101: (
        *(58_000_417, 58_001_252, 58_007_097, 58_007_932),
        *(58_008_767, 58_009_602, 58_040_497, 58_041_332),
    ),
    shelfnet18_lw: (14_549_760, 14_551_488, 14_563_584, 14_565_312, 14_567_040, 14_568_768),
    shelfnet34_lw: (33_578_816, 33_581_120, 33_597_248, 33_599_552, 33_601_856, 33_604_160),
}
NETWORKS = tuple(COUNTS)
Build = Callable[..., nn.Module]


@pytest.mark.parametrize("build", NETWORKS)
@pytest.mark.parametrize("aux_heads", [False, True])
def test_exact_parameters(build: Build, aux_heads: bool):
    expected = (COUNTS_WITH_HEADS if aux_heads else COUNTS)[build]
    found = tuple(
        parameter_count(lambda classes=classes: build(classes, aux_heads=aux_heads))
        for classes in CLASS_COUNTS[: len(expected)]
    )
    assert found == expected


def test_parameters_of_the_parts():
    with torch.device("meta"):
        network = shelfnet50(21, aux_heads=True)
    count = {
        name: parameter_count(lambda name=name: network.get_submodule(name))
        for name, _ in network.named_modules()
    }
    shelf, heads = "shelf", "training_heads"
    blocks = [f"{shelf}.{{}}.bottom"] + [f"{shelf}.{{}}.steps.{i}.block" for i in range(3)]
    ups = [f"{shelf}.{{}}.steps.{i}.up" for i in range(3)]
    assert count["backbone"] == 23_508_032
    assert count["reductions"] == 1_394_560
    for column in ("column_2", "column_4"):
        assert sum(count[block.format(column)] for block in blocks) == 3_138_240
        assert sum(count[up.format(column)] for up in ups) == 1_548_736
    assert count["shelf.middle"] == 37_184
    assert count["shelf.column_3.blocks"] == 776_384
    assert count["shelf.column_3.downs"] == 1_549_184
    assert count["classifier"] == 65 * 21
    assert count[f"{heads}.aux"] == 2_359_808 + 257 * 21
    assert count[f"{heads}.presence"] == 513 * 21
    # All but the backbone.
    assert count["reductions"] + count["shelf"] + count["classifier"] == 13_132_629
    assert parameter_count(lambda: shelfnet101(21).backbone) == 42_500_160


@pytest.mark.parametrize(
    ("channels", "parameters"), [(64, 37_184), (128, 148_096), (256, 591_104), (512, 2_361_856)]
)
def test_parameters_of_an_s_block(channels: int, parameters: int):
    assert parameter_count(lambda: SBlock(channels, dropout=0.25)) == parameters


def test_unshared_weights_cost_what_they_should():
    assert parameter_count(lambda: shelfnet50(21, share_weights=False)) == 43_720_981
    assert 43_720_981 - 36_640_661 == 7_080_320


@pytest.mark.parametrize(
    ("build", "size_hw", "num_classes", "gflops"),
    [
        (shelfnet50, (512, 512), 21, "79.33"),
        (shelfnet50, (768, 768), 21, "178.5"),
        (shelfnet50, (1024, 2048), 19, "634.6"),
        (shelfnet50, (360, 480), 11, "53.28"),
        (shelfnet50, (360, 640), 19, "71.06"),
        (shelfnet101, (512, 512), 21, "118.1"),
        (shelfnet101, (768, 768), 21, "265.8"),
        (shelfnet101, (1024, 2048), 19, "944.9"),
        (shelfnet101, (360, 480), 11, "79.42"),
        (shelfnet101, (360, 640), 19, "105.9"),
        (shelfnet18_lw, (1024, 2048), 19, "197.4"),
        (shelfnet18_lw, (768, 1536), 19, "111.0"),
        (shelfnet18_lw, (360, 480), 11, "16.59"),
        (shelfnet34_lw, (1024, 2048), 19, "481.6"),
        (shelfnet34_lw, (768, 1536), 19, "270.9"),
        (shelfnet34_lw, (360, 480), 11, "40.52"),
    ],
)
def test_operations(build: Build, size_hw: tuple[int, int], num_classes: int, gflops: str):
    # Two of the reference figures, 79.33 and 71.06, are 79.3248 and 71.0549 here, as in the count
    # by hand below: a unit of the last digit is allowed, not half of one.
    unit = 10.0 ** -len(gflops.partition(".")[2])
    assert conv_gflops(lambda: build(num_classes), size_hw) == pytest.approx(
        float(gflops), abs=unit
    )


def test_operations_of_the_layer_table_by_hand():
    """Each kind of operation costs the same at every level: channels double as sizes halve."""
    reductions = 4 * 256 * 64 * 128**2
    s_blocks = 12 * 2 * 9 * 64**2 * 128**2
    ups = 6 * 9 * 512 * 256 * 16**2
    downs = 3 * 9 * 64 * 128 * 64**2
    classifier = 64 * 21 * 128**2
    backbone = conv_gflops(lambda: shelfnet50(21).backbone, (512, 512))
    shelf = 2e-9 * (reductions + s_blocks + ups + downs + classifier)
    assert conv_gflops(lambda: shelfnet50(21), (512, 512)) == pytest.approx(backbone + shelf)
    # The convolutions of ResNet-50, which torchvision publishes as 4.09 GMACs at 224x224.
    assert backbone == pytest.approx(2 * 4.089 * (512 / 224) ** 2, rel=1e-3)


def map_shapes(network: nn.Module, size_hw: tuple[int, int]) -> dict[str, list[tuple[int, ...]]]:
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for name in ("backbone", "shelf.column_2", "shelf.column_3", "shelf.column_4"):
        network.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, maps, name=name: shapes.update(
                {name: [tuple(x.shape[1:]) for x in maps]}
            )
        )
    logits = network(torch.empty(2, 3, *size_hw, device="meta"))
    return shapes | {"logits": [tuple(logits.shape[1:])]}


def test_map_sizes_at_the_papers_input():
    with torch.device("meta"):
        shapes = map_shapes(shelfnet50(21), (512, 512))
    shelf = [(64, 128, 128), (128, 64, 64), (256, 32, 32), (512, 16, 16)]
    assert shapes["backbone"] == [
        (256, 128, 128),
        (512, 64, 64),
        (1024, 32, 32),
        (2048, 16, 16),
    ]
    assert all(shapes[f"shelf.column_{i}"] == shelf for i in (2, 3, 4))
    assert shapes["logits"] == [(21, 512, 512)]


@pytest.mark.parametrize("build", NETWORKS)
@pytest.mark.parametrize("size_hw", [(512, 512), (360, 480), (97, 131), (33, 64), (31, 1), (1, 1)])
def test_any_size_comes_back(build: Build, size_hw: tuple[int, int]):
    with torch.device("meta"):
        network = build(19, aux_heads=True).eval()
    assert map_shapes(network, size_hw)["logits"] == [(19, *size_hw)]
    logits, aux_logits, _, _ = network.training_outputs(torch.empty(2, 3, *size_hw, device="meta"))
    assert {tuple(x.shape) for x in (logits, *aux_logits)} == {(2, 19, *size_hw)}


class PassOn(nn.Module):
    """In the place of a block or a step within a level: hands on what it is given."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class PassUp(nn.Module):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return x + skip


class PassNone(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)


def test_there_are_29_paths_from_the_stem_to_the_output():
    """With ones for the maps of column 1 and every block passing on, sums count the paths."""
    shelf = Shelf((1, 2, 4, 8), lambda _: PassOn(), lambda *_: PassUp())
    # Around the block between columns 2 and 3 goes a bypass, counted once with it.
    shelf.column_3.downs = nn.ModuleList(PassOn() for _ in range(3))
    shelf.middle = PassNone()
    ones = [torch.ones(1, 1, 1, 1)] * 4
    assert shelf(ones)[0].item() == 29
    assert shelf.column_2(ones)[0].item() == 4


def test_an_s_block_is_one_convolution_used_twice_between_two_norms():
    block = SBlock(3, dropout=0.25).eval().double()
    names = [type(module).__name__ for module in block.modules()]
    assert names.count("Conv2d") == 1
    assert names.count("BatchNorm2d") == 2
    nn.init.uniform_(block.norm_1.running_mean)
    nn.init.uniform_(block.norm_2.bias)
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    first = F.relu(block.norm_1(block.convs[0](x)))
    torch.testing.assert_close(block(x), F.relu(x + block.norm_2(block.convs[0](first))))


def test_the_shared_gradient_is_the_sum_of_both_uses():
    shared, unshared = SBlock(3, dropout=0), SBlock(3, dropout=0, share_weights=False)
    for conv in unshared.convs:
        conv.load_state_dict(shared.convs[0].state_dict())
    x = torch.randn(2, 3, 6, 5)
    for block in (shared, unshared):
        (block(x) * torch.arange(5)).sum().backward()
    first, second = (conv.weight.grad for conv in unshared.convs)
    assert first.abs().max() > 0
    assert second.abs().max() > 0
    torch.testing.assert_close(shared.convs[0].weight.grad, first + second, rtol=1e-4, atol=1e-4)


def small_image() -> Tensor:
    return torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def with_output(
    module: nn.Module, change: Callable[..., object]
) -> torch.utils.hooks.RemovableHandle:
    return module.register_forward_hook(lambda _module, _inputs, output: change(output))


def test_d2_reaches_the_output_through_c2_only():
    network = shelfnet50(5).eval()
    column_2 = network.shelf.column_2
    kept: list[Tensor] = []
    with torch.no_grad(), with_output(column_2.steps[0], kept.append):
        logits = network(small_image())
        with with_output(column_2.bottom, torch.zeros_like):
            assert not torch.equal(network(small_image()), logits)
            with with_output(column_2.steps[0], lambda _: kept[0]):
                assert torch.equal(network(small_image()), logits)


@pytest.mark.parametrize("build", [shelfnet50, shelfnet18_lw])
def test_the_heads_of_training_do_not_touch_the_logits(build: Build):
    torch.manual_seed(0)
    with_heads = build(5, aux_heads=True).eval()
    without = build(5).eval()
    weights = with_heads.state_dict()
    without.load_state_dict({name: weights[name] for name in without.state_dict()})
    with torch.no_grad():
        expected = without(small_image())
        assert torch.equal(with_heads(small_image()), expected)
        assert torch.equal(with_heads.training_outputs(small_image()).logits, expected)


@pytest.mark.parametrize(("build", "heads"), [(shelfnet50, 1), (shelfnet18_lw, 2)])
def test_forward_runs_no_head_of_training(build: Build, heads: int):
    """So an exported graph, which is traced from `forward`, holds none of them."""
    with torch.device("meta"):
        network = build(5, aux_heads=True).eval()
        counts = count_operators(network, torch.empty(1, 3, 64, 64))
        plain = count_operators(build(5).eval(), torch.empty(1, 3, 64, 64))
        with_heads = count_operators(
            lambda image: network.training_outputs(image).logits, torch.empty(1, 3, 64, 64)
        )
    assert counts == plain
    assert with_heads["convolution"] == plain["convolution"] + 2 * heads
    assert plain["addmm"] == 0
    assert not any("dropout" in name or "bernoulli" in name for name in plain)


def test_without_its_heads_a_network_says_how_to_get_them():
    for build in (shelfnet50, shelfnet18_lw):
        with torch.device("meta"):
            network = build(5)
        for loss in (Loss(aux_weight=0.5), Loss(presence_weight=0.2)):
            step = TrainingStep(network, Criterion([]), loss, InputSpec((64, 64)), coarse=False)
            with pytest.raises(UsageError, match="option aux_heads builds them"):
                step.outputs(torch.empty(2, 3, 64, 64, device="meta"))


def test_the_presence_head_pools_the_maxima_of_d4():
    network = shelfnet50(5, aux_heads=True).eval()
    kept: list[list[Tensor]] = []
    with torch.no_grad(), with_output(network.shelf, kept.append):
        presence = network.training_outputs(small_image()).presence
        d4 = kept[0][3]
        expected = network.training_heads.presence(F.adaptive_max_pool2d(d4, 1).flatten(1))
    assert presence.shape == (1, 5)
    torch.testing.assert_close(presence, expected)


def test_a_gradient_reaches_every_parameter_of_the_heads():
    network = shelfnet50(5, aux_heads=True)
    logits, aux_logits, presence, _ = network.training_outputs(torch.rand(2, 3, 64, 64))
    sum(x.square().mean() for x in (logits, *aux_logits, presence)).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert network.training_heads.presence.weight.grad.abs().sum() > 0
    assert network.training_heads.aux[0][0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("build", "rate"), [(shelfnet50, 0.25), (shelfnet18_lw, 0.1), (shelfnet34_lw, 0)]
)
def test_s_blocks_drop_channels_in_training_alone(build: Build, rate: float):
    with torch.device("meta"):
        network = build(5)
    blocks = [module for module in network.modules() if isinstance(module, SBlock)]
    assert len(blocks) == (12 if build is shelfnet50 else 5)
    assert {(type(block.dropout), block.dropout.p) for block in blocks} == {(nn.Dropout2d, rate)}


@pytest.mark.parametrize("skip_hw", [(6, 8), (5, 7), (6, 7)])
def test_a_transposed_convolution_gives_the_size_of_its_skip(skip_hw: tuple[int, int]):
    step = UpStep(4, 2, lambda _: nn.Identity())
    x, skip = torch.randn(1, 4, 3, 4), torch.randn(1, 2, *skip_hw)
    even = F.conv_transpose2d(
        x, step.up.weight, step.up.bias, stride=2, padding=1, output_padding=1
    )
    expected = even[..., : skip_hw[0], : skip_hw[1]] + skip
    torch.testing.assert_close(step(x, skip), expected)


@pytest.mark.parametrize("skip_hw", [(6, 8), (5, 7), (45, 61)])
def test_a_light_step_doubles_to_the_size_of_its_skip(skip_hw: tuple[int, int]):
    step = LightUpStep(4, 2).eval()
    x = torch.randn(1, 4, *(-(-size // 2) for size in skip_hw))
    skip = torch.randn(1, 2, *skip_hw)
    doubled = step.attention(x).repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    expected = step.conv(doubled[..., : skip_hw[0], : skip_hw[1]] + skip)
    torch.testing.assert_close(step(x, skip), expected)


def test_attention_weighs_channels_by_their_global_average():
    attention = Attention(4, 2).eval()
    nn.init.uniform_(attention.weight[1].bias)
    x = torch.randn(1, 4, 5, 6)
    features = attention.conv(x)
    weight = attention.weight(F.adaptive_avg_pool2d(features, 1))
    assert weight.shape == (1, 2, 1, 1)
    assert 0 < weight.min() <= weight.max() < 1
    torch.testing.assert_close(attention(x), features * weight)


def test_logits_are_resized_with_their_corners_aligned():
    network = shelfnet18_lw(5).eval()
    kept: list[Tensor] = []
    with torch.no_grad(), with_output(network.head, kept.append):
        logits = network(small_image())
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        torch.testing.assert_close(logits[..., row, column], kept[0][..., row, column])


@pytest.mark.parametrize(
    ("network_name", "theirs"),
    [
        ("shelfnet50", models.resnet50),
        ("shelfnet101", models.resnet101),
        ("shelfnet18_lw", models.resnet18),
        ("shelfnet34_lw", models.resnet34),
    ],
)
def test_every_tensor_of_a_backbone_file_arrives(network_name: str, theirs: Build, tmp_path: Path):
    state = theirs().state_dict()
    for name in (name for name, tensor in state.items() if tensor.is_floating_point()):
        nn.init.uniform_(state[name])  # running statistics too
    path = tmp_path / "backbone.pth"
    torch.save(state, path)
    network = create_model(network_name, num_classes=5, backbone_weights=path)
    ours = network.backbone.state_dict()
    arrived = {
        key: torch.equal(ours[key], tensor) for key, tensor in state.items() if "fc." not in key
    }
    assert all(arrived.values())
    assert set(ours) == set(arrived)
