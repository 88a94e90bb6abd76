"""examples/cpp labels as Python does, byte for byte; `make cpp` builds it."""

import os
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.data.toy_street import ToyStreet
from swiftseg.inference import Segmenter
from swiftseg.weights import shipped_models

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "build/cpp/segment"
CAMVID = Path(os.environ.get("SWIFTSEG_CAMVID", "/nowhere"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAM.is_file(), reason="build/cpp/segment is not built: make cpp"),
]


def segment(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True)


def frames() -> list[np.ndarray]:
    """Generated streets in several sizes, noise, and CamVid's where its folder is named."""
    sizes = (720, 960), (360, 480), (97, 131), (1, 1), (1080, 1921)
    rng = np.random.default_rng(0)
    drawn = [next(iter(ToyStreet("test", 1, size_hw))).image for size_hw in sizes[:2]]
    noise = [rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8) for size_hw in sizes[2:]]
    photos = sorted((CAMVID / "train").glob("*.jpg"))[::60] if CAMVID.is_dir() else []
    return [*drawn, *noise, *(np.asarray(Image.open(path).convert("RGB")) for path in photos)]


FRAMES = frames()


@pytest.mark.parametrize("name", shipped_models())
def test_labels_are_pythons(name: str, tmp_path: Path):
    model = shipped_models()[name]
    segmenter = Segmenter.load(model, fit="stretch")
    for index, frame in enumerate(FRAMES):
        expected = segmenter(frame).label_map
        for source, target in (("frame.png", "labels.png"), ("frame.ppm", "labels.pgm")):
            Image.fromarray(frame).save(tmp_path / source)
            done = segment(model, tmp_path / source, tmp_path / target)
            assert done.returncode == 0, done.stderr
            labels = np.asarray(Image.open(tmp_path / target))
            np.testing.assert_array_equal(labels, expected, err_msg=f"frame {index}, {target}")


def test_the_png_has_the_classes_colors(tmp_path: Path):
    model = shipped_models()["fast_scnn-camvid"]
    segmenter = Segmenter.load(model, fit="stretch")
    Image.fromarray(FRAMES[1]).save(tmp_path / "frame.png")
    assert segment(model, tmp_path / "frame.png", tmp_path / "ours.png").returncode == 0
    segmenter(FRAMES[1]).save(tmp_path / "pythons.png")
    ours, pythons = (Image.open(tmp_path / name) for name in ("ours.png", "pythons.png"))
    np.testing.assert_array_equal(ours.convert("RGB"), pythons.convert("RGB"))


def test_a_cameras_pictures_come_through_a_pipe():
    model = shipped_models()["fast_scnn-camvid"]
    segmenter = Segmenter.load(model, fit="stretch")
    pictures, expected = BytesIO(), b""
    for frame in FRAMES[1:3]:
        Image.fromarray(frame).save(pictures, format="PPM")
        height, width, _ = frame.shape
        expected += b"P5\n%d %d\n255\n" % (width, height) + segmenter(frame).label_map.tobytes()
    done = segment(model, "-", "-", stdin=pictures.getvalue())
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected


def test_the_number_of_threads_changes_nothing(tmp_path: Path):
    model = shipped_models()["enet-camvid"]
    Image.fromarray(FRAMES[1]).save(tmp_path / "frame.ppm")
    for threads in ("1", "2"):
        target = tmp_path / f"{threads}.pgm"
        done = segment(model, tmp_path / "frame.ppm", target, "--threads", threads)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "1.pgm").read_bytes() == (tmp_path / "2.pgm").read_bytes()


def test_the_model_tells_its_classes_and_size():
    model = shipped_models()["fast_scnn-camvid"]
    spec = Segmenter.load(model, fit="stretch").spec
    lines = segment(model).stdout.decode().splitlines()
    height, width = spec.input.size_hw
    assert lines[0] == f"input {width}x{height}"
    assert [line.split(" ", 1)[1] for line in lines[1:]] == list(spec.labels.names)


def test_what_cannot_be_read_is_told_in_one_line(tmp_path: Path):
    model = shipped_models()["fast_scnn-camvid"]
    (tmp_path / "cut.ppm").write_bytes(b"P6\n100 100\n255\n123")
    (tmp_path / "huge.ppm").write_bytes(b"P6\n16777216 16777216\n255\n")
    (tmp_path / "text.png").write_bytes(b"no picture")
    (tmp_path / "cut.onnx").write_bytes(model.read_bytes()[:100_000])
    Image.new("RGBA", (4, 4)).save(tmp_path / "transparent.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "fine.ppm")
    cases = {
        (model, "cut.ppm", "out.png"): "ends within a picture",
        (model, "huge.ppm", "out.png"): "16777216x16777216 pixels are more than",
        (model, "text.png", "out.png"): "text.png: Not a PNG file",
        (model, "transparent.png", "out.png"): "expected 8-bit RGB or gray",
        (model, "absent.png", "out.png"): "absent.png: ",
        (model, "fine.ppm", "out.bmp"): "expected a name that ends in .png or .pgm",
        (model, "fine.ppm", "no/folder/out.png"): "no/folder/out.png: ",
        (tmp_path / "cut.onnx", "fine.ppm", "out.png"): "ONNX Runtime cannot load it",
        (tmp_path / "absent.onnx", "fine.ppm", "out.png"): "cannot be opened",
    }
    for (path, source, target), told in cases.items():
        done = segment(path, tmp_path / source, tmp_path / target)
        assert done.returncode == 1
        assert told in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1
    assert segment(model, "frame.png").returncode == 2
    assert segment(model, "frame.png", "labels.png", "--threads", "0").returncode == 2
