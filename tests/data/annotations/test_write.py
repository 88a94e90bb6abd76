"""Label maps as COCO and Labelme, read again."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from swiftseg.core import LabelSet
from swiftseg.data.annotations import read_export
from swiftseg.data.annotations.open_export import open_images
from swiftseg.data.annotations.raster import fill_polygon
from swiftseg.data.annotations.regions import regions_of, simplified, with_bridges
from swiftseg.data.annotations.write import label_map_to_coco, label_map_to_labelme
from swiftseg.data.voc_colors import voc_colors
from swiftseg.kernels.outlines import polygon_area

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LABELS = LabelSet(("background", "leaf", "stem", "root"), voc_colors(4))


def rings() -> np.ndarray:
    y, x = np.mgrid[:60, :80]
    distance = np.hypot(y - 28, x - 36)
    label_map = np.zeros((60, 80), np.uint8)
    label_map[distance < 26] = 1
    label_map[distance < 17] = 0
    label_map[distance < 10] = 2
    label_map[50:, 60:] = 3
    return label_map


MAPS = {
    "rings": rings(),
    "noise": np.random.default_rng(0).integers(0, 4, (30, 40)).astype(np.uint8),
    "blocks": np.kron(np.random.default_rng(1).integers(0, 4, (6, 8)), np.ones((9, 9))).astype(
        "u1"
    ),
    "checks": np.indices((12, 14)).sum(0).astype(np.uint8) % 2,
    "one class": np.full((20, 30), 3, np.uint8),
}


@pytest.fixture(params=MAPS)
def label_map(request: pytest.FixtureRequest) -> np.ndarray:
    return MAPS[request.param]


def reread(content: dict, label_map: np.ndarray, root: Path) -> np.ndarray:
    """What the export's reader makes of it, in the label map's own classes."""
    Image.new("RGB", label_map.shape[::-1]).save(root / "frame.png")
    (root / "frame.json").write_text(json.dumps(content))
    export = read_export(root)
    [sample] = open_images(export, export.splits["all"])
    own = np.array([LABELS.names.index(name) for name in export.labels.names], np.uint8)
    return own[sample.mask]


def test_run_lengths_come_back_exactly(label_map: np.ndarray, tmp_path: Path):
    content = label_map_to_coco(label_map, LABELS, file_name="frame.png")
    np.testing.assert_array_equal(reread(content, label_map, tmp_path), label_map)


def test_pycocotools_reads_the_same(label_map: np.ndarray):
    content = label_map_to_coco(label_map, LABELS, file_name="frame.png")
    coco = COCO()
    coco.dataset = content
    coco.createIndex()
    found = np.zeros(label_map.shape, np.uint8)
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[1])):
        bitmap = coco.annToMask(annotation).astype(bool)
        found[bitmap] = annotation["category_id"]
        rows, columns = np.nonzero(bitmap)
        left, top, width, height = annotation["bbox"]
        assert (left, top) == (columns.min(), rows.min())
        assert (width, height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
        assert annotation["area"] == bitmap.sum()
    np.testing.assert_array_equal(found, label_map)


def drawn_again(label_map: np.ndarray, tolerance_px: float) -> tuple[np.ndarray, int]:
    """The regions of each class as one ring each, filled, and how many points the rings have."""
    found = np.zeros(label_map.shape, np.uint8)
    points = 0
    for index in range(1, len(LABELS)):
        for region in regions_of(label_map == index):
            ring = with_bridges(simplified(region, tolerance_px))
            top, left, covered = fill_polygon(label_map.shape, rings=[ring])
            height, width = covered.shape
            found[top : top + height, left : left + width][covered] = index
            points += len(ring)
    return found, points


def test_polygons_without_tolerance_come_back_exactly(label_map: np.ndarray):
    np.testing.assert_array_equal(drawn_again(label_map, 0)[0], label_map)
    regions = [region for index in range(1, 4) for region in regions_of(label_map == index)]
    assert all(polygon_area(region.outline) > 0 for region in regions)


def near_edges(label_map: np.ndarray, distance: int) -> np.ndarray:
    """Where a pixel of another class is within a distance, along either axis or both."""
    near = np.zeros(label_map.shape, bool)
    padded = np.pad(label_map, distance, mode="edge")
    height, width = label_map.shape
    for dy in range(2 * distance + 1):
        for dx in range(2 * distance + 1):
            near |= padded[dy : dy + height, dx : dx + width] != label_map
    return near


@pytest.mark.parametrize("name", ["rings", "blocks"])
def test_simplified_polygons_stay_within_the_tolerance(name: str):
    label_map = MAPS[name]
    found, points = drawn_again(label_map, 1.0)
    differing = found != label_map
    assert not (differing & ~near_edges(label_map, 2)).any()
    assert points <= drawn_again(label_map, 0)[1]


def test_a_simplified_circle_has_few_points():
    y, x = np.mgrid[:200, :200]
    [region] = regions_of(np.hypot(y - 100, x - 100) < 80)
    ring = simplified(region, 1.0).outline
    assert len(ring) < len(region.outline) / 5
    assert polygon_area(ring) == pytest.approx(polygon_area(region.outline), rel=0.02)


@pytest.mark.parametrize("name", ["rings", "blocks", "one class"])
def test_labelme_polygons_come_back_but_for_outlines(name: str, tmp_path: Path):
    """Labelme covers the pixels of outlines, too: one pixel beyond each region and tolerance."""
    label_map = MAPS[name]
    content = label_map_to_labelme(label_map, LABELS, image_path="frame.png")
    found = reread(content, label_map, tmp_path)
    differing = found != label_map
    assert not (differing & ~near_edges(label_map, 2)).any()
    assert differing.mean() < 0.12


def test_a_hole_is_kept_in_one_outline():
    bitmap = np.ones((20, 30), bool)
    bitmap[5:9, 6:12] = bitmap[12:15, 20:24] = False
    [region] = regions_of(bitmap)
    assert len(region.holes) == 2
    ring = with_bridges(region)
    np.testing.assert_array_equal(fill_polygon((20, 30), rings=[ring]).covered, bitmap)


def test_regions_that_touch_at_a_corner_are_two():
    assert len(regions_of(np.eye(2) > 0)) == 2


def test_nothing_but_background_gives_no_annotation():
    empty = np.zeros((8, 9), np.uint8)
    assert label_map_to_coco(empty, LABELS, file_name="a.png")["annotations"] == []
    assert label_map_to_labelme(empty, LABELS, image_path="a.png")["shapes"] == []
