import pickle
from pathlib import Path

import pytest
import torch

from swiftseg.core import SwiftsegError
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.models import create_model
from swiftseg.runs import Epoch
from swiftseg.trained import load_trained
from swiftseg.trained.checkpoint import (
    Checkpoint,
    TrainingState,
    load_checkpoint,
    save_checkpoint,
)
from tests.support.tiny_training import tiny_recipe


def checkpoint(network: str = "enet") -> Checkpoint:
    weights = create_model(network, num_classes=11).state_dict()
    state = TrainingState(stage=1, epoch=1, history=[Epoch("full", 1.5, 1e-3, 0.25)])
    return Checkpoint(tiny_recipe(), CAMVID_LABELS, state, weights)


def test_weights_recipe_and_scores_come_back(tmp_path: Path):
    saved = checkpoint()
    save_checkpoint(saved, tmp_path / "best.pt")
    network, spec = load_trained(tmp_path / "best.pt")
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, saved.network[name], rtol=0, atol=0)
    assert not network.training
    assert (spec.name, spec.network, spec.labels) == ("enet-camvid", "enet", CAMVID_LABELS)
    assert spec.input.size_hw == (24, 32)
    assert spec.metrics == {"val/mean_iou": 0.25}
    assert load_checkpoint(tmp_path / "best.pt").recipe == saved.recipe


def test_a_finished_network_does_not_ask_for_the_weights_it_started_from(tmp_path: Path):
    stage = (
        "stages=[{name: full, network: shelfnet18_lw, epochs: 1, schedule: {name: constant}, "
        "options: {backbone_weights: gone.pth}}]"
    )
    started = tiny_recipe(stage)
    weights = create_model("shelfnet18_lw", num_classes=11).state_dict()
    saved = Checkpoint(started, CAMVID_LABELS, TrainingState(epoch=1), weights)
    save_checkpoint(saved, tmp_path / "best.pt")
    network, _ = load_trained(tmp_path / "best.pt")
    assert torch.equal(network.state_dict()["head.1.weight"], weights["head.1.weight"])


def test_a_checkpoint_of_another_network_names_the_misfit(tmp_path: Path):
    save_checkpoint(checkpoint("enet_encoder"), tmp_path / "best.pt")
    with pytest.raises(
        SwiftsegError, match=r"best\.pt: does not fit enet with 11 classes; \d+ tensors "
    ):
        load_trained(tmp_path / "best.pt")


class Payload:
    """Unpickling this would create the file it names."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_a_pickle_is_refused_and_never_executed(tmp_path: Path, writer: str):
    evil, path = tmp_path / "executed", tmp_path / "model.pt"
    if writer == "torch":
        torch.save({"network": Payload(evil)}, path)
    else:
        path.write_bytes(pickle.dumps(Payload(evil)))
    with pytest.raises(SwiftsegError, match=r"model\.pt: refused") as caught:
        load_trained(path)
    assert not evil.exists()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "damaged"),
        (b"PK\x03\x04 no more", "damaged"),
        (b"text", "damaged"),
    ],
)
def test_files_that_are_no_checkpoint(tmp_path: Path, content: bytes | None, message: str):
    path = tmp_path / "model.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SwiftsegError, match=rf"model\.pt: .*{message}"):
        load_trained(path)


def test_a_truncated_checkpoint(tmp_path: Path):
    path = tmp_path / "model.pt"
    save_checkpoint(checkpoint(), path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(SwiftsegError, match=r"model\.pt: refused, it is damaged"):
        load_trained(path)


@pytest.mark.parametrize(
    "fields", [{"a": torch.zeros(1)}, {"format_version": 99}, {"format_version": 1}, [1]]
)
def test_a_state_dict_of_something_else(tmp_path: Path, fields: object):
    path = tmp_path / "model.pt"
    torch.save(fields, path)
    with pytest.raises(SwiftsegError, match=r"model\.pt: "):
        load_trained(path)


def test_a_failed_write_leaves_the_last_good_file(tmp_path: Path):
    path = tmp_path / "last.pt"
    save_checkpoint(checkpoint(), path)
    before = path.read_bytes()
    broken = checkpoint()
    broken.rng = {"cpu": lambda: None}  # type: ignore[dict-item] torch cannot write it
    with pytest.raises((AttributeError, pickle.PicklingError)):
        save_checkpoint(broken, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]
