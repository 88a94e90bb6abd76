import json
import re
import signal
import subprocess
import sys
import threading
from fractions import Fraction
from itertools import count

import numpy as np
import pytest
from PIL import Image

from swiftseg.core.progress import LateProgress
from swiftseg.data.images.image_file import read_image, read_mask
from swiftseg.inference import Segmenter
from swiftseg.inference.video import Video, reading_video
from swiftseg.inference.video_writer import writing_video
from swiftseg.prediction.outputs import MARK
from tests.support.command_line import run_cli
from tests.support.exported import SHADES, shade_labels, write_shade_model
from tests.support.videos import corrupt_packets, write_clip
from tests.support.web_server import serving

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
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MARK]
    return sorted(str(path.relative_to(folder)) for path in files)


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


def test_the_first_line_says_what_the_model_knows(here, frames, capsys):
    first = predict(capsys, "in", "--out", "out").out.splitlines()[0]
    assert first == (
        "shades knows 3 classes: dark, dim, bright, learned from nothing: three shades by hand"
    )


def test_void_is_counted_and_written(here, capsys):
    picture = np.full((*SIZE_HW, 3), 42, np.uint8)  # sure
    picture[:3] = 85  # between two classes
    Image.fromarray(picture).save("a.png")
    outcome = predict(capsys, "a.png", "--void-below", "0.5", "--out", "out", "--json")
    summary = json.loads(outcome.out)
    assert summary["void_share"] == summary["results"][0]["void_share"] == 0.25
    assert summary["shares"] == {"dark": 0.75, "dim": 0.0, "bright": 0.0}
    label_map = read_mask(here / "out/labels/a.png")
    assert (label_map == np.where(np.arange(12) < 3, 255, 0)[:, None]).all()
    assert "void (unsure)" in predict(capsys, "a.png", "--void-below", "0.5").out


def test_overlays_of_the_pictures_own_size(here, frames, capsys):
    options = ("--no-legend", "--alpha", "0.9", "--hide", "dark", "--hide", "dim")
    assert predict(capsys, "in/a.png", "--out", "out", *options).code == 0
    picture = read_image(here / "out/overlay/a.jpg")
    expected = Segmenter.load("m.onnx")(frames["a"]).overlay(0.9, hide=("dark", "dim"))
    assert picture.shape == expected.shape
    outcome = predict(capsys, "in/a.png", "--hide", "dusk")
    assert outcome.code == 2
    assert "unknown class 'dusk'" in outcome.err


def test_a_web_address_is_a_picture_and_a_gif_a_video(here, frames, capsys):
    gray = [Image.new("L", (32, 24), value) for value in (20, 128, 235)]
    gray[0].save("in/moving.gif", save_all=True, append_images=gray[1:], duration=100)
    with serving(here / "in") as address:
        given = [f"{address}/a.png", "in/moving.gif"]
        outcome = predict(capsys, *given, "--out", "out", "--save", "labels", "--json")
    assert outcome.code == 0, outcome.err
    assert files_below(here / "out") == [
        "labels/a.png",
        *(f"labels/moving.gif/{number:06d}.png" for number in range(3)),
    ]
    np.testing.assert_array_equal(read_mask(here / "out/labels/a.png"), shade_labels(frames["a"]))


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
    assert [summary[key] for key in ("model", "backend", "precision")] == [
        "shades",
        "openvino",
        "f32",
    ]
    assert summary["classes"] == list(SHADES.names)
    assert [result["input"] for result in summary["results"]] == [f"in/{n}.png" for n in "abc"]
    all_labels = np.stack([shade_labels(image) for image in frames.values()])
    expected = {name: (all_labels == i).mean() for i, name in enumerate(SHADES.names)}
    assert summary["shares"] == pytest.approx(expected)
    first = summary["results"][0]
    assert first["size_hw"] == list(SIZE_HW)
    assert first["files"] == {"labels": "out/labels/a.png", "overlay": "out/overlay/a.jpg"}
    assert set(first["timings_ms"]) == {"read", "resize", "network", "labels", "restore"}


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
        (["in", "--backend", "tensorflow"], 2, "error: unknown backend 'tensorflow'"),
        (["in", "--threads", "0"], 2, "error: expected at least 1 thread, got 0"),
        (["in", "--out", "m.onnx"], 1, "error: cannot write to the folder m.onnx: File exists"),
        (["in", "--max-memory", "500"], 2, "error: expected --max-memory such as 500MB"),
        (["in", "--max-memory", "1MB"], 1, "error: --max-memory 1 MB is too little"),
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
        times_s = [frame.time_s for frame in video.frames()]
        assert video.fps == 10
    np.testing.assert_allclose(times_s, [0, 0.1, 0.2], atol=1e-4)


def test_ctrl_c_in_a_video_keeps_what_is_done(here, capsys, monkeypatch):
    write_clip(here / "long.mp4", 200)
    advance = LateProgress.advance
    seen = []

    def stop_at_the_third(self, note=""):
        advance(self, note)
        seen.append(note)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(LateProgress, "advance", stop_at_the_third)
    outcome = predict(capsys, "long.mp4", "gone.mp4", "--out", "out", "--json")

    assert outcome.code == 130
    summary = json.loads(outcome.out)
    assert summary["interrupted"]
    [result] = summary["results"]
    assert 3 <= result["frames"] < 200
    with reading_video(here / "out/overlay/long.mp4") as video:
        assert len(list(video.frames())) == result["frames"]


def test_ctrl_c_of_a_real_process_leaves_a_playable_video(here):
    # An endless drive comes through a pipe, which holds so little that frames must be done.
    drive = write_clip(here / "clip.ts", 20, size_hw=(96, 128)).read_bytes()
    (here / "drive.ts").symlink_to("/dev/stdin")
    command = [sys.executable, "-m", "swiftseg", "predict", "drive.ts", "--model", "m.onnx"]
    process = subprocess.Popen(
        [*command, "--save", "overlay", "--json", "--threads", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None
        for turn in count():
            if turn == 10:
                process.send_signal(signal.SIGINT)
            try:
                process.stdin.write(drive)
            except BrokenPipeError:
                break
        out, err = process.stdout.read(), process.stderr.read()  # pyright: ignore

    assert (process.returncode, err) == (130, b"")
    [result] = json.loads(out)["results"]
    assert result["frames"] > 20
    with reading_video(here / "predictions/overlay/drive.ts.mp4") as video:
        assert len(list(video.frames())) == result["frames"]


def test_ctrl_c_among_images_keeps_what_is_done(here, frames, capsys, monkeypatch):
    def stop(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(LateProgress, "advance", stop)
    outcome = predict(capsys, "in", "--out", "out", "--save", "labels")
    assert outcome.code == 130
    written = files_below(here / "out")
    assert "labels/a.png" in written
    for name in written:
        stem = name.removeprefix("labels/").removesuffix(".png")
        np.testing.assert_array_equal(read_mask(here / "out" / name), shade_labels(frames[stem]))


def test_a_stream_that_dies_leaves_a_playable_video_and_exit_code_1(here, capsys):
    path = write_clip(here / "cam.ts", 60)
    with serving(here, dies_after=path.stat().st_size // 2) as address:
        outcome = predict(capsys, f"{address}/cam.ts", "--out", "out", "--json")
    assert outcome.code == 1
    summary = json.loads(outcome.out)
    [result] = summary["results"]
    [error] = summary["errors"]
    assert re.search(r"cam\.ts: the video breaks off after [0-9]+ frames \(.+\)$", error["message"])
    assert outcome.err == f"error: {error['message']}\n"
    with reading_video(here / "out/overlay/cam.mp4") as video:
        assert len(list(video.frames())) == result["frames"] > 0


def test_a_stream_that_is_too_fast_loses_its_oldest_frames_and_says_so(here, capsys, monkeypatch):
    write_clip(here / "cam.ts", 40)
    all_decoded = threading.Event()
    decoded, segment = Video.frames, Segmenter.segment

    def frames_then_signal(self):
        yield from decoded(self)
        all_decoded.set()

    def segment_late(self, image, **options):
        assert all_decoded.wait(20)
        return segment(self, image, **options)

    monkeypatch.setattr(Video, "frames", frames_then_signal)
    monkeypatch.setattr(Segmenter, "segment", segment_late)
    with serving(here) as address:
        outcome = predict(capsys, f"{address}/cam.ts", "--out", "out", "--json")

    assert (outcome.code, outcome.err) == (0, "")
    [result] = json.loads(outcome.out)["results"]
    assert result["frames"] + result["dropped"] == 40
    assert result["frames"] <= 3  # one at work, two waiting
    with reading_video(here / "out/overlay/cam.mp4") as video:
        times_s = [frame.time_s for frame in video.frames()]
    assert times_s[-1] - times_s[-2] == pytest.approx(0.1, abs=1e-3)  # the newest two are there


def test_a_size_that_changes_keeps_the_frames_before_it(here, capsys):
    large, small = write_clip(here / "a.ts", 6), write_clip(here / "b.ts", 6, size_hw=(16, 24))
    (here / "both.ts").write_bytes(large.read_bytes() + small.read_bytes())
    outcome = predict(capsys, "both.ts", "--out", "out")
    assert outcome.code == 1
    assert outcome.err.startswith("error: both.ts: the frames' size changes from 32x48 to 16x24")
    assert outcome.err.count("\n") == 1
    assert "both.ts: 6 frames" in " ".join(outcome.out.split())
    with reading_video(here / "out/overlay/both.ts.mp4") as video:
        assert len(list(video.frames())) == 6


def test_damaged_packets_are_counted_and_the_rest_is_done(here, capsys):
    corrupt_packets(write_clip(here / "clip.avi", 12, codec="mjpeg"), [3, 7])
    outcome = predict(capsys, "clip.avi", "--out", "out")
    assert (outcome.code, outcome.err) == (0, "")
    assert "2 damaged packets passed over" in " ".join(outcome.out.split())
    assert len(files_below(here / "out/labels")) == 10


def test_a_video_is_timed_by_stage(here, clip, capsys):
    [result] = json.loads(predict(capsys, clip, "--json").out)["results"]
    assert set(result["timings_ms"]) == {
        *("decode", "resize", "network", "labels", "restore", "draw", "encode")
    }
    assert result["fps"] > 0
    assert result["p95_ms"] > 0
    assert (result["dropped"], result["damaged"]) == (0, 0)


def test_an_uneven_pace_is_kept(here, capsys):
    times_s = [0.0, 0.04, 0.5, 0.54, 2.0]
    with writing_video(here / "uneven.mp4", fps=Fraction(25)) as writer:
        for time_s in times_s:
            writer.write(np.zeros((24, 32, 3), np.uint8), time_s)
    assert predict(capsys, "uneven.mp4", "--out", "out").code == 0
    with reading_video(here / "out/overlay/uneven.mp4") as video:
        kept_s = [frame.time_s for frame in video.frames()]
    np.testing.assert_allclose(kept_s, times_s, atol=1e-3)


def test_a_stage_that_fails_ends_the_run_with_its_error(here, capsys):
    write_clip(here / "long.mp4", 200)
    (here / "out/labels").mkdir(parents=True)
    (here / "out/labels/long").touch()  # where the folder of the label maps would be
    outcome = predict(capsys, "long.mp4", "--out", "out")
    assert outcome.code == 1
    assert outcome.err == "error: cannot write out/labels/long/000000.png: File exists\n"
    assert not list((here / "out/overlay").iterdir())
    assert not [t for t in threading.enumerate() if t.name.startswith("swiftseg")]


def test_probabilities_of_a_video_are_one_file_a_frame(here, clip, capsys):
    assert predict(capsys, clip, "--save", "probs", "--out", "out").code == 0
    assert files_below(here / "out") == [f"probs/clip/{i:06d}.npy" for i in range(3)]


def test_smoothing_keeps_labels_from_flickering(here, capsys):
    grays = [40, 40, 230, 40, 40, 40]  # dark, with one frame of light
    with writing_video(here / "flicker.mp4", fps=Fraction(10)) as writer:
        for index, gray in enumerate(grays):
            writer.write(np.full((*SIZE_HW, 3), gray, np.uint8), index / 10)

    def labels(*options):
        assert predict(capsys, "flicker.mp4", "--save", "labels", *options).code == 0
        masks = [read_mask(here / f"predictions/labels/flicker/{i:06d}.png") for i in range(6)]
        return [int(np.median(mask)) for mask in masks]

    assert labels() == [0, 0, 2, 0, 0, 0]
    assert labels("--smooth", "0.8") == [0] * 6


def test_smoothing_begins_anew_with_each_video(here, capsys):
    for name, gray in (("dark", 20), ("light", 235)):
        with writing_video(here / f"{name}.mp4", fps=Fraction(10)) as writer:
            writer.write(np.full((*SIZE_HW, 3), gray, np.uint8), 0.0)
    outcome = predict(capsys, "dark.mp4", "light.mp4", "--save", "labels", "--smooth", "0.9")
    assert outcome.code == 0
    assert (read_mask(here / "predictions/labels/light/000000.png") == 2).all()


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["clip.mp4", "--smooth", "1"], 2, "expected a smoothing from 0"),
        (["in/a.png", "--smooth", "0.5"], 2, "--smooth averages over the frames of a video"),
        (["zero.mp4"], 1, r"zero.mp4: the file is empty (0 bytes)"),
        (["words.mp4"], 1, "words.mp4: not a video that can be read"),
        (["http://127.0.0.1:9/a.ts"], 1, "cannot open the stream http://127.0.0.1:9/a.ts"),
    ],
)
def test_what_is_wrong_with_a_video_is_one_line(here, frames, clip, capsys, arguments, code, line):
    (here / "zero.mp4").write_bytes(b"")
    (here / "words.mp4").write_bytes(b"not a video at all")
    outcome = predict(capsys, *arguments)
    assert outcome.code == code
    assert "written to" not in outcome.out
    assert outcome.err.startswith(f"error: {line}")
    assert outcome.err.count("\n") == 1


def test_a_file_of_probabilities_is_smoothed_by_them(here, clip, capsys):
    write_shade_model(here / "m.onnx", size_hw=SIZE_HW, output="probs")
    outcome = predict(capsys, clip, "--smooth", "0.5")
    assert (outcome.code, outcome.err) == (0, "")


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


def test_a_second_run_labels_no_output_of_the_first(here, frames, capsys):
    for _ in range(2):
        summary = json.loads(predict(capsys, ".", "--out", ".", "--json").out)
        assert len(summary["results"]) == 3


def test_an_input_is_never_overwritten_by_its_own_output(here, frames, capsys):
    (here / "labels").mkdir()
    (here / "in/a.png").rename(here / "labels/a.png")
    before = (here / "labels/a.png").read_bytes()
    outcome = predict(capsys, "labels/a.png", "in/b.png", "--out", ".")
    assert outcome.code == 1
    assert "labels/a.png: its own output would overwrite it" in outcome.err
    assert (here / "labels/a.png").read_bytes() == before
    assert (here / "labels/b.png").is_file()


def test_what_is_there_is_skipped(here, frames, capsys):
    predict(capsys, "in/a.png", "--out", "out")
    summary = json.loads(predict(capsys, "in", "--out", "out", "--skip-existing", "--json").out)
    assert [result["input"] for result in summary["results"]] == ["in/b.png", "in/c.png"]
    assert summary["skipped"] == 1
    again = predict(capsys, "in", "--out", "out", "--skip-existing")
    assert again.code == 0
    assert again.out.endswith("3 images were done already\n")


def test_lines_of_json_come_as_inputs_are_done(here, frames, capsys):
    outcome = predict(capsys, "in", "--out", "out", "--json-lines")
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert [line["input"] for line in lines] == [f"in/{n}.png" for n in "abc"]
