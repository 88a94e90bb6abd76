"""What servers take, read back as their scripts would."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import LabelSet, Sample, UsageError
from swiftseg.data import open_dataset
from swiftseg.data.published.pascal_context import CONTEXT_59_LABELS, CONTEXT_60_LABELS
from swiftseg.data.published.voc import VOC_LABELS
from swiftseg.evaluation.submission import submission_writer
from tests.support.dataset_trees import make_voc, voc_color

LABEL_MAP = np.arange(20, dtype=np.uint8).reshape(4, 5)


def sample(name: str) -> Sample:
    return Sample(name, np.zeros((4, 5, 3), np.uint8), LABEL_MAP)


def test_voc_gets_indices_in_its_colors_where_its_server_looks(tmp_path: Path):
    submission_writer(tmp_path, VOC_LABELS, "test")(sample("2008_000005"), LABEL_MAP)
    path = tmp_path / "results/VOC2012/Segmentation/comp6_test_cls/2008_000005.png"
    with Image.open(path) as picture:
        assert picture.mode == "P"
        assert np.array_equal(np.asarray(picture), LABEL_MAP)
        colors = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert colors.tolist() == [voc_color(index) for index in range(20)]


def test_vocs_test_frames_are_there_to_be_labeled(tmp_path: Path):
    [frame] = open_dataset(make_voc(tmp_path), "test")
    assert frame.name == "2008_000005"
    assert frame.mask.shape == frame.image.shape[:2]
    assert bool((frame.mask == 255).all())


@pytest.mark.parametrize(("labels", "first"), [(CONTEXT_60_LABELS, 0), (CONTEXT_59_LABELS, 1)])
def test_context_gets_the_values_of_its_59_labels(tmp_path: Path, labels: LabelSet, first: int):
    submission_writer(tmp_path, labels, "val")(sample("2008_000002"), LABEL_MAP)
    with Image.open(tmp_path / "2008_000002.png") as picture:
        assert np.array_equal(np.asarray(picture), LABEL_MAP + first)


def test_other_classes_have_no_server(tmp_path: Path):
    labels = LabelSet(("soil", "crop"), ((0, 0, 0), (0, 255, 0)), 255)
    with pytest.raises(UsageError, match=r"Cityscapes \(19\), VOC \(21\) and PASCAL Context"):
        submission_writer(tmp_path, labels, "val")
