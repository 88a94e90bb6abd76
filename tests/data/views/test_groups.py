from pathlib import Path

import pytest

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data.mask_values import plain_masks
from swiftseg.data.paired_files import Pair, PairedFiles
from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.data.toy_street import ToyStreet
from swiftseg.data.views.groups import group_counts, has_group, hold_out, hold_out_share


def dataset_of(*names: str) -> PairedFiles:
    pairs = [Pair(name, Path(f"{name}.png"), Path(f"masks/{name}.png")) for name in names]
    return PairedFiles(pairs, CAMVID_LABELS, plain_masks(CAMVID_LABELS))


def names_of(dataset: PairedFiles) -> list[str]:
    return [pair.name for pair in dataset.pairs]


@pytest.mark.parametrize(
    ("names", "group", "held_out"),
    [
        (["0001TP_1", "0006R0_1", "0006R0_2"], "0006R0", ["0006R0_1", "0006R0_2"]),
        (["aachen_00_19", "aachen_01_19", "ulm_00_19"], "aachen", ["aachen_00_19", "aachen_01_19"]),
        (["aachen_00_19", "aachen_01_19", "ulm_00_19"], "aachen_01", ["aachen_01_19"]),
        (["clip_1_001", "clip_10_001", "clip_2_001"], "clip_1", ["clip_1_001"]),
        (["day/1", "night/1", "night/2"], "night", ["night/1", "night/2"]),
    ],
)
def test_a_group_is_a_beginning_of_names(names: list[str], group: str, held_out: list[str]):
    dataset = dataset_of(*names)
    rest, chosen = hold_out(dataset, group)
    assert names_of(chosen) == held_out
    assert sorted(names_of(rest) + held_out) == sorted(names)
    assert has_group(dataset, group)


@pytest.mark.parametrize("group", ["0006", "0016E5", "", "0006R0_2"])
def test_an_unknown_group_is_told_the_known_ones(group: str):
    dataset = dataset_of("0001TP_1", "0006R0_1", "0006R0_2")
    known = r"choose from 0001TP \(1 frames\), 0006R0 \(2 frames\)$"
    with pytest.raises(UsageError, match=f"'{group}' does not exist; {known}"):
        hold_out(dataset, group)
    assert not has_group(dataset, group)


def test_the_group_of_all_frames_leaves_nothing_to_learn_from():
    with pytest.raises(UsageError, match=r"holds all frames; choose from clip_1 .*, clip_2 "):
        hold_out(dataset_of("clip_1_a", "clip_2_a"), "clip")


def test_groups_are_counted_where_names_begin_to_differ():
    assert group_counts(["clip_1_a", "clip_1_b", "clip_2_a", "odd"]) == {"clip_1": 2, "clip_2": 1}
    assert group_counts(["frame_1", "frame_2"]) == {}
    with pytest.raises(UsageError, match="their names do not differ before the last _"):
        hold_out(dataset_of("frame_1", "frame_2"), "x")


def test_a_share_is_held_out_in_whole_groups():
    names = [f"{drive}/{frame}" for drive in range(12) for frame in range(10)]
    names += [f"paris_street__img_{frame}" for frame in range(80)]
    rest, chosen = hold_out_share(dataset_of(*names), 0.2)
    assert sorted(names_of(rest) + names_of(chosen)) == sorted(names)
    drives = {name.split("/")[0] for name in names_of(chosen)}
    assert len(chosen) == 10 * len(drives) == 40  # as much as fits: four of the drives
    assert not drives & {name.split("/")[0] for name in names_of(rest)}
    again = hold_out_share(dataset_of(*reversed(names)), 0.2)[1]
    assert sorted(names_of(again)) == sorted(names_of(chosen))


def test_a_share_that_no_group_fits_is_refused():
    names = [f"{drive}/{frame}" for drive in "ab" for frame in range(10)]
    with pytest.raises(SwiftsegError, match=r"every group is larger; choose from a \(10 frames\)"):
        hold_out_share(dataset_of(*names), 0.1)
    with pytest.raises(SwiftsegError, match="only data that lie in files"):
        hold_out_share(ToyStreet("train", 2), 0.5)


def test_scenes_that_are_no_files_have_no_groups():
    assert not has_group(ToyStreet("train", 2), "train")
    with pytest.raises(SwiftsegError, match="only data that lie in files have groups"):
        hold_out(ToyStreet("train", 2), "train")
