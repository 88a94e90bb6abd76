"""Run lengths, against pycocotools and a code that is written bit by bit."""

from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from swiftseg.core import SwiftsegError
from swiftseg.data.annotations.rle_table import is_rle_table
from swiftseg.data.annotations.run_lengths import (
    as_counts,
    bitmap_from_counts,
    counts_from_text,
    unpack_label_studio,
)
from swiftseg.kernels.coco_rle import counts_from_bitmap, text_from_counts
from tests.support.annotation_exports import brush_bytes

# pycocotools 2.0.11 warns of itself: it was made for numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BITMAPS = {
    "empty": np.zeros((9, 7), bool),
    "full": np.ones((9, 7), bool),
    "one pixel": np.eye(1, 63, 31).reshape(9, 7) > 0,
    "noise": np.random.default_rng(0).random((40, 30)) > 0.5,
    "blobs": np.kron(np.random.default_rng(1).random((6, 5)) > 0.5, np.ones((40, 50))) > 0,
    "large": np.tri(1200, 900) > 0,
}


@pytest.fixture(params=BITMAPS)
def bitmap(request: pytest.FixtureRequest) -> np.ndarray:
    return BITMAPS[request.param]


def test_compressed_counts_are_those_of_pycocotools(bitmap: np.ndarray):
    packed = coco_mask.encode(np.asfortranarray(bitmap.astype(np.uint8)))["counts"].decode()
    counts = counts_from_text(packed)
    np.testing.assert_array_equal(bitmap_from_counts(as_counts(counts), bitmap.shape, "F"), bitmap)
    assert counts_from_bitmap(bitmap) == counts
    assert text_from_counts(counts) == packed


def test_plain_counts_are_those_of_pycocotools(bitmap: np.ndarray):
    fields = {"size": list(bitmap.shape), "counts": counts_from_bitmap(bitmap)}
    reference = coco_mask.decode(coco_mask.frPyObjects(fields, *bitmap.shape))
    np.testing.assert_array_equal(reference.astype(bool), bitmap)


@pytest.mark.parametrize("name", ["empty", "full", "one pixel", "noise", "blobs"])
def test_brushes_are_unpacked(name: str):
    bitmap = BITMAPS[name]
    unpacked = unpack_label_studio(bytes(brush_bytes(bitmap)), bitmap.shape)
    np.testing.assert_array_equal(unpacked, bitmap)


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ([10, -5, 59], "the run lengths are broken"),
        ([10, 10_000_000], "the run lengths are broken"),
        ([10, 10], "add up to 20 pixels where the bitmap is 8x8"),
        ([], "add up to 0 pixels"),
        (["a"], "no whole numbers"),
        ([10**30], "no whole numbers"),
        ([None], "no whole numbers"),
        ("64", "expected counts as a list"),
    ],
)
def test_broken_counts_are_refused(counts: object, problem: str):
    with pytest.raises(SwiftsegError, match=problem):
        bitmap_from_counts(as_counts(counts), (8, 8), "F")


def test_a_bitmap_without_end_is_refused_before_it_is_made():
    with pytest.raises(SwiftsegError, match="exceeds 100 megapixels"):
        bitmap_from_counts(np.array([10**10]), (100_000, 100_000), "F")


@pytest.mark.parametrize("text", ["zzzz", "0 0", "\u00e9", "PPPPPPPPPPPPPPPP", "TTTTTTTTTTTTTTTT0"])
def test_broken_texts_are_refused(text: str):
    with pytest.raises(SwiftsegError, match="the compressed run lengths are"):
        bitmap_from_counts(as_counts(counts_from_text(text)), (8, 8), "F")


def test_broken_brushes_are_refused():
    bitmap = BITMAPS["noise"]
    code = bytes(brush_bytes(bitmap))
    with pytest.raises(SwiftsegError, match="cut off"):
        unpack_label_studio(code[:-20], bitmap.shape)
    with pytest.raises(SwiftsegError, match="cut off"):
        unpack_label_studio(b"", bitmap.shape)
    with pytest.raises(SwiftsegError, match="the brush has 4800 values of 8 bits"):
        unpack_label_studio(code, (30, 41))
    with pytest.raises(SwiftsegError, match="exceeds 100 megapixels"):
        unpack_label_studio(code, (100_000, 100_000))


@pytest.mark.parametrize(
    ("text", "is_table"),
    [
        ("id,encoding\na,1 2 7 3\n", True),
        ("id,annotation,width\na,7 3,64\n", True),
        ("id,class,segmentation\na,leaf,\nb,leaf,7 3\n", True),
        ("id,annotation\na,masks/a.png\n", False),
        ("id,points\na,1 2 7 3\n", False),
    ],
)
def test_a_table_of_run_lengths_has_them_in_a_column_that_says_so(
    tmp_path: Path, text: str, *, is_table: bool
):
    (tmp_path / "train.csv").write_text(text)
    assert is_rle_table(tmp_path / "train.csv") is is_table
