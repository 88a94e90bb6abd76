import numpy as np
import pytest
from PIL import Image

from swiftseg.core import LabelSet, UsageError
from swiftseg.render import colorize, overlay, save_label_map

RNG = np.random.default_rng(2)
LABELS = LabelSet(
    names=tuple(f"class {i}" for i in range(255)),
    palette=tuple((int(r), int(g), int(b)) for r, g, b in RNG.integers(0, 256, (255, 3))),
)
FEW = LabelSet(names=("a", "b"), palette=((1, 2, 3), (250, 0, 9)), ignore_index=255)


def test_every_class_gets_its_color():
    label_map = RNG.integers(0, 255, (40, 50), dtype=np.uint8)
    colors = colorize(label_map, LABELS)
    assert colors.dtype == np.uint8
    np.testing.assert_array_equal(colors, LABELS.colors[label_map])


def test_what_is_no_class_is_black():
    label_map = np.array([[0, 1, 2, 255]], dtype=np.uint8)
    expected = [[(1, 2, 3), (250, 0, 9), (0, 0, 0), (0, 0, 0)]]
    np.testing.assert_array_equal(colorize(label_map, FEW), expected)


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.5, 1.0])
def test_the_overlay_is_a_weighted_mean(alpha):
    label_map = RNG.integers(0, 255, (40, 50), dtype=np.uint8)
    image = RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    expected = (1 - alpha) * image + alpha * LABELS.colors[label_map]
    difference = np.abs(overlay(image, label_map, LABELS, alpha) - expected)
    assert difference.max() < 1  # one gray level: the blend rounds down


@pytest.mark.parametrize("alpha", [0.3, 0.5, 0.9])
def test_any_two_values_blend_as_pillow_blends_them(alpha):
    grays = LabelSet(tuple(map(str, range(255))), tuple((i, i, i) for i in range(255)))
    label_map, image = np.meshgrid(np.arange(255), np.arange(256))  # all pairs
    image = np.repeat(image[..., None], 3, axis=-1).astype(np.uint8)
    label_map = label_map.astype(np.uint8)

    blended = overlay(image, label_map, grays, alpha)

    colors = Image.fromarray(grays.colors[label_map])
    np.testing.assert_array_equal(blended, Image.blend(Image.fromarray(image), colors, alpha))


@pytest.mark.parametrize("alpha", [0.3, 0.5])
@pytest.mark.parametrize("size_hw", [(1100, 700), (3, 300_000)])
def test_a_large_image_is_blended_to_its_end(alpha, size_hw):
    label_map = RNG.integers(0, 255, size_hw, dtype=np.uint8)
    image = RNG.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    colors = Image.fromarray(LABELS.colors[label_map])
    expected = Image.blend(Image.fromarray(image), colors, alpha)
    np.testing.assert_array_equal(overlay(image, label_map, LABELS, alpha), expected)


@pytest.mark.parametrize("alpha", [0.3, 0.5])
def test_an_image_that_is_a_view_is_left_as_it_is(alpha):
    image = RNG.integers(0, 256, (9, 14, 3), dtype=np.uint8)
    view, before = image[::2, ::-2], image.copy()
    label_map = RNG.integers(0, 255, view.shape[:2], dtype=np.uint8)
    whole = overlay(np.ascontiguousarray(view), label_map, LABELS, alpha)
    np.testing.assert_array_equal(overlay(view, label_map, LABELS, alpha), whole)
    np.testing.assert_array_equal(image, before)


def test_a_saved_label_map_comes_back(tmp_path):
    label_map = RNG.integers(0, 256, (31, 57), dtype=np.uint8)
    save_label_map(tmp_path / "a.png", label_map, LABELS)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(image, label_map)


def test_a_crop_that_is_a_view_is_painted_too():
    label_map = np.arange(48, dtype=np.uint8).reshape(6, 8)[1::2, ::-3]
    np.testing.assert_array_equal(colorize(label_map, LABELS), LABELS.colors[label_map])


def test_what_does_not_fit_is_refused():
    image = np.zeros((4, 5, 3), dtype=np.uint8)
    label_map = np.zeros((4, 5), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"image of \(4, 5\) and a label map of \(4, 4\)"):
        overlay(image, label_map[:, :4], FEW)
    with pytest.raises(ValueError, match=r"alpha in 0\.\.1, got 2"):
        overlay(image, label_map, FEW, alpha=2)
    with pytest.raises(ValueError, match="uint8"):
        colorize(label_map.astype(int), FEW)


def test_background_hidden_classes_and_void_stay_clear():
    labels = LabelSet(("_Background_", "crop", "weed"), ((9, 9, 9), (0, 200, 0), (200, 0, 0)))
    image = RNG.integers(0, 256, (2, 4, 3), dtype=np.uint8)
    label_map = np.array([[0, 1, 2, 255], [3, 2, 1, 0]], np.uint8)
    for alpha in (0.5, 0.8):
        drawn = overlay(image, label_map, labels, alpha, hide=("weed",))
        is_crop = label_map == 1
        np.testing.assert_array_equal(drawn[~is_crop], image[~is_crop])
        expected = (1 - alpha) * image[is_crop] + alpha * labels.colors[1]
        assert np.abs(drawn[is_crop] - expected).max() <= 1
    with pytest.raises(UsageError, match="unknown class 'wed'; did you mean weed"):
        overlay(image, label_map, labels, hide=("wed",))
