import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.data.images.image_file import read_mask
from swiftseg.inference import Segmentation
from tests.support.coco_masks import decoded
from tests.support.exported import SHADES


@pytest.fixture
def segmentation():
    image = np.random.default_rng(1).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    label_map = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2]], dtype=np.uint8)
    return Segmentation(image, label_map, SHADES, {})


def test_shares_count_every_class(segmentation):
    assert segmentation.class_shares() == {"dark": 0.5, "dim": 0.0, "bright": 0.5}


def test_what_is_saved_reads_back(segmentation, tmp_path):
    segmentation.save(tmp_path / "new" / "labels.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "new/labels.png"), segmentation.label_map)
    colors = np.array(Image.open(tmp_path / "new/labels.png").convert("RGB"))
    np.testing.assert_array_equal(colors, SHADES.colors[segmentation.label_map])


def test_a_lossy_format_is_refused(segmentation, tmp_path):
    with pytest.raises(SwiftsegError, match=r"labels\.jpg: label maps are saved as \.png"):
        segmentation.save(tmp_path / "labels.jpg")
    assert not list(tmp_path.iterdir())


def test_the_overlay_shows_both(segmentation):
    np.testing.assert_array_equal(segmentation.overlay(0), segmentation.image)
    np.testing.assert_array_equal(segmentation.overlay(1), SHADES.colors[segmentation.label_map])


def test_it_is_an_array_and_a_picture_of_indices(segmentation):
    np.testing.assert_array_equal(np.asarray(segmentation), segmentation.label_map)
    assert np.array(segmentation, dtype=np.int64).dtype == np.int64
    picture = segmentation.to_pil()
    np.testing.assert_array_equal(np.asarray(picture), segmentation.label_map)
    colors = np.asarray(picture.convert("RGB"))
    np.testing.assert_array_equal(colors, SHADES.colors[segmentation.label_map])


def test_it_is_told_in_one_line(segmentation):
    assert repr(segmentation) == "Segmentation(3x4: dark 50.0%, bright 50.0%)"


def test_it_is_drawn_by_matplotlib(segmentation):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    assert segmentation.plot(axes, hide=("bright",)) is axes
    [picture] = axes.images
    np.testing.assert_array_equal(picture.get_array(), segmentation.overlay(hide=("bright",)))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["dark"]


def test_its_regions_are_those_of_pycocotools(segmentation):
    segmentation.label_map[0, 0] = SHADES.void
    annotations = segmentation.coco()
    assert [annotation["category_id"] for annotation in annotations] == [0, 2]
    for annotation in annotations:
        mask = segmentation.label_map == annotation["category_id"]
        expected = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert annotation["segmentation"]["counts"] == expected["counts"].decode()
    for annotation in segmentation.coco("polygons"):
        mask = segmentation.label_map == annotation["category_id"]
        np.testing.assert_array_equal(decoded(annotation["segmentation"], mask.shape), mask)


def test_an_unknown_form_of_regions_is_refused(segmentation):
    with pytest.raises(UsageError, match="unknown form 'polygon'; did you mean polygons"):
        segmentation.coco("polygon")


def test_supervision_takes_its_classes(segmentation):
    detections = segmentation.to_supervision()
    assert detections.class_id.tolist() == [0, 2]
    assert detections.data["class_name"].tolist() == ["dark", "bright"]
    np.testing.assert_array_equal(detections.xyxy, [[0, 0, 2, 3], [2, 0, 4, 3]])
    np.testing.assert_array_equal(detections.mask[1], segmentation.label_map == 2)
