"""Sources and targets in an object store that throttles, fails and hangs up."""

import csv
import io

import pytest

from swiftseg.core import SwiftsegError
from swiftseg.labeling import place as places
from swiftseg.labeling.place import RemotePlace, open_place
from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model
from tests.support.labeled_trees import results_in, write_pictures
from tests.support.object_store import BUCKET, LOCKED, moto_server, object_store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        moto_server() is None,
        reason="needs moto's server, from an environment of its own: its date library is older",
    ),
]


@pytest.fixture(scope="module")
def running():
    with object_store() as store:
        yield store


@pytest.fixture
def store(running, monkeypatch):
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    running.trouble = 0.0
    places._opened.cache_clear()
    places._s3.cache_clear()
    return running


def test_a_troubled_store_loses_nothing_and_changes_nothing(store, tmp_path, capsys):
    model = write_shade_model(tmp_path / "m.onnx", size_hw=(12, 16))
    source = f"s3://{BUCKET}/in"
    for path in sorted(write_pictures(tmp_path / "in", 12).rglob("*.png")):
        name = path.relative_to(tmp_path / "in").as_posix()
        open_place(source).write(name, path.read_bytes())
    options = ("--model", model, "--engine", "local", "--batch", 4)
    assert run_cli(capsys, "label", tmp_path / "in", "--out", tmp_path / "out", *options).code == 0
    store.trouble = 0.25
    done = run_cli(capsys, "label", source, "--out", f"s3://{BUCKET}/out", *options)
    assert (done.code, done.err) == (0, "")
    assert store.troubled > 10
    store.trouble = 0.0
    place = RemotePlace(f"s3://{BUCKET}/out")
    here = {name: data for name, data in results_in(tmp_path / "out").items() if "labels/" in name}
    assert {name: place.read(name) for name in place.files("labels")} == here
    manifest = list(csv.DictReader(io.StringIO(place.read("manifest.csv").decode())))
    assert [row["status"] for row in manifest] == ["done"] * 12
    assert manifest[0]["address"] == f"{source}/a/000.png"


def test_a_second_start_in_a_store_goes_on(store, tmp_path, capsys):
    model = write_shade_model(tmp_path / "m.onnx", size_hw=(12, 16))
    write_pictures(tmp_path / "in", 6)
    options = ("--model", model, "--engine", "local", "--batch", 2, "--out", f"s3://{BUCKET}/twice")
    assert run_cli(capsys, "label", tmp_path / "in", *options).code == 0
    again = run_cli(capsys, "label", tmp_path / "in", *options)
    assert "6 inputs: 6 done" in again.out
    assert "this run" not in again.out


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (f"s3://{LOCKED}/x", "cannot write s3://locked/x/a.png"),
        ("s3://nobody-has-this/x", "cannot write s3://nobody-has-this/x/a.png"),
    ],
)
def test_a_bucket_without_rights_is_told_in_one_line(store, address, message):
    with pytest.raises(SwiftsegError) as told:
        open_place(address).write("a.png", b"x")
    assert str(told.value).startswith(message)
    assert "\n" not in str(told.value)


def test_reading_without_rights_is_no_missing_file(store):
    with pytest.raises(SwiftsegError, match=r"cannot read s3://locked/x/a\.png"):
        open_place(f"s3://{LOCKED}/x").read("a.png")


def test_a_bucket_that_may_not_be_listed_is_not_taken_for_empty(store, tmp_path, capsys):
    model = write_shade_model(tmp_path / "m.onnx", size_hw=(12, 16))
    write_pictures(tmp_path / "in", 2)
    options = ("--model", model, "--engine", "local")
    locked = f"s3://{LOCKED}/x"
    for given in ((locked, "--out", tmp_path / "out"), (tmp_path / "in", "--out", locked)):
        done = run_cli(capsys, "label", *given, *options)
        assert done.code == 1
        [line] = done.err.splitlines()
        assert line.startswith(f"error: cannot list {locked}")
    assert not (tmp_path / "out").exists()
