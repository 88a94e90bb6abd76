"""Models to a folder and to a hub on this machine, and back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.inference import Segmenter
from tests.support.exported import shade_labels, write_shade_model
from tests.support.local_hub import local_hub

FRAME = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)


def run_python(program: str, address: str, cache: Path, **changes: str) -> str:
    """Runs a program that knows only the hub on this machine; gives its output, or its error."""
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(cache), **changes}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    return run.stdout.strip() or run.stderr.splitlines()[-1]


def test_a_folder_holds_all_and_is_loaded_again(tmp_path: Path):
    segmenter = Segmenter.load(write_shade_model(tmp_path / "shades.onnx"))
    folder = segmenter.save_pretrained(tmp_path / "saved")
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "model.onnx", "swiftseg.json",
    ]  # fmt: skip
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: swiftseg\n")
    assert "| classes | dark, dim, bright |" in card
    again = Segmenter.from_pretrained(folder)
    assert again.spec == segmenter.spec
    np.testing.assert_array_equal(again(FRAME).label_map, shade_labels(FRAME))


def test_another_file_than_the_one_that_was_saved_is_refused(tmp_path: Path):
    segmenter = Segmenter.load(write_shade_model(tmp_path / "shades.onnx"))
    folder = segmenter.save_pretrained(tmp_path / "saved")
    write_shade_model(folder / "model.onnx", size_hw=(24, 32))
    with pytest.raises(SwiftsegError, match=r"model\.onnx: its SHA-256 is .* fetch it again"):
        Segmenter.from_pretrained(folder)
    (folder / "swiftseg.json").unlink()
    with pytest.raises(SwiftsegError, match=r"expected model\.onnx and swiftseg\.json"):
        Segmenter.from_pretrained(folder)


def test_a_network_in_torch_is_exported_first():
    with pytest.raises(UsageError, match="only an exported file can be saved for a hub"):
        Segmenter(Segmenter.load("enet-camvid")._backend).save_pretrained("nowhere")


def test_a_hub_takes_a_model_and_gives_it_back_also_offline(tmp_path: Path):
    path, cache, hub = (
        write_shade_model(tmp_path / "shades.onnx"),
        tmp_path / "hf",
        tmp_path / "hub",
    )
    load = (
        "from swiftseg.inference import Segmenter\n"
        "print(Segmenter.from_pretrained('org/shades'{}).spec.name)"
    )
    with local_hub(hub) as address:
        push = (
            "from swiftseg.inference import Segmenter\n"
            f"segmenter = Segmenter.load({str(path)!r})\n"
            "print(segmenter.push_to_hub('org/shades', token='hf_secret'))"
        )
        assert run_python(push, address, cache) == f"{address}/org/shades"
        described = json.loads((hub / "org/shades/swiftseg.json").read_text())
        assert set(described) == {"format_version", "sha256"}
        assert run_python(load.format(""), address, cache) == "shades"
        told = run_python(load.format("").replace("org/shades", "org/none"), address, cache)
        assert "org/none: no such folder, and as a repository it cannot be fetched" in told
    # The hub is gone now, and the cache still holds the model.
    assert run_python(load.format(", offline=True"), address, cache) == "shades"
    assert run_python(load.format(""), address, cache, HF_HUB_OFFLINE="1") == "shades"
    told = run_python(load.format(", offline=True"), address, tmp_path / "other cache")
    assert "as a repository it is not in the cache" in told
