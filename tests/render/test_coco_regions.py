"""Regions in COCO's forms, against pycocotools."""

import numpy as np
import pytest
from pycocotools import mask as coco

from swiftseg.kernels.coco_rle import run_lengths
from swiftseg.render.coco_regions import coco_annotations, polygons
from tests.support.coco_masks import decoded


@pytest.fixture(params=range(60))
def mask(request: pytest.FixtureRequest) -> np.ndarray:
    """Masks of all densities, with holes and pixels that touch at a corner."""
    draw = np.random.default_rng(request.param)
    return draw.random(tuple(draw.integers(1, 24, 2))) < draw.random()


def test_run_lengths_are_those_of_pycocotools(mask: np.ndarray) -> None:
    expected = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert run_lengths(mask)["counts"] == expected["counts"].decode()


def test_long_runs_need_several_characters() -> None:
    mask = np.zeros((300, 400), dtype=bool)
    mask[20:280, 30] = mask[5, 100:350] = True
    expected = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert run_lengths(mask)["counts"] == expected["counts"].decode()


def test_polygons_cover_the_mask_and_nothing_else(mask: np.ndarray) -> None:
    rings = polygons(mask)
    if not mask.any():
        assert rings == []
        return
    np.testing.assert_array_equal(decoded(rings, mask.shape), mask)


def test_annotations_are_one_a_class_that_is_present() -> None:
    label_map = np.array([[0, 0, 7], [0, 7, 7]], dtype=np.uint8)
    first, second = coco_annotations(label_map, "polygons")
    assert (first["category_id"], first["area"], first["bbox"]) == (0, 3, [0, 0, 2, 2])
    assert (second["category_id"], second["area"], second["bbox"]) == (7, 3, [1, 0, 2, 2])
