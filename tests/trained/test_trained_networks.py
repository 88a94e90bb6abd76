"""Whatever file holds a network and its description gives both."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from swiftseg.core import InputSpec, LabelSet, SwiftsegError, UsageError
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS
from swiftseg.importing import import_checkpoint
from swiftseg.importing.published_labels import PUBLISHED_LABELS, find_labels
from swiftseg.models import create_model
from swiftseg.runtimes.model_file import read_spec
from swiftseg.trained import (
    Checkpoint,
    load_checkpoint,
    load_trained,
    read_weights,
    save_weights,
)
from swiftseg.trained.checkpoint import TrainingState, save_checkpoint
from swiftseg.trained.trained_networks import origin_of_weights
from swiftseg.weights import shipped_models, shipped_weights
from tests.support import port_lookalikes as ports
from tests.support.tiny_training import tiny_recipe

FOUR = LabelSet(("a", "b", "c", "d"), ((0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3)), 255)


def port_file(folder: Path) -> Path:
    torch.save(ports.segfast_state(4), folder / "port.pth")
    return folder / "port.pth"


def imported_file(folder: Path, **told: object) -> Path:
    imported = import_checkpoint(port_file(folder), "segfast", **told)  # type: ignore[arg-type]
    path = folder / "weights.safetensors"
    save_weights(imported.weights, imported.description, path)
    return path


def test_imported_weights_with_names_and_size_are_a_described_network(tmp_path: Path):
    network, spec = load_trained(imported_file(tmp_path, labels=FOUR, size_hw=(32, 48)))
    assert (spec.name, spec.network, spec.labels) == ("weights", "segfast", FOUR)
    assert spec.input == InputSpec((32, 48))
    assert not network.training
    frame = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        expected = ports.segfast_logits(ports.segfast_state(4), frame)
        torch.testing.assert_close(network(frame), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("missing", ["labels", "input"])
def test_weights_without_names_or_size_say_how_to_tell(tmp_path: Path, missing: str):
    imported = import_checkpoint(port_file(tmp_path), "segfast")
    path = tmp_path / "weights.safetensors"
    described = imported.description.model_copy(update={missing: None})  # as older versions wrote
    save_weights(imported.weights, described, path)
    with pytest.raises(SwiftsegError, match="import it again with --labels and --size"):
        load_trained(path)


def test_labels_of_another_count_are_refused(tmp_path: Path):
    with pytest.raises(SwiftsegError, match="has 4 classes where --labels has 19"):
        imported_file(tmp_path, labels=CITYSCAPES_LABELS)


def test_a_port_that_fixes_no_normalization_asks_for_it(tmp_path: Path):
    torch.save(ports.onera_state(3), tmp_path / "port.pth")
    size_hw = (32, 32)
    with pytest.raises(UsageError, match="name one of imagenet, plain, caffe by --normalization"):
        import_checkpoint(tmp_path / "port.pth", "segnet", size_hw=size_hw)
    told = {"size_hw": size_hw, "normalization": "imagenet"}
    imported = import_checkpoint(tmp_path / "port.pth", "segnet", **told)  # type: ignore[arg-type]
    assert imported.description.input == InputSpec(
        size_hw, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    )
    with pytest.raises(UsageError, match="unknown normalization 'plane'; did you mean plain"):
        import_checkpoint(tmp_path / "port.pth", "segnet", normalization="plane")


@pytest.mark.parametrize("name", shipped_weights())
def test_shipped_weights_are_described_by_the_model_beside_them(name: str):
    network, spec = load_trained(shipped_weights()[name])
    assert spec == read_spec(shipped_models()[name])
    with torch.no_grad():
        assert network(torch.rand(1, 3, 64, 64)).shape == (1, len(spec.labels), 64, 64)


def test_loading_leaves_torchs_random_state(tmp_path: Path):
    path = imported_file(tmp_path, labels=FOUR, size_hw=(32, 48))
    before = torch.get_rng_state()
    load_trained(path)
    load_trained(shipped_weights()["enet-camvid"])
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_that_describe_nothing_are_refused(tmp_path: Path):
    path = tmp_path / "alone.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(SwiftsegError, match="does not say which network it fills"):
        load_trained(path)


def test_weights_are_read_from_checkpoints_and_from_any_file_of_tensors(tmp_path: Path):
    expected = create_model("enet", num_classes=11).state_dict()
    for name, content in (("plain.pth", expected), ("nested.pt", {"state_dict": expected})):
        torch.save(content, tmp_path / name)
    save_file(
        {name: tensor.clone() for name, tensor in expected.items()}, tmp_path / "a.safetensors"
    )
    checkpoint = Checkpoint(tiny_recipe(), CAMVID_LABELS, TrainingState(1, 1), expected)
    save_checkpoint(checkpoint, tmp_path / "best.pt")
    for path in sorted(tmp_path.iterdir()):
        found = read_weights(path)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert origin_of_weights(tmp_path / "plain.pth")[1] is None
    assert origin_of_weights(tmp_path / "best.pt")[1] == tiny_recipe().input.to_spec()


def version_1(path: Path) -> None:
    """Writes a checkpoint as version 1 had it."""
    history = [
        {"stage": "encoder", "epoch": 1, "loss": 2.0, "lr": 0.1, "val/mean_iou": 0.125},
        {"stage": "full", "epoch": 1, "loss": 1.0, "lr": 0.1, "val/mean_iou": 0.25},
    ]
    recipe = tiny_recipe().model_dump(mode="json")
    network = create_model("enet", num_classes=11).state_dict()
    fields = {
        "format_version": 1, "recipe": recipe, "labels": asdict(CAMVID_LABELS), "stage": 1,
        "epoch": 1, "network": network, "step": 2, "averaged": {}, "optimizer": {}, "schedule": {},
        "scaler": {}, "rng": {}, "best_score": 0.25, "validations_since_best": 0,
        "history": history, "loss_sum": 3.5,
    }  # fmt: skip
    torch.save(fields, path)


def test_checkpoints_of_version_1_are_read(tmp_path: Path):
    version_1(tmp_path / "last.pt")
    state = load_checkpoint(tmp_path / "last.pt").state
    assert (state.stage, state.epoch, state.step, state.loss_sum) == (1, 1, 2, 3.5)
    assert [epoch.val_mean_iou for epoch in state.history] == [0.125, 0.25]
    network, spec = load_trained(tmp_path / "last.pt")
    assert spec.metrics == {"val/mean_iou": 0.25}
    assert not network.training
    assert load_checkpoint(tmp_path / "last.pt").recipe == tiny_recipe()


def test_label_sets_by_name_and_from_files(tmp_path: Path):
    assert find_labels("cityscapes") == CITYSCAPES_LABELS
    lines, listed, described = (tmp_path / name for name in ("a.txt", "b.yaml", "c.yaml"))
    lines.write_text("soil\ncrop plant\n\n")
    listed.write_text("[soil, crop plant]")
    described.write_text(json.dumps({"names": ["soil", "crop plant"], "palette": [[1, 2, 3]] * 2}))
    for path in (lines, listed, described):
        assert find_labels(str(path)).names == ("soil", "crop plant")
    assert find_labels(str(described)).palette == ((1, 2, 3), (1, 2, 3))


@pytest.mark.parametrize(
    ("text", "message"), [("[1, 2]", "expected a list of class names"), ("[", "cannot be read")]
)
def test_a_file_that_lists_no_names(tmp_path: Path, text: str, message: str):
    (tmp_path / "names.yaml").write_text(text)
    with pytest.raises(SwiftsegError, match=message):
        find_labels(str(tmp_path / "names.yaml"))
    with pytest.raises(UsageError, match="did you mean cityscapes"):
        find_labels("cityscape")
    assert all(len(labels) <= 255 for labels in PUBLISHED_LABELS.values())
