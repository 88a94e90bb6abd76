"""Files that are no known port's: matched by order, bridged, or refused with a reason."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.importing import MisfitError, import_checkpoint
from swiftseg.importing.ports import known_ports
from swiftseg.models import create_model
from tests.support import port_lookalikes as ports
from tests.support.fcn_lookalikes import renamed


def anonymous(state: ports.State) -> ports.State:
    """Names that tell nothing, in the same order."""
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in state))
    return renamed(state, lambda layer: f"layer{layers.index(layer)}")


def enet_state(**options: str) -> ports.State:
    torch.manual_seed(0)
    network = create_model("enet", num_classes=4, **options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight)
    return network.state_dict()


def saved(state: object, path: Path) -> Path:
    torch.save(state, path)
    return path


def equal(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return list(ours) == [*theirs] and all(torch.equal(ours[n], theirs[n]) for n in ours)


@pytest.mark.parametrize(
    ("decoder", "options"), [("paper", {}), ("release", {"decoder": "release"})]
)
def test_an_unknown_enet_is_matched_by_order(decoder: str, options: dict[str, str], tmp_path: Path):
    state = enet_state(decoder=decoder)
    imported = import_checkpoint(saved(anonymous(state), tmp_path / "x.pth"), "enet")
    assert dict(imported.description.options) == options
    assert imported.description.num_classes == 4
    assert {name: imported.weights[name].tolist() for name in state} == {
        name: tensor.tolist() for name, tensor in state.items()
    }
    assert "by order" in imported.deviations[0]


def test_one_slope_for_all_channels_is_repeated(tmp_path: Path):
    state = enet_state()
    state["encoder.initial.act.weight"] = torch.tensor([0.125])
    imported = import_checkpoint(saved(anonymous(state), tmp_path / "x.pth"), "enet")
    assert imported.weights["encoder.initial.act.weight"].tolist() == [0.125] * 16
    assert len(imported.bridged) == 1
    assert "one slope" in imported.bridged[0]


def test_a_missing_bias_is_zero(tmp_path: Path):
    state = ports.onera_state(3)
    del state["conv21.bias"]
    imported = import_checkpoint(saved(state, tmp_path / "x.pth"), "segnet")
    assert imported.weights["encoder.1.convs.0.0.bias"].tolist() == [0.0] * 128
    assert imported.bridged == ("conv21 has no bias: zero",)


def test_a_bias_without_a_normalization_behind_it_has_no_home(tmp_path: Path):
    state = enet_state()
    ordered: ports.State = {}
    for name, tensor in state.items():
        ordered[name] = tensor
        if name == "encoder.stage_2.2.extension.3.0.weight":  # 5x1, followed by the 1x5
            ordered["encoder.stage_2.2.extension.3.0.bias"] = torch.ones(32)
    with pytest.raises(MisfitError, match=r"the bias for encoder.stage_2.2.extension.3.0 \(32,\)"):
        import_checkpoint(saved(anonymous(ordered), tmp_path / "x.pth"), "enet")


def test_the_order_of_a_known_ports_file_does_not_matter(tmp_path: Path):
    state = ports.segfast_state(3)
    as_saved = import_checkpoint(saved(state, tmp_path / "x.pth"), "segfast")
    save_file({name: state[name] for name in sorted(state)}, tmp_path / "x.safetensors")
    as_sorted = import_checkpoint(tmp_path / "x.safetensors", "segfast")
    assert equal(as_sorted.weights, as_saved.weights)


def test_an_unknown_file_without_order_is_refused(tmp_path: Path):
    save_file(anonymous(enet_state()), tmp_path / "x.safetensors")
    with pytest.raises(SwiftsegError, match="does not keep the order"):
        import_checkpoint(tmp_path / "x.safetensors", "enet")


def test_half_precision_becomes_float32(tmp_path: Path):
    state = {name: tensor.half() for name, tensor in ports.segfast_state(3).items()}
    imported = import_checkpoint(saved(state, tmp_path / "x.pth"), "segfast")
    assert {t.dtype for n, t in imported.weights.items() if "tracked" not in n} == {torch.float32}


def test_every_port_lists_a_layer_for_each_of_ours():
    for network, known in known_ports().items():
        for port in known.ports:
            with torch.device("meta"):
                own = create_model(network, num_classes=3, **port.options).state_dict()
            assert (
                len(set(port.layers))
                == len(port.layers)
                == len({name.rpartition(".")[0] for name in own})
            ), (network, port.name)


def test_tensors_without_a_home_are_named_on_both_sides(tmp_path: Path):
    state = ports.onera_state(3)
    state["extra.weight"] = torch.zeros(2, 3)
    del state["bn42d.running_mean"]
    state["conv12.weight"] = torch.zeros(64, 64, 5, 5)
    with pytest.raises(MisfitError) as caught:
        import_checkpoint(saved(state, tmp_path / "x.pth"), "segnet")
    assert "extra.weight (2, 3)" in caught.value.homeless
    assert "conv12.weight (64, 64, 5, 5)" in caught.value.homeless
    assert "encoder.0.convs.1.0.weight (64, 64, 3, 3)" in caught.value.missing
    assert "decoder.1.convs.1.1.running_mean (512,)" in caught.value.missing
    assert "\n" not in str(caught.value)


def test_a_port_of_another_depth_names_the_layers_it_lacks(tmp_path: Path):
    """As ports with two bottlenecks in the group 96 wide."""
    state = ports.tramac_state(3)
    lacking = {name: t for name, t in state.items() if "bottleneck2.2" not in name}
    with pytest.raises(MisfitError) as caught:
        import_checkpoint(saved(lacking, tmp_path / "x.pth"), "fast_scnn")
    assert caught.value.homeless == ()
    assert {name.rpartition(".convs")[0] for name in caught.value.missing} == {
        "global_feature_extractor.5"
    }


def test_the_weights_of_another_network(tmp_path: Path):
    path = saved(ports.segfast_state(3), tmp_path / "x.pth")
    with pytest.raises(MisfitError, match="does not fill segnet") as caught:
        import_checkpoint(path, "segnet")
    assert caught.value.homeless
    assert caught.value.missing


@pytest.mark.parametrize("state", [{"a.weight": torch.zeros(3)}, {"lonely": torch.zeros(3)}])
@pytest.mark.parametrize("network", ["enet", "fcn8s", "shelfnet50"])
def test_a_file_of_next_to_nothing(network: str, state: dict[str, Tensor], tmp_path: Path):
    with pytest.raises(MisfitError, match=f"does not fill {network}"):
        import_checkpoint(saved(state, tmp_path / "x.pth"), network)


def test_a_tensor_without_a_layer_is_named_once(tmp_path: Path):
    with pytest.raises(MisfitError) as caught:
        import_checkpoint(saved({"a": torch.zeros(3)}, tmp_path / "a.pth"), "fast_scnn")
    assert caught.value.homeless == ("a (3,)",)


def test_too_many_classes(tmp_path: Path):
    path = saved(ports.segfast_state(300), tmp_path / "x.pth")
    with pytest.raises(SwiftsegError, match="expected 1 to 255 classes, its classifier gives 300"):
        import_checkpoint(path, "segfast")


@pytest.mark.parametrize(
    ("network", "refused"),
    [(network, port) for network, known in known_ports().items() for port in known.refused],
    ids=lambda value: value if isinstance(value, str) else value.source,
)
def test_a_port_that_is_another_network_is_refused(network: str, refused, tmp_path: Path):
    path = saved({f"{refused.mark}.weight": torch.zeros(13, 3, 3, 3)}, tmp_path / "x.pth")
    with pytest.raises(SwiftsegError) as caught:
        import_checkpoint(path, network)
    assert refused.source in str(caught.value)
    assert all(deviation in str(caught.value) for deviation in refused.deviations)


def test_names_that_two_ports_share_need_the_ports_name(tmp_path: Path):
    path = saved({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "x.pth")
    with pytest.raises(UsageError, match="give --port wkentaro or wkentaro-at-once"):
        import_checkpoint(path, "fcn8s")


def test_unknown_names_name_the_known(tmp_path: Path):
    path = saved({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "x.pth")
    with pytest.raises(UsageError, match="did you mean fcn8s"):
        import_checkpoint(path, "fcn8")
    with pytest.raises(UsageError, match="did you mean wkentaro"):
        import_checkpoint(path, "fcn8s", port="kentaro")


class Harmful:
    def __reduce__(self):
        return print, ("harm",)


class TestReading:
    def test_wrappers_are_opened(self, tmp_path: Path):
        state = ports.segfast_state(3)
        bare = import_checkpoint(saved(state, tmp_path / "bare.pth"), "segfast")
        parallel = {f"module.{name}": tensor for name, tensor in state.items()}
        for key in ("state_dict", "model"):
            path = saved({"epoch": 3, key: parallel, "best": 0.5}, tmp_path / "x.pth")
            assert equal(import_checkpoint(path, "segfast").weights, bare.weights)

    def test_a_missing_file(self, tmp_path: Path):
        with pytest.raises(SwiftsegError, match="no such file"):
            import_checkpoint(tmp_path / "none.pth", "segfast")

    @pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02}q\x00.", b"text\n" * 99])
    def test_a_damaged_file(self, name: str, content: bytes, tmp_path: Path):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SwiftsegError, match=name):
            import_checkpoint(tmp_path / name, "segfast")

    def test_half_a_file(self, tmp_path: Path):
        path = saved(ports.segfast_state(3), tmp_path / "x.pth")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(SwiftsegError, match="refused, it is damaged"):
            import_checkpoint(path, "segfast")

    def test_a_pickle_with_code_is_refused_and_not_run(self, tmp_path: Path, capsys):
        saved({"state_dict": {"a": torch.zeros(1)}, "extra": Harmful()}, tmp_path / "x.pth")
        with pytest.raises(SwiftsegError, match=r"refused, it is a pickle that asks for .*print"):
            import_checkpoint(tmp_path / "x.pth", "segfast")
        (tmp_path / "y.pth").write_bytes(pickle.dumps(Harmful()))
        with pytest.raises(SwiftsegError):
            import_checkpoint(tmp_path / "y.pth", "segfast")
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ({"epoch": 3, "lr": 0.1}, "it holds epoch, lr"),
            ([torch.zeros(2)], "got list"),
            (torch.zeros(2), "got Tensor"),
            ({}, "got dict"),
        ],
    )
    def test_no_state_dict(self, content: object, message: str, tmp_path: Path):
        with pytest.raises(SwiftsegError, match=message):
            import_checkpoint(saved(content, tmp_path / "x.pth"), "segfast")
