"""Files that earlier versions wrote are read as they were, and those of later ones refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from swiftseg.core import SwiftsegError
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.layers.tensor_file import read_state_dict
from swiftseg.runs.listing import read_run
from swiftseg.runtimes import load_backend
from swiftseg.runtimes.base import labels_of
from swiftseg.trained import load_checkpoint
from swiftseg.trained.weights_file import read_description
from tests.support.exported import shade_labels

FILES = Path(__file__).parents[1] / "files"


@pytest.mark.parametrize("version", [1, 2])
def test_a_checkpoint_of_an_older_version_is_read(version: int):
    checkpoint = load_checkpoint(FILES / f"checkpoint_v{version}.pt")
    torch.testing.assert_close(checkpoint.network["a.weight"], torch.arange(6.0).reshape(2, 3))
    assert checkpoint.labels == CAMVID_LABELS
    state = checkpoint.state
    assert (state.stage, state.epoch, state.step, state.loss_sum) == (1, 1, 2, 3.0)
    assert [epoch.val_mean_iou for epoch in state.history] == [0.125, 0.25]


def test_a_checkpoint_of_a_later_version_is_refused(tmp_path: Path):
    fields = torch.load(FILES / "checkpoint_v2.pt", weights_only=True)
    torch.save({**fields, "format_version": 99}, tmp_path / "last.pt")
    message = (
        "checkpoint format 99 where this swiftseg reads 1, 2, 3; use the version that wrote it"
    )
    with pytest.raises(SwiftsegError, match=message):
        load_checkpoint(tmp_path / "last.pt")


def test_an_exported_file_without_a_digest_runs():
    frames = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
    backend = load_backend(FILES / "exported_without_digest.onnx")
    np.testing.assert_array_equal(labels_of(backend, frames), shade_labels(frames))


def test_imported_weights_without_a_digest_are_read():
    path = FILES / "weights_without_digest.safetensors"
    described = read_description(path)
    assert described is not None
    assert described.labels == CAMVID_LABELS
    torch.testing.assert_close(
        read_state_dict(path)["a.weight"], torch.arange(6.0).reshape(2, 3), rtol=0, atol=0
    )


def test_an_older_run_is_listed(tmp_path: Path):
    shutil.copytree(FILES / "run", tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert (run.recipe, run.stage, run.epoch, run.state) == ("enet-camvid", "full", 2, "finished")
    assert run.mean_iou == pytest.approx(0.0323, abs=1e-4)
