import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.importing import import_checkpoint
from swiftseg.layers.filling import fill
from swiftseg.models import create_model
from swiftseg.trained import read_weights, save_weights
from tests.support import port_lookalikes as ports
from tests.support.imported import load_imported


@pytest.fixture
def weights_path(tmp_path: Path) -> Path:
    torch.save(ports.segfast_state(4), tmp_path / "port.pth")
    imported = import_checkpoint(tmp_path / "port.pth", "segfast")
    save_weights(imported.weights, imported.description, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


def test_three_ways_to_load_give_the_ports_logits(weights_path: Path):
    by_hand = create_model("segfast", num_classes=4, variant="release")
    by_hand.load_state_dict(load_file(weights_path))
    filled = create_model("segfast", num_classes=4, variant="release")
    fill(filled, read_weights(weights_path), "weights")
    frame = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        expected = ports.segfast_logits(ports.segfast_state(4), frame)
        for network in (by_hand.eval(), filled.eval(), load_imported(weights_path)):
            torch.testing.assert_close(network(frame), expected, rtol=1e-4, atol=1e-4)


def test_the_file_says_what_it_fills(weights_path: Path):
    with safe_open(weights_path, framework="pt") as file:
        described = json.loads(file.metadata()["swiftseg"])
    assert described.pop("labels")["names"] == ["class_0", "class_1", "class_2", "class_3"]
    assert described == {
        "network": "segfast",
        "num_classes": 4,
        "options": {"variant": "release"},
        "source": "github.com/DVLP-CMATERJU/SegFast, SegFast",
        "expects": "RGB in 0..1",
        "input": {
            "size_hw": [224, 224],
            "mean": [0.0, 0.0, 0.0],
            "std": [1.0, 1.0, 1.0],
            "dtype": "uint8",
        },
    }


def test_another_class_count_is_refused_and_changes_nothing(weights_path: Path):
    network = create_model("segfast", num_classes=7, variant="release")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(
        SwiftsegError,
        match=r"weights; 2 tensors have another shape: "
        r"classifier.weight \(4, 64, 1, 1\), expected \(7, 64, 1, 1\)",
    ):
        fill(network, read_weights(weights_path), "weights")
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)


def test_another_network_is_refused(weights_path: Path):
    with pytest.raises(SwiftsegError, match=r"weights; .* are missing"):
        fill(create_model("enet", num_classes=4), read_weights(weights_path), "weights")


def test_the_name_must_end_in_safetensors(tmp_path: Path):
    torch.save(ports.segfast_state(4), tmp_path / "port.pth")
    imported = import_checkpoint(tmp_path / "port.pth", "segfast")
    with pytest.raises(UsageError, match=r"ends in .safetensors, got .*weights.onnx"):
        save_weights(imported.weights, imported.description, tmp_path / "weights.onnx")


def test_files_that_import_did_not_write(tmp_path: Path, weights_path: Path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(SwiftsegError, match="no such file"):
        load_imported(path)
    path.write_bytes(b"damaged")
    with pytest.raises(SwiftsegError, match="damaged or not a safetensors file"):
        load_imported(path)
    for metadata in (None, {"swiftseg": "[]"}, {"swiftseg": '{"network": "enet"}'}):
        save_file({"a": torch.zeros(1)}, path, metadata)
        with pytest.raises(SwiftsegError, match="a file that swiftseg import wrote"):
            load_imported(path)
    path.write_bytes(weights_path.read_bytes()[:-100])
    with pytest.raises(SwiftsegError, match="damaged or not a safetensors file"):
        load_imported(path)


@pytest.mark.parametrize(
    "described",
    [
        {"network": "segslow", "num_classes": 4, "options": {}},
        {"network": "segfast", "num_classes": 0, "options": {}},
        {"network": "segfast", "num_classes": 4, "options": {"speed": 9}},
        {"network": "segfast", "num_classes": 4, "options": []},
    ],
)
def test_descriptions_of_no_network(described: dict[str, object], tmp_path: Path):
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"swiftseg": json.dumps(described)})
    with pytest.raises(SwiftsegError):
        load_imported(path)


def test_changed_weights_are_found_by_their_digest(weights_path: Path):
    whole = weights_path.read_bytes()
    weights_path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    with pytest.raises(SwiftsegError, match="its weights are not those that were written"):
        load_imported(weights_path)
