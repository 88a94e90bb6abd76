from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.data.mask_values import ColorMasks, IndexMasks, plain_masks

FIVE = LabelSet(tuple("abcde"), tuple((i, i, i) for i in range(5)), 255)


def save(path: Path, pixels: object) -> Path:
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    return path


def test_values_become_classes_as_indexing_would(tmp_path: Path):
    table = {value: (7 * value + 3) % 256 for value in range(256)}
    values = np.random.default_rng(0).integers(0, 256, (31, 17), dtype=np.uint8)
    mask = IndexMasks(table, None)(save(tmp_path / "m.png", values))
    np.testing.assert_array_equal(mask, np.array([table[v] for v in range(256)])[values])
    assert mask.dtype == np.uint8


def test_a_value_that_is_not_listed_is_counted(tmp_path: Path):
    path = save(tmp_path / "m.png", [[7, 8, 9], [9, 10, 255]])
    masks = IndexMasks({7: 0, 8: 1, 11: 2, 0: 255, 1: 255, 255: 255}, 255)
    with pytest.raises(SwiftsegError) as caught:
        masks(path)
    assert str(caught.value) == (
        f"{path}: values outside the classes: 9 (2 pixels), 10 (1 pixels); "
        "expected 7..8, 11 or 0..1, 255 (ignored)"
    )


@pytest.mark.parametrize("ignore_index", [None, -1, 255])
def test_plain_masks_stay_as_they_are(tmp_path: Path, ignore_index: int | None):
    labels = LabelSet(FIVE.names, FIVE.palette, ignore_index)
    path = save(tmp_path / "m.png", [[0, 1, 4]])
    np.testing.assert_array_equal(plain_masks(labels)(path), [[0, 1, 4]])
    void = save(tmp_path / "v.png", [[0, 255]])
    if ignore_index == 255:
        np.testing.assert_array_equal(plain_masks(labels)(void), [[0, 255]])
    else:
        with pytest.raises(SwiftsegError, match=r"255 \(1 pixels\); expected 0\.\.4$"):
            plain_masks(labels)(void)


def test_colors_become_classes(tmp_path: Path):
    colors = {(0, 0, 0): 255, (255, 255, 255): 0, (1, 2, 3): 254, (3, 2, 1): 9}
    path = save(tmp_path / "m.png", [[*colors], [*reversed(colors)]])
    mask = ColorMasks(colors)(path)
    np.testing.assert_array_equal(mask, [[255, 0, 254, 9], [9, 254, 0, 255]])
    assert mask.dtype == np.uint8


def test_colors_that_are_no_class_are_counted(tmp_path: Path):
    path = save(tmp_path / "m.png", [[(1, 2, 3), (9, 0, 7), (9, 0, 7), (8, 8, 8)]])
    with pytest.raises(SwiftsegError, match=r"\(9, 0, 7\) \(2 pixels\), \(8, 8, 8\) \(1 pixels\)"):
        ColorMasks({(1, 2, 3): 0})(path)
