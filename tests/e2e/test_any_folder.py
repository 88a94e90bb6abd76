"""From a folder in any form to an exported model, by one command."""

from pathlib import Path

import pytest

from swiftseg.inference import Segmenter
from tests.support.command_line import run_cli
from tests.support.strangers import CASES, Right

# One of each kind of pictures, masks, pairs and splits.
CHOSEN = (
    *("polyps, JPEG masks", "retina in one folder, 1 bit", "nuclei, a file each"),
    *("nuclei as MATLAB", "faces, a file a part", "hair as PBM", "a flood, soft edges"),
    *("a CVAT export", "VOC's tree, one's own classes", "a folder a class", "no suffixes"),
    *("a CSV of pairs, of pandas", "a JSON of splits", "the mask in alpha", "16-bit ids"),
    *("npz", "five bands"),
)
QUICK = ("--epochs", "1", "--batch-size", "2", "--size", "32x64")


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOSEN)
def test_one_command_ends_with_a_model(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    case = CASES[name]
    data, run = tmp_path / "data", tmp_path / "run"
    case.make(data)
    assert isinstance(case.right, Right)
    done = run_cli(capsys, "train", "fast_scnn", "--data", data, "--out", run, *QUICK)
    assert done.code == 0, done.err
    assert len(Segmenter.load(run / "model.onnx").spec.labels) == case.right.num_classes
    assert (run / "report.html").is_file()
