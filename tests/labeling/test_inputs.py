import csv
import io

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.inference.video import reading_video
from swiftseg.inference.video_ranges import read_range
from swiftseg.labeling.inputs import list_inputs, read_input
from swiftseg.labeling.picture_tables import PictureRows
from tests.support.labeled_trees import write_pictures
from tests.support.videos import write_clip


def listed(source, **options):
    return list_inputs(str(source), **{"column": None, "frames": 4, **options})


def names(inputs):
    return [item.name for item in inputs]


@pytest.fixture
def remote():
    filesystem = fsspec.filesystem("memory")
    yield filesystem
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]


def test_a_folder_and_a_glob_keep_their_trees_names(tmp_path):
    write_pictures(tmp_path, 3)
    assert names(listed(tmp_path)) == ["a/000", "a/002", "b/001"]
    assert names(listed(tmp_path / "a" / "*.png")) == ["000", "002"]


def test_a_list_and_a_csv_table_name_the_same_files(tmp_path, monkeypatch):
    write_pictures(tmp_path, 2)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("a/000.png\n\nb/001.png\na/000.png\n")
    text = io.StringIO()
    csv.writer(text).writerows([["taken", "path"], ["1", "a/000.png"], ["2", "b/001.png"]])
    (tmp_path / "t.csv").write_text(text.getvalue())
    assert names(listed("list.txt")) == names(listed("t.csv")) == ["a/000", "b/001"]
    assert listed(tmp_path / "t.csv")[0].address == str(tmp_path / "a/000.png")


def test_a_parquet_table_may_hold_paths_bytes_or_structs(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (4, 3), (9, 8, 7)).save(file, "PNG")
    picture = file.getvalue()
    table = pa.table(
        {
            "path": ["x/1.png", "x/2.png", "x/3.png"],
            "raw": pa.array([picture, picture, None], pa.binary()),
            "image": [{"bytes": picture, "path": "1.png"}] * 3,
        }
    )
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    source = str(tmp_path / "t.parquet")
    assert names(listed(source)) == ["x/1", "x/2", "x/3"]
    for column in ("raw", "image"):
        rows = listed(source, column=column)
        assert names(rows) == [f"t/{number:08d}" for number in range(3)]
        assert [row.at for row in rows] == [(0, 0), (0, 1), (1, 0)]
        assert PictureRows().read(source, column, *rows[1].at) == picture
    with pytest.raises(SwiftsegError, match="holds no image"):
        PictureRows().read(source, "raw", 1, 0)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_without_the_column_names_those_it_has(tmp_path, name):
    pq.write_table(pa.table({"when": [1], "where": ["x.png"]}), tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("when,where\n1,x.png\n")
    with pytest.raises(UsageError, match="choose --column from when, where"):
        listed(tmp_path / name)
    with pytest.raises(UsageError, match="it has no 'wher'"):
        listed(tmp_path / name, column="wher")
    assert names(listed(tmp_path / name, column="where")) == ["x"]


def test_a_csv_table_that_no_reader_takes_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text(f'path\n"{"x" * 200_000}\n')
    with pytest.raises(SwiftsegError, match=r"t\.csv: not a CSV table that can be read"):
        listed(tmp_path / "t.csv")


def test_a_column_of_something_else_is_refused(tmp_path):
    pq.write_table(pa.table({"path": [1.5]}), tmp_path / "t.parquet")
    with pytest.raises(SwiftsegError, match="expected paths or an image's bytes"):
        listed(tmp_path / "t.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"no table")
    with pytest.raises(SwiftsegError, match="not a Parquet table"):
        listed(tmp_path / "bad.parquet")


def test_addresses_are_listed_as_folders_are(remote):
    for path in ("set/a/1.png", "set/a/2.jpg", "set/b/1.png", "set/notes.md"):
        remote.pipe_file(f"/{path}", b"x")
    assert names(listed("memory://set")) == ["a/1", "a/2", "b/1"]
    assert names(listed("memory://set/*/1.png")) == ["a/1", "b/1"]
    assert names(listed("memory://set/b/1.png")) == ["1"]
    with pytest.raises(SwiftsegError, match="no images to label"):
        listed("memory://nothing")


class _Locked(MemoryFileSystem):
    """A store that refuses to list a folder."""

    protocol = "locked"

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("locked://", "memory://"))

    def ls(self, path, detail=True, **options):
        if path.endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return super().ls(path, detail, **options)


@pytest.mark.parametrize("source", ["locked://set", "locked://set/*/1.png", "locked://set/**"])
def test_a_folder_that_is_refused_is_not_taken_for_empty(remote, source):
    fsspec.register_implementation("locked", _Locked, clobber=True)
    for path in ("set/a/1.png", "set/b/1.png"):
        remote.pipe_file(f"/{path}", b"x")
    with pytest.raises(SwiftsegError, match=r"cannot list locked://set.*: Permission denied"):
        listed(source)


def test_results_at_an_address_are_no_inputs(remote):
    for path in ("set/1.png", "set/labels/1.png", "set/labels2/1.png"):
        remote.pipe_file(f"/{path}", b"x")
    kept = ["1", "labels2/1"]
    for source in ("memory://set", "memory://set/**"):
        assert names(listed(source, leave_out=["memory://set/labels"])) == kept


def test_names_never_leave_the_target(tmp_path):
    (tmp_path / "list.txt").write_text("../up/1.png\n/abs/2.png\nmemory://c/3.png\n")
    assert names(listed(tmp_path / "list.txt")) == ["up/1", "abs/2", "c/3"]


def test_alike_names_keep_their_suffixes(tmp_path):
    (tmp_path / "list.txt").write_text("memory://c/3.png\nmemory://c/3.jpg\nmemory://c/4.jpg\n")
    assert names(listed(tmp_path / "list.txt")) == ["c/3.png", "c/3.jpg", "c/4"]
    (tmp_path / "list.txt").write_text("memory://c/3.png\n/c/3.png\n")
    with pytest.raises(UsageError, match="would write the same results"):
        listed(tmp_path / "list.txt")


def test_a_video_never_shares_the_folder_of_its_label_maps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4", 3)
    (tmp_path / "list.txt").write_text("clip.mp4\nclip/000000.png\nother.png\n")
    assert names(listed("list.txt")) == ["clip.mp4", "clip/000000", "other"]


@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_a_video_is_cut_into_ranges_that_hold_all_its_frames(tmp_path, codec):
    path = str(write_clip(tmp_path / "clip.mkv", 11, codec=codec))
    ranges = listed(path)
    assert [item.key for item in ranges] == [
        "clip.mkv#000000-000003",
        "clip.mkv#000004-000007",
        "clip.mkv#000008-000010",
    ]
    found = [pair for item in ranges for pair in read_range(path, item.at[0], item.at[1:])]
    with reading_video(path) as video:
        whole = [frame.image for frame in video.frames()]
    assert [number for number, _ in found] == list(range(11))
    assert all((image == frame).all() for (_, image), frame in zip(found, whole, strict=True))


def test_a_video_that_cannot_be_cut_is_one_input_and_others_are_cut(tmp_path):
    write_clip(tmp_path / "good.mkv", 5)
    (tmp_path / "bad.mkv").write_bytes(b"no video")
    found = listed(tmp_path / "*.mkv")
    assert [item.key for item in found] == ["bad.mkv", *(item.key for item in found[1:])]
    assert [(item.name, item.num_frames) for item in found] == [
        ("bad.mkv", 1),
        ("good.mkv", 4),
        ("good.mkv", 1),
    ]
    assert read_input(found[0].to_json()) == found[0]


def test_an_input_survives_its_line_of_json(tmp_path):
    [first, *_] = listed(write_clip(tmp_path / "clip.mkv", 5))
    assert read_input(first.to_json()) == first


@pytest.mark.parametrize("source", ["camera:0", "rtsp://127.0.0.1/x"])
def test_live_streams_are_for_predict(source):
    with pytest.raises(UsageError, match="swiftseg predict"):
        listed(source)


def test_a_column_is_for_tables(tmp_path):
    write_pictures(tmp_path, 1)
    with pytest.raises(UsageError, match="--column is for tables"):
        listed(tmp_path, column="path")
