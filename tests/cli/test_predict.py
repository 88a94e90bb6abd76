import json
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from swiftseg.cli.progress import LateProgress
from swiftseg.data.image_file import read_image, read_mask
from swiftseg.inference import Segmenter
from swiftseg.inference.video import reading_video, writing_video
from tests.support.command_line import run_cli
from tests.support.exported import SHADES, shade_labels, write_shade_model

SIZE_HW = (12, 16)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_shade_model(tmp_path / "m.onnx", size_hw=SIZE_HW)
    return tmp_path


@pytest.fixture
def frames(here):
    rng = np.random.default_rng(8)
    images = {name: rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8) for name in "abc"}
    for name, image in images.items():
        (here / "in").mkdir(exist_ok=True)
        Image.fromarray(image).save(here / "in" / f"{name}.png")
    return images


@pytest.fixture
def clip(here):
    with writing_video(here / "clip.mp4", fps=Fraction(10)) as writer:
        for index, gray in enumerate((20, 128, 235)):
            writer.write(np.full((24, 32, 3), gray, np.uint8), index / 10)
    return "clip.mp4"


def predict(capsys, *arguments):
    return run_cli(capsys, "predict", "--model", "m.onnx", "--threads", 1, *arguments)


def files_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_folder_gives_label_maps_and_overlays(here, frames, capsys):
    outcome = predict(capsys, "in", "--out", "out")

    assert (outcome.code, outcome.err) == (0, "")
    assert files_below(here / "out") == [
        *(f"labels/{name}.png" for name in "abc"),
        *(f"overlay/{name}.jpg" for name in "abc"),
    ]
    for name, image in frames.items():
        label_map = read_mask(here / f"out/labels/{name}.png")
        np.testing.assert_array_equal(label_map, shade_labels(image))
        picture = read_image(here / f"out/overlay/{name}.jpg")
        assert picture.shape[0] > SIZE_HW[0]  # the legend stands beneath
    assert all(name in outcome.out for name in SHADES.names)
    assert "3 images" in outcome.out


def test_the_label_map_has_the_images_own_size(here, capsys):
    Image.new("RGB", (37, 51), (255, 255, 255)).save("tall.jpg")
    assert predict(capsys, "tall.jpg", "--save", "labels").code == 0
    label_map = read_mask(here / "predictions/labels/tall.png")
    assert label_map.shape == (51, 37)
    assert (label_map == 2).all()


def test_probabilities_are_saved_as_float16(here, frames, capsys):
    assert predict(capsys, "in/a.png", "--save", "probs", "--out", "out").code == 0
    assert files_below(here / "out") == ["probs/a.npy"]
    probs = np.load(here / "out/probs/a.npy")
    assert (probs.shape, probs.dtype) == ((3, *SIZE_HW), np.float16)
    np.testing.assert_array_equal(
        probs, Segmenter.load("m.onnx").probabilities(frames["a"]).astype(np.float16)
    )


def test_json_is_all_that_stands_on_stdout(here, frames, capsys):
    outcome = predict(capsys, "in", "--json", "--out", "out", "--backend", "openvino")

    summary = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert (summary["model"], summary["backend"]) == ("shades", "openvino")
    assert summary["classes"] == list(SHADES.names)
    assert [result["input"] for result in summary["results"]] == [f"in/{n}.png" for n in "abc"]
    all_labels = np.stack([shade_labels(image) for image in frames.values()])
    expected = {name: (all_labels == i).mean() for i, name in enumerate(SHADES.names)}
    assert summary["shares"] == pytest.approx(expected)
    first = summary["results"][0]
    assert first["size_hw"] == list(SIZE_HW)
    assert first["files"] == {"labels": "out/labels/a.png", "overlay": "out/overlay/a.jpg"}
    assert set(first["timings_ms"]) == {"read", "resize", "network", "restore"}


def test_one_bad_file_is_told_at_the_end_and_the_others_are_done(here, frames, capsys):
    (here / "in/b.png").write_bytes(b"")

    outcome = predict(capsys, "in", "--save", "labels", "--out", "out")

    assert outcome.code == 1
    assert outcome.err == ("error: in/b.png: the file is empty (0 bytes)\n1 of 3 inputs failed\n")
    assert files_below(here / "out") == ["labels/a.png", "labels/c.png"]


def test_json_tells_the_errors_too(here, frames, capsys):
    outcome = predict(capsys, "in/a.png", "gone.png", "--json")
    assert outcome.code == 1
    errors = json.loads(outcome.out)["errors"]
    assert errors == [{"input": "gone.png", "message": "no such file: gone.png"}]


def test_only_bad_files_still_give_valid_json(here, capsys):
    outcome = predict(capsys, "gone.png", "--json")
    assert outcome.code == 1
    summary = json.loads(outcome.out)
    assert (summary["results"], summary["shares"]) == ([], {})


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (
            ["in", "--save", "overlays"],
            2,
            "error: unknown output 'overlays'; did you mean overlay",
        ),
        (["in", "--model", "enet-camvit"], 2, "error: unknown model 'enet-camvit'"),
        (["in", "--model", "in/a.png"], 1, "error: in/a.png is no ONNX file"),
        (["in", "--model", "gone.onnx"], 1, "error: no such model file: gone.onnx"),
        (["in", "--backend", "tensorrt"], 2, "error: unknown backend 'tensorrt'"),
        (["in", "--threads", "0"], 2, "error: expected at least 1 thread, got 0"),
        (["in", "--out", "m.onnx"], 1, "error: cannot write to the folder m.onnx: File exists"),
        (["empty"], 1, "error: no images in empty"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(here, frames, capsys, arguments, code, line):
    (here / "empty").mkdir()
    before = files_below(here)

    outcome = predict(capsys, *arguments)

    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.startswith(line)
    assert outcome.err.count("\n") == 1
    assert files_below(here) == before
    assert not (here / "predictions").exists()


def test_a_video_gives_a_video_and_a_label_map_a_frame(here, clip, capsys):
    outcome = predict(capsys, clip, "--out", "out", "--json")

    assert outcome.code == 0, outcome.err
    [result] = json.loads(outcome.out)["results"]
    assert (result["kind"], result["frames"], result["size_hw"]) == ("video", 3, [24, 32])
    assert result["files"] == {"overlay": "out/overlay/clip.mp4", "labels": "out/labels/clip"}
    label_maps = [read_mask(here / f"out/labels/clip/{i:06d}.png") for i in range(3)]
    assert [int(np.median(label_map)) for label_map in label_maps] == [0, 1, 2]
    with reading_video(here / "out/overlay/clip.mp4") as video:
        times_s = [frame.time_s for frame in video.frames]
        assert video.fps == 10
    np.testing.assert_allclose(times_s, [0, 0.1, 0.2], atol=1e-4)


def test_ctrl_c_in_a_video_keeps_what_is_done(here, clip, capsys, monkeypatch):
    segment = Segmenter.__call__
    calls = []

    def segment_until_stopped(self, image):
        calls.append(image)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return segment(self, image)

    monkeypatch.setattr(Segmenter, "__call__", segment_until_stopped)
    outcome = predict(capsys, clip, "clip.mp4", "--out", "out", "--json")

    assert outcome.code == 130
    summary = json.loads(outcome.out)
    assert summary["interrupted"]
    assert summary["results"][0]["frames"] == 2
    with reading_video(here / "out/overlay/clip.mp4") as video:
        assert len(list(video.frames)) == 2


def test_ctrl_c_among_images_keeps_what_is_done(here, frames, capsys, monkeypatch):
    def stop(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(LateProgress, "advance", stop)
    outcome = predict(capsys, "in", "--out", "out", "--save", "labels")
    assert outcome.code == 130
    assert files_below(here / "out") == ["labels/a.png"]


def test_a_damaged_video_leaves_no_video(here, clip, capsys):
    data = (here / clip).read_bytes()
    (here / "bad.mp4").write_bytes(data[: len(data) // 2])
    outcome = predict(capsys, "bad.mp4", "--out", "out")
    assert outcome.code == 1
    assert outcome.err.startswith("error: bad.mp4: ")
    assert files_below(here / "out") == []


def test_a_missing_camera_is_one_line(here, capsys):
    outcome = predict(capsys, "camera:987")
    assert outcome.code == 1
    assert outcome.err.startswith("error: no camera at /dev/video987")
