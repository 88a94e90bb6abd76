import csv
import gzip
import json
import re
import shutil
import subprocess
import sys

import fsspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from swiftseg.data.images.image_file import decode_image, read_image, read_mask
from swiftseg.prediction.outputs import MARK
from tests.support.command_line import run_cli
from tests.support.exported import SHADES, shade_labels, write_shade_model
from tests.support.labeled_trees import results_in, write_pictures
from tests.support.parsed_html import decode_picture, parse_html, urls
from tests.support.videos import corrupt_packets, write_clip

SIZE_HW = (12, 16)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_shade_model(tmp_path / "m.onnx", size_hw=SIZE_HW)
    write_pictures(tmp_path / "in", 7, SIZE_HW)
    return tmp_path


def label(capsys, *arguments, out="out", model="m.onnx", batch=2):
    options = ("--model", model, "--engine", "local", "--out", out, "--batch", batch)
    return run_cli(capsys, "label", *options, *arguments)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_picture_gets_its_label_map_and_a_line(here, capsys):
    assert label(capsys, "in").code == 0
    for path in (here / "in").rglob("*.png"):
        label_map = read_mask(here / "out/labels" / path.relative_to(here / "in"))
        assert (label_map == shade_labels(read_image(path))).all()
    manifest = rows_of(here / "out/manifest.csv")
    assert [row["input"] for row in manifest] == sorted(row["input"] for row in manifest)
    assert {row["status"] for row in manifest} == {"done"}
    assert len(manifest) == 7
    assert rows_of(here / "out/failures.csv") == []


def without_mark(results: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out the file by which `predict` knows its own outputs."""
    return {name: content for name, content in results.items() if name != MARK}


def test_files_are_those_of_predict(here, capsys):
    kinds = ("--save", "labels,overlay,probs")
    Image.new("RGB", (40, 31), (90, 1, 200)).save(here / "in/odd.png")
    assert label(capsys, "in", *kinds).code == 0
    assert run_cli(capsys, "predict", "in", "--model", "m.onnx", "--threads", 1, *kinds).code == 0
    predicted = without_mark(results_in(here / "predictions"))
    labeled = results_in(here / "out")
    assert len(predicted) == 3 * 8
    assert predicted == {name: labeled[name] for name in predicted}


def test_the_number_of_workers_changes_nothing(here, capsys):
    for workers in (1, 3):
        assert label(capsys, "in", "--workers", workers, out=f"w{workers}").code == 0
    assert results_in(here / "w1") == results_in(here / "w3")


def test_shards_hold_the_same_label_maps(here, capsys):
    assert label(capsys, "in").code == 0
    assert label(capsys, "in", "--format", "parquet", "--save", "labels", out="shards").code == 0
    rows = [
        row
        for path in sorted((here / "shards/shards").iterdir())
        for row in pq.read_table(path).to_pylist()
    ]
    assert len(rows) == 7
    for row in rows:
        assert row["label_png"] == (here / f"out/labels/{row['name']}.png").read_bytes()
        assert (row["height"], row["width"], row["model"]) == (*SIZE_HW, "shades")
        shares = [row[f"share_{name}"] for name in SHADES.names]
        labels = shade_labels(read_image(row["address"]))
        assert shares == pytest.approx(np.bincount(labels.ravel(), minlength=3) / labels.size)


def test_a_table_of_images_and_a_place_in_memory(here, capsys):
    import pyarrow as pa

    pictures = [path.read_bytes() for path in sorted((here / "in").rglob("*.png"))]
    pq.write_table(pa.table({"image": pictures}), here / "t.parquet", row_group_size=3)
    assert label(capsys, "t.parquet", out="memory://job").code == 0
    memory = fsspec.filesystem("memory")
    found = [memory.cat_file(path) for path in sorted(memory.find("/job/labels"))]
    assert [decode_image(png).shape for png in found] == [(*SIZE_HW, 3)] * 7
    assert label(capsys, "in").code == 0
    assert found == [path.read_bytes() for path in sorted((here / "out/labels").rglob("*.png"))]
    memory.store.clear()


def test_a_video_gets_one_label_map_a_frame_as_predict_gives(here, capsys):
    write_clip(here / "clip.mkv", 11, size_hw=(32, 48))
    assert label(capsys, "clip.mkv", batch=4).code == 0
    saved = ("--save", "labels", "--threads", 1)
    assert run_cli(capsys, "predict", "clip.mkv", "--model", "m.onnx", *saved).code == 0
    predicted = without_mark(results_in(here / "predictions"))
    assert len(predicted) == 11
    assert predicted.items() <= results_in(here / "out").items()
    assert [row["frames"] for row in rows_of(here / "out/manifest.csv")] == ["4", "4", "3"]


def test_a_damaged_frame_costs_itself(here, capsys):
    corrupt_packets(write_clip(here / "clip.avi", 9, codec="mjpeg", size_hw=(32, 48)), [5])
    assert label(capsys, "clip.avi", batch=4).code == 0
    reasons = [row["reason"] for row in rows_of(here / "out/manifest.csv")]
    assert reasons == ["", "1 of 4 frames cannot be decoded", ""]
    names = [path.stem for path in sorted((here / "out/labels/clip.avi").iterdir())]
    assert names == [f"{n:06d}" for n in range(9) if n != 5]


def test_a_video_that_cannot_be_read_costs_itself(here, capsys):
    (here / "clips").mkdir()
    clip = write_clip(here / "clips/good.mkv", 5, size_hw=(32, 48))
    (here / "clips/bad.mkv").write_bytes(b"no video")
    assert label(capsys, "clips/*.mkv").code == 1
    [failure] = rows_of(here / "out/failures.csv")
    assert failure["input"] == "bad.mkv"
    assert "bad.mkv" in failure["reason"]
    assert len(list((here / "out/labels/good.mkv").iterdir())) == 5
    shutil.copy(clip, here / "clips/bad.mkv")  # mended, it is new to the job
    assert label(capsys, "clips/*.mkv").code == 1
    assert len(list((here / "out/labels/bad.mkv").iterdir())) == 5


def test_an_overlay_longer_than_a_jpeg_can_be_is_thinned_out(here, capsys):
    Image.new("RGB", (70_000, 1)).save(here / "in/long.png")  # JPEG ends at 65,535 pixels
    assert label(capsys, "in", "--save", "labels,overlay").code == 0
    [overlay] = (here / "out/overlay").glob("long.*")
    with Image.open(here / "out/labels/long.png") as labels, Image.open(overlay) as shown:
        assert labels.size == (70_000, 1)
        assert 35_000 <= shown.width <= 65_535  # every other pixel, and the legend beside it


def test_what_cannot_be_read_is_set_aside_with_its_reason(here, capsys):
    (here / "in/a/000.png").write_bytes(b"no picture")
    (here / "list.txt").write_text("in/a/000.png\nin/b/001.png\nin/gone.png\n")
    done = label(capsys, "list.txt")
    assert done.code == 1
    assert done.err.splitlines()[-1] == "2 of 3 inputs failed: out/failures.csv"
    failures = {row["input"]: row["reason"] for row in rows_of(here / "out/failures.csv")}
    assert list(failures) == ["in/a/000", "in/gone"]
    assert "not an image" in failures["in/a/000"]
    assert failures["in/gone"] == f"no such file: {here}/in/gone.png"
    # The failures are a table like any other: mended, they are the source of a job of their own.
    Image.new("RGB", (16, 12)).save(here / "in/a/000.png")
    Image.new("RGB", (16, 12)).save(here / "in/gone.png")
    assert label(capsys, "out/failures.csv", "--column", "address", out="mended").code == 0


def test_a_second_start_does_what_is_left_and_what_is_new(here, capsys):
    assert label(capsys, "in", out="whole").code == 0
    shutil.copytree(here / "whole", here / "out")
    for lost in (here / "out/job/receipts").iterdir():
        if lost.stem in ("000001", "000003"):
            lost.unlink()
    kept = (here / "out/labels/a/000.png").stat().st_mtime_ns
    done = label(capsys, "in", "--json")
    assert json.loads(done.out)["run_frames"] == 3
    assert results_in(here / "out") == results_in(here / "whole")
    assert (here / "out/labels/a/000.png").stat().st_mtime_ns == kept
    Image.new("RGB", (16, 12)).save(here / "in/new.png")
    summary = json.loads(label(capsys, "in", "--json").out)
    assert (summary["run_frames"], summary["inputs"], summary["done"]) == (1, 8, 8)


@pytest.mark.parametrize("source", ["job", "job/**/*.png"])
def test_results_below_the_source_are_no_inputs(here, capsys, source):
    write_pictures(here / "job/in", 3, SIZE_HW)
    for _ in range(2):
        assert json.loads(label(capsys, source, "--json", out="job").out)["inputs"] == 3


def test_an_address_of_this_machine_is_its_folder(here, capsys):
    addresses = (f"file://{here}/in", "--out", f"file://{here}/out")
    options = ("--model", "m.onnx", "--engine", "local", "--batch", 2)
    assert run_cli(capsys, "label", *addresses, *options).code == 0
    assert label(capsys, "in", out="whole").code == 0
    assert results_in(here / "out") == results_in(here / "whole")


def test_a_job_that_ends_early_tells_what_is_done(here, capsys):
    (here / "out/labels/b/003.png").mkdir(parents=True)
    done = label(capsys, "in", "--workers", 1)
    assert (done.code, len(done.err.splitlines())) == (1, 1)
    statuses = {row["input"]: row["status"] for row in rows_of(here / "out/manifest.csv")}
    assert (statuses["a/000"], statuses["b/003"]) == ("done", "pending")
    (here / "out/labels/b/003.png").rmdir()
    assert label(capsys, "in").code == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("job.json", b"{}"),
        ("plan-00000.jsonl.gz", b"no gzip"),
        ("plan-00000.jsonl.gz", gzip.compress(b"0\t[]", mtime=0)),
        ("receipts/000001.json", b"{"),
    ],
)
def test_a_damaged_file_of_a_job_is_named(here, capsys, name, content):
    assert label(capsys, "in").code == 0
    (here / "out/job" / name).write_bytes(content)
    done = label(capsys, "in")
    assert done.code == 1
    [line] = done.err.splitlines()
    assert line.startswith(f"error: {here}/out/job/{name} is damaged: ")


def test_a_file_that_is_named_differently_later_is_not_labeled_again(here, capsys):
    (here / "in/b/001.png").rename(here / "in/b/000.png")
    (here / "in/a/000.png").rename(here / "000.png")
    assert json.loads(label(capsys, "in/**/*.png", "--json").out)["inputs"] == 6
    (here / "000.png").rename(here / "in/a/000.png")  # so that both carry their folders' names
    summary = json.loads(label(capsys, "in/**/*.png", "--json").out)
    assert (summary["inputs"], summary["run_frames"]) == (7, 1)


def test_the_summary_counts_everything(here, capsys):
    summary = json.loads(label(capsys, "in", "--save", "shares", "--json").out)
    assert summary == json.loads((here / "out/summary.json").read_text())
    pictures = [read_image(path) for path in (here / "in").rglob("*.png")]
    counts = np.bincount(shade_labels(np.stack(pictures)).ravel(), minlength=3)
    assert list(summary["pixels"].values()) == counts.tolist()
    assert set(summary["seconds"]) == {"read", "segment", "write"}
    assert summary["slowest_stage"] in summary["seconds"]
    assert not (here / "out/labels").exists()
    assert len(rows_of(here / "out/shares.csv")) == 7


def test_the_report_shows_folders_failures_and_the_frames_least_sure(here, capsys):
    (here / "in/a/broken<b>.png").write_bytes(b"no picture")
    Image.new("RGB", (16, 12), (84, 84, 84)).save(here / "in/between.png")  # of two shades
    assert label(capsys, "in", "--report").code == 1
    page = parse_html((here / "out/report.html").read_text("utf-8"))
    frames = page.all("div", "frame")
    assert len(frames) == 8 + 6  # all of them, least sure first, and samples
    assert frames[0].all("code")[0].text == "between"
    sure = [float(re.findall(r"[\d.]+", frame.all("b")[0].text)[0]) for frame in frames[:8]]
    assert sure == sorted(sure)
    for frame in frames:
        assert [decode_picture(image.attributes["src"]).size for image in frame.all("img")] == (
            [(16, 12), (16, 12)]
        )
    assert "a/broken<b>" in [code.text for code in page.all("code")]
    cells = {row.all("th")[0].text: row.all("td") for row in page.all("tr") if row.all("td")}
    assert (cells["a"][0].text, cells["b"][0].text, cells["."][0].text) == ("4", "3", "1")
    assert urls(page) == [image.attributes["src"] for image in page.all("img")]


def test_a_target_keeps_to_the_model_and_the_options_it_began_with(here, capsys):
    assert label(capsys, "in").code == 0
    before = results_in(here / "out")
    write_shade_model(here / "other.onnx", size_hw=(24, 32))
    done = label(capsys, "in", model="other.onnx")
    assert done.code == 1
    assert "out holds results of another model: shades with the digest" in done.err
    done = label(capsys, "in", "--fit", "letterbox")
    assert "was begun with the fit auto, not letterbox" in done.err
    done = label(capsys, "in", "--save", "labels,probs")
    assert "the save labels, not labels,probs" in done.err
    done = label(capsys, "in", batch=3)  # of which a video's ranges would overlap the old ones
    assert "the batch 2, not 3" in done.err
    shutil.copytree(here / "in", here / "elsewhere")
    done = label(capsys, "elsewhere")
    assert f"out was begun with a/000 from {here}/in/a/000.png, and the source has" in done.err
    assert results_in(here / "out") == before


def test_a_folder_of_other_results_is_left_alone(here, capsys):
    (here / "out/labels").mkdir(parents=True)
    (here / "out/labels/mine.png").write_bytes(b"mine")
    done = label(capsys, "in")
    assert (done.code, "out holds labels/ of something else" in done.err) == (1, True)
    assert results_in(here / "out") == {"labels/mine.png": b"mine"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("in", "--engine", "dask"), "unknown engine 'dask'"),
        (("in", "--save", "lables"), "did you mean labels?"),
        (("in", "--format", "jpg"), "unknown format 'jpg'"),
        (("in", "--address", "auto"), "--engine local uses none"),
        (("gs://bucket/in",), "gcsfs"),
        (("nowhere",), "no such file or folder: nowhere"),
        (("in", "--device", "tpu"), "unknown device 'tpu'"),
        (("in", "--scales", "x", "--device", "tpu"), "--batch: not with several models"),
    ],
)
def test_what_is_asked_for_wrongly_is_told_in_one_line(here, capsys, arguments, message):
    done = label(capsys, *arguments)
    assert done.code in (1, 2)
    [line] = done.err.splitlines()
    assert message in line
    assert not (here / "out").exists()


def test_memory_is_for_one_process(here, capsys):
    done = run_cli(capsys, "label", "in", "--out", "memory://job")
    assert (done.code, "take --engine local" in done.err) == (2, True)


def test_a_single_process_takes_no_options_of_a_job(here, capsys):
    averaging = ("label", "in", "--model", "m.onnx", "--flip")
    for more in (("--out", "out", "--precision", "int8"), ("--out", "s3://bucket/out")):
        done = run_cli(capsys, *averaging, *more)
        assert done.code == 2
        assert "with several models, --scales, --flip" in done.err
    done = run_cli(capsys, *averaging, "--out", "out", "--engine", "local", "--device", "tpu")
    assert "unknown device 'tpu'" in done.err
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("missing", "options"), [("ray", []), ("pyarrow", ["--engine", "local", "--format", "parquet"])]
)
def test_what_is_not_installed_is_named_before_anything_is_written(here, missing, options):
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from swiftseg.cli.main import main\n"
        f"main(['label', 'in', '--model', 'm.onnx', '--out', 'out', *{options!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.endswith("needs an extra: pip install 'swiftseg[cluster]'")
    assert not (here / "out").exists()


def test_ctrl_c_leaves_what_is_pending_to_the_next_start(here, capsys):
    write_pictures(here / "in", 100, SIZE_HW)
    command = [sys.executable, "-m", "swiftseg.cli", "label", "in", "--model", "m.onnx"]
    code = (
        "import os, signal, sys\n"
        "from swiftseg.labeling.place import LocalPlace\n"
        "write = LocalPlace.write\n"
        "def interrupting(place, path, data):\n"
        "    write(place, path, data)\n"
        "    if path.endswith('receipts/000010.json'):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "LocalPlace.write = interrupting\n"
        "from swiftseg.cli.main import main\n"
        f"main({command[3:]!r} + ['--engine', 'local', '--out', 'out', '--batch', '2'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 130
    statuses = [row["status"] for row in rows_of(here / "out/manifest.csv")]
    assert statuses.count("pending") > 50
    assert statuses.count("done") + statuses.count("pending") == 100
    assert label(capsys, "in").code == 0
    assert label(capsys, "in", out="whole").code == 0
    assert results_in(here / "out") == results_in(here / "whole")


def test_a_full_disk_ends_the_job_in_one_line_and_nothing_is_half_written(here, capsys):
    disk = here / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        write_pictures(here / "in", 60, SIZE_HW)
        done = label(capsys, "in", out="disk/out")
        assert done.code == 1
        [line] = done.err.splitlines()
        assert line.startswith("error: cannot write ")
        assert line.endswith("No space left on device")
        for path in (disk / "out/labels").rglob("*.png"):
            assert read_mask(path).shape == SIZE_HW
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        assert label(capsys, "in", out="disk/out").code == 0
        assert label(capsys, "in", out="whole").code == 0
        assert results_in(disk / "out") == results_in(here / "whole")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_secrets_of_addresses_are_in_no_file_of_a_job(here, capsys):
    memory = fsspec.filesystem("memory")
    [path, other] = sorted((here / "in").rglob("*.png"))[:2]
    addresses = [f"memory://u:pw1@shop/{name}?token=s3cr3t" for name in ("a.png", "gone.png")]
    addresses += [f"memory://u:pw1@shop/b.png?token=s3cr3t{number}" for number in range(2)]
    for address in (addresses[0], *addresses[2:]):
        memory.pipe_file(address.partition(":/")[2], path.read_bytes())
    (here / "list.txt").write_text("\n".join(addresses))
    options = ("--save", "labels,shares", "list.txt")
    assert label(capsys, *options).code == 1
    assert label(capsys, *options, "--format", "parquet", out="shards").code == 1
    for file in (path for out in ("out", "shards") for path in (here / out).rglob("*.*")):
        content = file.read_bytes()
        if file.suffix == ".gz":
            content = gzip.decompress(content)
        if file.suffix == ".parquet":
            content = str(pq.read_table(file).to_pydict()).encode()
        for secret in (b"pw1", b"s3cr3t"):
            assert secret not in content + str(file).encode(), file
    rows = rows_of(here / "out/manifest.csv")
    assert [(row["input"], row["status"]) for row in rows[:2]] == [
        ("shop/a", "done"),
        ("shop/gone", "failed"),
    ]
    # A second start reads what is pending where the list says, with its secrets.
    [receipt] = [path for path in (here / "out/job/receipts").iterdir() if path.stem == "000001"]
    receipt.unlink()
    memory.pipe_file(addresses[2].partition(":/")[2], other.read_bytes())
    assert label(capsys, *options).code == 1
    first = [row for row in rows_of(here / "out/manifest.csv") if row["input"] == rows[2]["input"]]
    assert [row["status"] for row in first] == ["done"]
    memory.store.clear()
