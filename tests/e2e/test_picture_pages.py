"""The commands and programs of the how-tos on pictures beyond RGB and on large pictures."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model
from tests.support.multiband import make_multiband

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
QUICK = ("--epochs", "1", "--batch-size", "2", "--size", "32x64")


def run_page(name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """Run a page's commands, then its programs; return what the programs have defined."""
    text = (PAGES / name).read_text(encoding="utf-8")
    code = "".join(re.findall(r"```\n(.*?)```", text, re.DOTALL))
    for line in code.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["swiftseg"]:
            continue
        done = run_cli(capsys, *words[1:], *(QUICK if words[1] == "train" else ()))
        assert done.code == 0, (line, done.err)
    found: dict[str, object] = {}
    for program in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(program, name, "exec"), found)
    return found


@pytest.mark.slow
def test_pictures_beyond_rgb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    make_multiband(tmp_path / "fields")
    run_page("pictures-beyond-rgb.md", capsys)
    with Image.open(tmp_path / "labels/labels/0.png") as labels:
        assert labels.size == (48, 32)


def test_large_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    write_shade_model(tmp_path / "run/model.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (600, 700, 3), dtype=np.uint8)
    place = (33550, "d", 3, (0.5, 0.5, 0.0), True)
    tifffile.imwrite("map.tif", pixels, photometric="rgb", tile=(256, 256), extratags=[place])
    run_page("large-pictures.md", capsys)
    written = tifffile.imread("labels/labels/map.tif")
    np.testing.assert_array_equal(written, tifffile.imread("map_labels.tif"))
