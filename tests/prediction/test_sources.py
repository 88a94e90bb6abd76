import io

import pytest

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.prediction.outputs import Outputs
from swiftseg.prediction.sources import check_writable, find_sources, parse_shard


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names_of(*inputs):
    return {source.given: source.name for source in find_sources(inputs)}


def test_a_file_is_called_by_its_stem(here):
    touch(here, "drive/a.b.jpg")
    assert names_of("drive/a.b.jpg") == {"drive/a.b.jpg": "a.b"}


def test_videos_that_differ_in_suffix_have_outputs_of_their_own_in_any_run(here):
    touch(here, "drive.mp4", "drive.avi", "night/drive.avi")
    assert names_of("drive.mp4") == {"drive.mp4": "drive"}
    assert names_of("drive.avi") == {"drive.avi": "drive.avi"}
    assert names_of("drive.mp4", "drive.avi", "night/drive.avi") == {
        "drive.mp4": "drive",
        "drive.avi": "drive.avi",
        "night/drive.avi": "night/drive.avi",
    }


def test_a_folder_is_searched_with_its_subfolders(here):
    touch(here, "in/b.png", "in/a.JPG", "in/notes.txt", "in/far/away/c.webp", "in/.cache/d.png")
    assert names_of("in") == {
        "in/a.JPG": "a",
        "in/b.png": "b",
        "in/far/away/c.webp": "far/away/c",
    }


def test_arrays_are_pictures_where_a_folder_holds_no_others(here):
    touch(here, "in/a.npy", "in/b.npz")
    assert names_of("in") == {"in/a.npy": "a", "in/b.npz": "b"}
    touch(here, "in/c.png")
    assert names_of("in") == {"in/c.png": "c"}


def test_a_glob_is_expanded_in_order(here):
    touch(here, "in/b.jpg", "in/a.jpg", "in/sub/c.jpg", "in/d.png")
    assert list(names_of("in/*.jpg")) == ["in/a.jpg", "in/b.jpg"]
    assert list(names_of("in/**/*.jpg")) == ["in/a.jpg", "in/b.jpg", "in/sub/c.jpg"]


def test_a_file_whose_name_looks_like_a_glob_is_itself(here):
    touch(here, "a[1].jpg", "a1.jpg")
    assert names_of("a[1].jpg") == {"a[1].jpg": "a[1]"}


def test_a_file_named_twice_comes_once(here):
    touch(here, "in/a.jpg")
    assert list(names_of("in/a.jpg", "in", "in/*.jpg")) == ["in/a.jpg"]


def test_equal_stems_keep_the_folders_that_tell_them_apart(here):
    touch(here, "day/left/1.png", "night/left/1.png", "day/2.png")
    assert names_of("day/left/1.png", "night/left/1.png", "day/2.png") == {
        "day/left/1.png": "day/left/1",
        "night/left/1.png": "night/left/1",
        "day/2.png": "2",
    }


def test_two_folders_with_the_same_names_stay_apart(here):
    touch(here, "x/1.png", "y/1.png", "y/2.png")
    assert list(names_of("x", "y").values()) == ["x/1", "y/1", "2"]


def test_equal_stems_in_one_folder_keep_their_suffixes(here):
    touch(here, "in/1.png", "in/1.jpg")
    assert names_of("in") == {"in/1.jpg": "1.jpg", "in/1.png": "1.png"}


def test_a_video_never_shares_the_folder_of_its_label_maps(here):
    touch(here, "in/drive/000000.jpg", "in/drive/b.jpg", "drive.mp4", "night.mp4")
    assert names_of("in", "drive.mp4", "night.mp4") == {
        "in/drive/000000.jpg": "drive/000000",
        "in/drive/b.jpg": "drive/b",
        "drive.mp4": "drive.mp4",
        "night.mp4": "night",
    }
    touch(here, "in/drive.mp4/000000.jpg")
    with pytest.raises(UsageError, match=r"drive.mp4 and .* would write the same files"):
        find_sources(["drive.mp4", "in"])


def test_what_cannot_be_told_apart_is_refused(here):
    touch(here, "in/1.png")
    with pytest.raises(UsageError, match=r"would write the same files"):
        find_sources(["in/1.png", str(here / "in/1.png")])


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("rtsp://192.168.0.4:554/front%20door", "front-door"),
        ("http://host/live/cam1.ts?key=../x", "cam1"),
        ("https://host/", "host"),
        ("rtsp://user:secret@host:554", "host"),
        ("http://host/..", "host"),
        ("http://host/a/..%2F..%2Fb.ts", "b"),
    ],
)
def test_a_stream_is_called_by_its_path_or_its_host(address, name):
    [source] = find_sources([address])
    assert (source.given, source.name, source.is_video) == (address, name, True)


def test_videos_and_cameras_are_known(here):
    touch(here, "a.MP4", "b.png")
    kinds = {
        source.given: source.is_video for source in find_sources(["a.MP4", "b.png", "camera:0"])
    }
    assert kinds == {"a.MP4": True, "b.png": False, "camera:0": True}


def test_a_missing_file_is_left_to_its_reader():
    assert names_of("gone.jpg") == {"gone.jpg": "gone"}


def test_nothing_found_is_told(here):
    touch(here, "in/notes.txt")
    with pytest.raises(SwiftsegError, match=r"no images in in \(looked for \.png"):
        find_sources(["in"])
    with pytest.raises(SwiftsegError, match=r"no file matches in/\*\.jpg"):
        find_sources(["in/*.jpg"])


def test_a_folder_is_made_and_tried(here):
    check_writable(here / "new/out")
    assert not list((here / "new/out").iterdir())
    touch(here, "file")
    with pytest.raises(SwiftsegError, match=r"cannot write to the folder .*file: "):
        check_writable(here / "file")
    with pytest.raises(SwiftsegError, match=r"cannot write to the folder .*file/out: "):
        check_writable(here / "file/out")


def test_a_list_names_one_input_a_line(here):
    touch(here, "in/b.png", "in/a.png", "far/c.png")
    (here / "list.txt").write_text("\ufefffar/c.png\r\n\nin\n", encoding="utf-8")
    assert list(names_of("list.txt")) == ["far/c.png", "in/a.png", "in/b.png"]


def test_a_list_may_come_on_stdin(here, monkeypatch):
    touch(here, "a.png")
    monkeypatch.setattr("sys.stdin", io.StringIO("a.png\n"))
    assert list(names_of("-")) == ["a.png"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\n", "an empty list"), (b"b.txt", "another list"), (b"\xff", "cannot")],
)
def test_an_unfit_list_is_told(here, content, message):
    (here / "list.txt").write_bytes(content)
    with pytest.raises(SwiftsegError, match=message):
        names_of("list.txt")


def test_folders_of_outputs_are_left_out(here):
    touch(here, "a.png", "out/labels/a.png", "out/other/b.png")
    for where in (".", "**/*.png"):
        found = find_sources([where], leave_out=[here / "out/labels"])
        assert [source.given for source in found] == ["a.png", "out/other/b.png"]


def test_shards_share_all_sources_and_leave_their_names(here):
    touch(here, *(f"in/{n}/x.png" for n in range(7)))
    shards = [find_sources(["in"], shard=(part, 3)) for part in (1, 2, 3)]
    assert sorted(s.name for shard in shards for s in shard) == [f"{n}/x" for n in range(7)]
    assert [len(shard) for shard in shards] == [3, 2, 2]
    assert parse_shard("2/3") == (2, 3)
    for text in ("0/3", "4/3", "1", "a/b"):
        with pytest.raises(UsageError, match="expected --shard as I/N"):
            parse_shard(text)


def test_what_earlier_predictions_wrote_is_left_out(here):
    touch(here, "a.png", "first/labels/a.png", "first/overlay/a.jpg", "first/own.png")
    Outputs(here / "first", ("labels",)).mark()
    assert set(names_of(".")) == {"a.png", "first/own.png"}
    assert set(names_of("first/labels")) == {"first/labels/a.png"}  # named by the user
    Outputs(here, ("labels",)).mark()
    touch(here, "overlay/a.jpg")
    assert set(names_of(".")) == {"a.png", "first/own.png"}


def test_the_contact_sheet_of_data_check_is_no_input(here):
    touch(here, "in/a.png", "in/data_check/contact_sheet.png", "in/@eaDir/a.png/thumb.jpg")
    assert names_of("in") == {"in/a.png": "a"}
