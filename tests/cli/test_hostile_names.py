"""Names that look like markup are text; secrets of addresses appear nowhere; a pipe may close."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image

from swiftseg.core import LabelSet
from swiftseg.data.own.own_data import find_own_data
from swiftseg.data.own.splits import hold_out_val
from tests.support.command_line import run_cli
from tests.support.exported import SHADES, shade_spec, write_shade_model
from tests.support.videos import write_clip

NAMES = ("[red]dark[/]", ":smile:", "[/nothing]")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = replace(shade_spec(), labels=LabelSet(NAMES, SHADES.palette, 255))
    write_shade_model(tmp_path / "m.onnx", metadata={"swiftseg": spec.to_json()})
    Image.new("RGB", (16, 12)).save(tmp_path / "[bold]a.png")
    return tmp_path


def test_markup_in_names_is_text(here, capsys):
    outcome = run_cli(capsys, "predict", "[bold]a.png", "--model", "m.onnx", "--out", "[b]out")
    assert outcome.code == 0, outcome.err
    assert all(name in outcome.out for name in NAMES)
    assert "[b]out" in outcome.out


@pytest.mark.parametrize("form", ["--json", "--json-lines"])
def test_secrets_of_an_address_are_not_told(here, capsys, form):
    address = "rtsp://admin:s3cret@127.0.0.1:9/live?token=s3cret"
    outcome = run_cli(capsys, "predict", address, "--model", "m.onnx", form)
    assert outcome.code == 1
    assert "rtsp://127.0.0.1:9/live?..." in outcome.err
    assert "s3cret" not in outcome.out + outcome.err


def test_names_that_are_no_utf_8_are_as_good_as_others(here, capsys):
    for number in range(4):
        name = f"data/{{}}/caf{chr(0xDCE9)}_{number}.png"  # as an archive of Windows leaves them
        for folder, pixel in (("images", (9, 9, 9)), ("masks", number % 3)):
            path = here / name.format(folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.touch()
            except OSError:
                pytest.skip("the file system takes no such names")
            mode = "RGB" if folder == "images" else "L"
            Image.new(mode, (16, 12), pixel).save(path, "PNG")
    assert {"train", "val"} <= hold_out_val(find_own_data(here / "data").splits).keys()
    for command in (
        ("label", "data/images", "--out", "labeled", "--engine", "local", "--report"),
        ("label", "data/images", "--out", "rows", "--engine", "local", "--format", "parquet"),
        ("predict", "data/images", "--json"),
    ):
        outcome = run_cli(capsys, *command, "--model", "m.onnx")
        assert outcome.code == 0, outcome.err
    manifest = (here / "labeled/manifest.csv").read_text(encoding="utf-8")
    assert "caf\\udce9_0" in manifest
    (here / "data/dataset.yaml").write_text(f"names: {json.dumps(NAMES)}\n")
    outcome = run_cli(capsys, "report", "m.onnx", "--data", "data", "--out", "report.html")
    assert outcome.code == 0, outcome.err


def test_a_closed_pipe_is_no_noise():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "swiftseg", "models", "--json"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.stderr == b""


def test_a_file_is_a_file_whatever_its_name(here, capsys):
    write_clip(here / "12:30:00.mp4", 3)
    outcome = run_cli(capsys, "predict", "12:30:00.mp4", "--model", "m.onnx", "--json")
    assert outcome.code == 0, outcome.err


def test_a_playlist_in_a_videos_clothes_opens_nothing(here, capsys):
    """It would have FFmpeg connect to wherever it likes."""
    (here / "a.mp4").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"
    )
    outcome = run_cli(capsys, "predict", "a.mp4", "--model", "m.onnx")
    assert outcome.code == 1
    assert "not a video that can be read" in outcome.err


def test_a_fifo_is_refused(here, capsys):
    os.mkfifo(here / "pipe.png")
    outcome = run_cli(capsys, "predict", "pipe.png", "--model", "m.onnx")
    assert (outcome.code, "no ordinary file" in outcome.err) == (1, True)


def test_a_loop_of_links_gives_each_file_once(here, capsys):
    (here / "in").mkdir()
    Image.new("RGB", (16, 12)).save(here / "in" / "a.png")
    (here / "in" / "loop").symlink_to(here / "in")
    outcome = run_cli(capsys, "predict", "in/**/*.png", "--model", "m.onnx", "--json")
    assert len(json.loads(outcome.out)["results"]) == 1
