import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from swiftseg.core import SwiftsegError
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.layers.tensor_file import read_state_dict
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


def small_checkpoint() -> Checkpoint:
    weights = {"weight": torch.arange(24.0).reshape(2, 3, 4), "count": torch.tensor(7)}
    state = TrainingState(stage=1, epoch=1, history=[Epoch("full", 1.5, 1e-3, 0.25)])
    return Checkpoint(
        tiny_recipe(), CAMVID_LABELS, state, weights, optimizer={"state": {0: {"step": 1.0}}}
    )


def test_no_flipped_bit_loads_as_other_weights(tmp_path: Path):
    path = tmp_path / "last.pt"
    save_checkpoint(small_checkpoint(), path)
    whole, good = path.read_bytes(), load_checkpoint(path)
    places = random.Random(0).sample(range(8 * len(whole)), 150)
    refused = 0
    for place in places:
        flipped = whole[place // 8] ^ (1 << place % 8)
        path.write_bytes(whole[: place // 8] + bytes([flipped]) + whole[place // 8 + 1 :])
        try:
            found = load_checkpoint(path)
        except SwiftsegError:
            refused += 1
            continue
        assert_equal_content(found, good)  # the bit was in padding, or in a date
    assert refused > 75


def assert_equal_content(ours: Checkpoint, theirs: Checkpoint) -> None:
    torch.testing.assert_close(vars(ours)["network"], theirs.network, rtol=0, atol=0)
    for part in ("recipe", "labels", "state", "optimizer", "schedule"):
        assert getattr(ours, part) == getattr(theirs, part)


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Changes what a checkpoint holds and writes it as torch does, with right checksums."""
    save_checkpoint(small_checkpoint(), path)
    fields = torch.load(path, weights_only=True)
    change(fields)
    torch.save(fields, path)
    return path


def as_version_2(fields: dict[str, Any]) -> dict[str, Any]:
    """Takes the digest off, so that only the checks of the values are left."""
    fields["format_version"] = 2
    return fields


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f["network"]["weight"].zero_(), "its content is not what was written"),
        (lambda f: as_version_2(f)["network"]["weight"].fill_(torch.nan), "24 of the 24 values"),
        (lambda f: as_version_2(f)["network"].update(weight=[1.0]), "network is not tensors"),
        (lambda f: as_version_2(f).update(network=None), "network is not tensors"),
        (lambda f: as_version_2(f)["state"].update(stage=7), "it is in stage 7 of 2"),
        (lambda f: as_version_2(f)["state"].update(stage=-1), "its stage is -1"),
        (lambda f: as_version_2(f)["state"].update(epoch="one"), "its epoch is 'one'"),
        (lambda f: as_version_2(f).update(state=None), "damaged"),
        (lambda f: as_version_2(f)["recipe"].update(seed="x"), "damaged: seed: "),
        (lambda f: as_version_2(f)["labels"].update(names=()), "damaged: expected 1 to 255"),
        (lambda f: as_version_2(f).update(optimizer=[]), "its optimizer is no dict"),
        (lambda f: as_version_2(f).update(more=1), "damaged"),
    ],
)
def test_what_a_checkpoint_holds_is_checked(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
):
    path = rewritten(tmp_path / "last.pt", change)
    with pytest.raises(SwiftsegError, match=rf"last\.pt: .*{message}") as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)


def test_compressed_entries_are_refused(tmp_path: Path):
    save_checkpoint(small_checkpoint(), tmp_path / "last.pt")
    with zipfile.ZipFile(tmp_path / "last.pt") as stored:
        entries = {entry.filename: stored.read(entry) for entry in stored.infolist()}
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    with pytest.raises(SwiftsegError, match=r"bomb\.pt: refused, it holds compressed entries"):
        load_checkpoint(tmp_path / "bomb.pt")


def test_a_tensor_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path):
    torch.save({"weight": torch.zeros(1).expand(1 << 20, 1 << 20)}, tmp_path / "weights.pt")
    with pytest.raises(SwiftsegError, match=r"\.'weight' claims more values than the file holds"):
        read_state_dict(tmp_path / "weights.pt")


def test_values_nested_without_end_are_refused(tmp_path: Path):
    value: Any = 1
    for _ in range(60):
        value = [value, value]  # 2^60 values in a file of a few kilobytes
    torch.save({"format_version": 2, "state": value}, tmp_path / "last.pt")
    with pytest.raises(SwiftsegError, match=r"last\.pt: refused, it "):
        load_checkpoint(tmp_path / "last.pt")
