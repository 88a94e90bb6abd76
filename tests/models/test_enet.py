"""What the paper and its sheet promise of ENet, one by one."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from swiftseg.core import InputSpec
from swiftseg.models.enet import Bottleneck, ENet, ENetEncoderClassifier
from tests.support.macs import conv_gflops
from tests.support.settled_networks import settled_enet, street_frames

BLOCKS = ["encoder.initial", "encoder.down_1", "encoder.down_2", "encoder.stage_3"]
BLOCKS += ["decoder.up_4", "decoder.up_5", "decoder.fullconv"]
DECODERS = ["paper", "release"]


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def modules_of(network: nn.Module, kind: type | tuple[type, ...]) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


@pytest.mark.parametrize(
    ("num_classes", "paper", "release", "encoder_and_head"),
    [
        (11, 364_127, 363_791, 339_575),
        (12, 364_192, 363_856, 339_704),
        (19, 364_647, 364_311, 340_607),
        (20, 364_712, 364_376, 340_736),
        (21, 364_777, 364_441, 340_865),
        (22, 364_842, 364_506, 340_994),
    ],
)
def test_parameter_counts(num_classes: int, paper: int, release: int, encoder_and_head: int):
    assert count_parameters(ENet(num_classes)) == paper == 363_412 + 65 * num_classes
    assert count_parameters(ENet(num_classes, decoder="release")) == release
    assert count_parameters(ENetEncoderClassifier(num_classes)) == encoder_and_head


def test_parameters_of_each_block_are_those_of_the_table():
    encoder, decoder = ENet(20).encoder, ENet(20).decoder
    assert count_parameters(encoder.initial) == 412
    assert count_parameters(encoder.down_1) == 4_656
    assert [count_parameters(block) for block in encoder.stage_1] == [4_656] * 4
    assert count_parameters(encoder.down_2) == 22_112
    for stage in (encoder.stage_2, encoder.stage_3):
        counts = [count_parameters(block) for block in stage]
        regular, asymmetric = 18_016, 19_040
        expected = [regular, regular, asymmetric, regular, regular, regular, asymmetric, regular]
        assert counts == expected
    assert count_parameters(decoder.up_4) == 14_000
    assert [count_parameters(block) for block in decoder.stage_4] == [4_656] * 2
    assert count_parameters(decoder.up_5) == 1_596
    assert count_parameters(decoder.stage_5) == 348
    assert count_parameters(decoder.fullconv) == 65 * 20


@pytest.mark.parametrize(
    ("num_classes", "size_hw", "gflops"),
    [
        (20, (360, 640), "3.455"),
        (12, (360, 640), "3.396"),
        (20, (512, 512), "3.930"),
        (12, (360, 480), "2.547"),
        (11, (360, 480), "2.541"),
        (19, (512, 1024), "7.844"),
        (20, (720, 1280), "13.82"),
        (20, (1080, 1920), "31.09"),
    ],
)
def test_operations(num_classes: int, size_hw: tuple[int, int], gflops: str):
    # A unit of the last digit is allowed: some of the sheet's figures are cut off.
    unit = 10.0 ** -len(gflops.partition(".")[2])
    assert conv_gflops(lambda: ENet(num_classes), size_hw) == pytest.approx(float(gflops), abs=unit)


def test_module_counts():
    network = ENet(20)
    assert len(modules_of(network, (nn.Conv2d, nn.ConvTranspose2d))) == 89
    assert len(modules_of(network, nn.BatchNorm2d)) == 84
    assert len(modules_of(network.encoder, nn.PReLU)) == 67
    assert len(modules_of(network.decoder, nn.PReLU)) == 15
    assert not modules_of(ENet(20, decoder="release").decoder, nn.PReLU)


@pytest.mark.parametrize(("decoder", "dropouts"), [("paper", 27), ("release", 22)])
def test_biased_convolutions_and_dropouts(decoder: str, dropouts: int):
    network = ENet(20, decoder=decoder)
    convs = modules_of(network, (nn.Conv2d, nn.ConvTranspose2d))
    assert sum(conv.bias is not None for conv in convs) == 29
    rates = [dropout.p for dropout in modules_of(network, nn.Dropout2d)]
    assert rates == [0.01] * 5 + [0.1] * (dropouts - 5)


def test_normalizations_have_the_papers_release_constants():
    norms = modules_of(ENet(20), nn.BatchNorm2d)
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.1)}


def test_nothing_stands_inside_the_asymmetric_pair():
    network = ENet(20)
    pairs = [m for m in modules_of(network, nn.Sequential) if "(5, 1)" in repr(m[0])]
    assert len(pairs) == 4
    for pair in pairs:
        assert [type(layer) for layer in pair] == [nn.Conv2d, nn.Conv2d]
        assert [layer.kernel_size for layer in pair] == [(5, 1), (1, 5)]
        assert [layer.bias is not None for layer in pair] == [False, True]


def test_dilations_of_both_context_stages():
    for stage in (ENet(20).encoder.stage_2, ENet(20).encoder.stage_3):
        dilations = [max(m.dilation[0] for m in modules_of(block, nn.Conv2d)) for block in stage]
        assert dilations == [1, 2, 1, 4, 1, 8, 1, 16]


@pytest.mark.parametrize(
    ("size_hw", "sizes_hw"),
    [
        ((512, 512), [(256, 256), (128, 128), (64, 64)]),
        ((360, 480), [(180, 240), (90, 120), (45, 60)]),
    ],
)
def test_block_sizes(size_hw: tuple[int, int], sizes_hw: list[tuple[int, int]]):
    network, shapes = ENet(20).eval(), {}

    def remember(name: str):
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            features = output[0] if isinstance(output, tuple) else output
            shapes[name] = tuple(features.shape[1:])

        return hook

    for name in BLOCKS:
        network.get_submodule(name).register_forward_hook(remember(name))
    with torch.no_grad():
        network(torch.zeros(1, 3, *size_hw))
    half, quarter, eighth = sizes_hw
    expected = [(16, *half), (64, *quarter), (128, *eighth), (128, *eighth)]
    expected += [(64, *quarter), (16, *half), (20, *size_hw)]
    assert shapes == dict(zip(BLOCKS, expected, strict=True))


def test_each_upsampling_unpools_with_the_switches_of_its_downsampling():
    network, made, used = ENet(3).eval(), {}, {}
    for name in ("down_1", "down_2"):
        block = network.encoder.get_submodule(name)
        block.register_forward_hook(
            lambda _m, _i, output, name=name: made.update({name: output[1]})
        )
    for name in ("up_4", "up_5"):
        block = network.decoder.get_submodule(name)
        block.register_forward_pre_hook(
            lambda _m, inputs, name=name: used.update({name: inputs[1]})
        )
    network(torch.rand(1, 3, 32, 32))
    assert used["up_4"] is made["down_2"]
    assert used["up_4"].shape[1] == 64
    assert used["up_5"] is made["down_1"]
    assert used["up_5"].shape[1] == 16


def test_swapped_switches_are_refused():
    network = ENet(3)
    features, switches_1, switches_2 = network.encoder(torch.rand(2, 3, 32, 32))
    with pytest.raises(ValueError, match="expected switches of shape"):
        network.decoder(features, switches_2, switches_1)


@pytest.mark.parametrize("size_hw", [(1, 1), (7, 5), (97, 131), (45, 61), (64, 33)])
@pytest.mark.parametrize("make", [ENet, ENetEncoderClassifier])
def test_any_size_comes_back_as_itself(make: type[nn.Module], size_hw: tuple[int, int]):
    network = make(4).eval()
    assert network(torch.rand(2, 3, *size_hw)).shape == (2, 4, *size_hw)


def test_evaluation_is_deterministic_and_training_is_not():
    network, image = ENet(3).eval(), torch.rand(2, 3, 32, 40)
    assert torch.equal(network(image), network(image))
    network.train()
    assert not torch.equal(network(image), network(image))


def test_training_drops_whole_channels():
    torch.manual_seed(0)
    block = Bottleneck(128, dropout=0.1).train()
    *branch, dropout = block.extension
    features = nn.Sequential(*branch)(torch.randn(4, 128, 6, 5))
    dropped = dropout(features)
    is_zero = (dropped == 0).flatten(2).all(dim=2)
    assert 0 < is_zero.sum() < 4 * 128 // 4
    torch.testing.assert_close(dropped[~is_zero], features[~is_zero] / 0.9)


@pytest.mark.parametrize("decoder", DECODERS)
def test_folding_normalizations_keeps_the_logits(decoder: str):
    # In float64, where rounding (1e-4 of logits up to 10 in float32) hides nothing.
    network = settled_enet(InputSpec((64, 96)), decoder=decoder).double()
    folded = deepcopy(network)
    for layers in modules_of(folded, nn.Sequential):
        for at in range(1, len(layers)):
            if isinstance(layers[at], nn.BatchNorm2d):
                layers[at - 1] = fuse(layers[at - 1], layers[at])
                layers[at] = nn.Identity()
    assert len(modules_of(folded, nn.BatchNorm2d)) == 1  # the initial block's, behind its concat
    image = torch.from_numpy(street_frames((64, 96), 1)).permute(0, 3, 1, 2).double() / 255
    with torch.no_grad():
        assert (network(image) - folded(image)).abs().max() < 1e-9


def fuse(conv: nn.Module, norm: nn.BatchNorm2d) -> nn.Module:
    if isinstance(conv, nn.Sequential):  # the asymmetric pair
        return nn.Sequential(conv[0], fuse(conv[1], norm))
    return fuse_conv_bn_eval(conv, norm, transpose=isinstance(conv, nn.ConvTranspose2d))


def test_the_first_stage_predicts_at_an_eighth():
    assert ENetEncoderClassifier(7).training_outputs(torch.rand(2, 3, 64, 48)).coarse.shape == (
        2, 7, 8, 6
    )  # fmt: skip


def test_weights_of_the_first_stage_fill_the_encoder_and_nothing_else():
    first, whole = ENetEncoderClassifier(7), ENet(7)
    before = deepcopy(whole.state_dict())
    weights = {k: v + 1 for k, v in first.state_dict().items() if k.startswith("encoder.")}
    assert not whole.load_state_dict(weights, strict=False).unexpected_keys
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, weights.get(name, before[name]))
    changed = {
        name for name, old in before.items() if not torch.equal(old, whole.state_dict()[name])
    }
    assert changed == {name for name in before if name.startswith("encoder.")} == set(weights)


def test_an_unknown_decoder_is_refused():
    with pytest.raises(ValueError, match="unknown ENet decoder 'papr'; choose paper or release"):
        ENet(3, decoder="papr")
