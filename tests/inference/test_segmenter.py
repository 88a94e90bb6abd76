import io
import pickle
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from swiftseg.core import SwiftsegError, UsageError
from swiftseg.inference import Segmenter
from swiftseg.runtimes import load_backend
from tests.support.exported import SHADES, shade_labels, shade_spec, write_shade_model
from tests.support.web_server import serving

SIZE_HW = (12, 16)


@pytest.fixture(scope="module", params=["labels", "logits", "probs"])
def segmenter(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / f"{request.param}.onnx"
    return Segmenter.load(write_shade_model(path, size_hw=SIZE_HW, output=request.param))


@pytest.fixture
def image():
    return np.random.default_rng(5).integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)


def test_labels_at_the_networks_size_are_the_networks(segmenter, image):
    result = segmenter(image)

    assert result.label_map.dtype == np.uint8
    assert result.labels == segmenter.spec.labels == SHADES
    np.testing.assert_array_equal(result.label_map, shade_labels(image))


def test_a_path_a_pil_image_and_an_array_are_one(segmenter, image, tmp_path):
    path = tmp_path / "frame.png"
    Image.fromarray(image).save(path)
    expected = segmenter(image).label_map
    for given in (path, str(path), Image.fromarray(image), Image.fromarray(image).convert("RGBA")):
        result = segmenter(given)
        np.testing.assert_array_equal(result.label_map, expected)
        np.testing.assert_array_equal(result.image, image)


@pytest.mark.parametrize("size_hw", [(1, 1), (5, 7), (12, 17), (36, 48), (101, 3)])
def test_labels_come_at_the_images_size(segmenter, size_hw):
    result = segmenter(np.full((*size_hw, 3), 200, dtype=np.uint8))
    assert result.label_map.shape == size_hw
    assert (result.label_map == 2).all()


def test_a_whole_factor_repeats_every_label(segmenter, image):
    large = image.repeat(3, axis=0).repeat(3, axis=1)
    flat = np.full_like(large, 128)
    flat[:18] = 10  # two halves: the border lies between rows 6 and 7 of the network's 12
    label_map = segmenter(flat).label_map
    np.testing.assert_array_equal(
        label_map, np.where(np.arange(36)[:, None] < 18, 0, 1) + 0 * label_map
    )


def test_shrinking_averages_instead_of_dropping(segmenter):
    stripes = np.zeros((SIZE_HW[0] * 8, SIZE_HW[1] * 8, 3), dtype=np.uint8)
    stripes[::2] = 255  # seen from afar, gray; every second row alone is black or white
    assert (segmenter(stripes).label_map[8:-8] == 1).all()


def test_probabilities_are_the_softmax_of_the_logits(segmenter, image):
    brightness = image.astype(np.float64).mean(axis=-1) / 255 * 3
    logits = -np.abs(brightness - np.array([0.5, 1.5, 2.5])[:, None, None])
    expected = np.exp(logits) / np.exp(logits).sum(axis=0)

    probs = segmenter.probabilities(image)

    assert probs.dtype == np.float32
    np.testing.assert_allclose(probs, expected, atol=1e-5)


def test_probabilities_come_at_the_images_size(segmenter):
    probs = segmenter.probabilities(np.full((31, 9, 3), 77, dtype=np.uint8))
    assert probs.shape == (3, 31, 9)
    np.testing.assert_allclose(probs.sum(axis=0), 1, atol=1e-5)


def test_each_stage_has_its_time(segmenter, image):
    timings_ms = segmenter(image).timings_ms
    assert list(timings_ms) == ["read", "resize", "network", "labels", "restore"]
    assert min(timings_ms.values()) >= 0


def test_openvino_gives_the_same_labels(tmp_path, image):
    path = write_shade_model(tmp_path / "m.onnx")
    large = np.tile(image, (3, 2, 1))
    np.testing.assert_array_equal(
        Segmenter.load(path, backend="openvino", threads=1)(large).label_map,
        Segmenter(load_backend(path))(large).label_map,
    )


@pytest.mark.parametrize(
    ("array", "error"),
    [
        (np.zeros((4, 4, 3)), TypeError),
        (np.zeros((4,), np.uint8), ValueError),
        (np.zeros((4, 4, 2), np.uint8), ValueError),
        (np.zeros((0, 4, 3), np.uint8), ValueError),
    ],
)
def test_an_array_of_another_kind_is_refused(segmenter, array, error):
    with pytest.raises(error, match="expected a"):
        segmenter(array)


def test_a_pil_image_of_floating_point_is_refused(segmenter):
    with pytest.raises(SwiftsegError, match="the image: expected 8 bits per channel"):
        segmenter(Image.fromarray(np.ones((4, 4), np.float32)))


def test_arrays_of_every_kind_are_taken(segmenter, image):
    expected = segmenter(image).label_map
    alpha = np.full((*SIZE_HW, 1), 7, np.uint8)
    with_alpha = np.concatenate((image, alpha), axis=2)
    np.testing.assert_array_equal(segmenter(with_alpha).image, image)
    np.testing.assert_array_equal(segmenter(image[..., ::-1], bgr=True).image, image)
    bgra = np.concatenate((image[..., ::-1], alpha), axis=2)
    np.testing.assert_array_equal(segmenter(bgra, bgr=True).label_map, expected)
    gray = image[..., 0]
    for given in (gray, gray[..., None]):
        np.testing.assert_array_equal(segmenter(given).image, np.stack(3 * [gray], axis=-1))


def test_lists_and_batches_give_lists(segmenter, image):
    batch = np.stack((image, image[::-1]))
    expected = [shade_labels(one) for one in batch]
    for given in (batch, list(batch), tuple(batch)):
        results = segmenter(given)
        assert isinstance(results, list)
        np.testing.assert_array_equal([result.label_map for result in results], expected)
    assert segmenter([]) == []


def test_bytes_and_pil_images_are_turned_upright(segmenter, image):
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(image)).save(file, "PNG", exif=exif)
    for given in (file.getvalue(), Image.open(file)):
        np.testing.assert_array_equal(segmenter(given).image, image)


def test_a_web_address_is_fetched(segmenter, image, tmp_path):
    Image.fromarray(image).save(tmp_path / "a.png")
    with serving(tmp_path) as address:
        np.testing.assert_array_equal(segmenter(f"{address}/a.png").image, image)


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "tile"])
def test_unsure_pixels_are_void(tmp_path, fit):
    spec = replace(shade_spec(SIZE_HW), temperature=0.5)
    path = write_shade_model(tmp_path / "m.onnx", metadata={"swiftseg": spec.to_json()})
    image = np.zeros((*SIZE_HW, 3), np.uint8)
    image[:, ::2] = 42  # in the middle of the first shade; 85 would lie between two
    image[:, 1::2] = 80
    label_map = Segmenter.load(path, fit=fit, void_below=0.8)(image).label_map
    # The model's logits are minus the distances to 0.5, 1.5 and 2.5.
    logits = -np.abs(np.array([42, 80])[:, None] / 85 - np.array([0.5, 1.5, 2.5])) / 0.5
    sure = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).max(axis=1)
    assert sure[1] < 0.8 < sure[0]
    assert (label_map[:, ::2] == 0).all()
    assert (label_map[:, 1::2] == SHADES.void).all()


def test_void_below_travels_with_a_segmenter(tmp_path):
    path = write_shade_model(tmp_path / "m.onnx")
    segmenter = Segmenter.load(path, void_below=0.9)
    for other in (segmenter.fitted("tile"), pickle.loads(pickle.dumps(segmenter))):
        assert other.void_below == 0.9
    with pytest.raises(UsageError, match="a probability from 0 "):
        Segmenter.load(path, void_below=1.5)


def test_probabilities_and_labels_come_from_one_run(tmp_path, image):
    runs: list[int] = []
    segmenter = Segmenter.load(write_shade_model(tmp_path / "m.onnx", size_hw=SIZE_HW))

    class Counting:
        engine, spec, any_size = segmenter.engine, segmenter.spec, False

        def running(self, batch):
            runs.append(len(batch))
            return load_backend(tmp_path / "m.onnx").running(batch)

        def at_size(self, size_hw):
            return self

    counting = Segmenter(Counting())
    result = counting.segment(counting.prepare(image), with_probabilities=True)
    assert runs == [1]
    np.testing.assert_array_equal(result.label_map, shade_labels(image))
    np.testing.assert_array_equal(result.probabilities.argmax(axis=0), shade_labels(image))


def test_a_result_shows_itself_in_a_notebook(segmenter, image):
    result = segmenter(image)
    shown = Image.open(io.BytesIO(result._repr_png_()))
    np.testing.assert_array_equal(np.asarray(shown), result.overlay())


def test_probabilities_and_labels_agree_at_the_networks_size(tmp_path):
    segmenter = Segmenter.load(write_shade_model(tmp_path / "m.onnx"))
    image = np.random.default_rng(5).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    result = segmenter.segment(segmenter.prepare(image), with_probabilities=True)
    np.testing.assert_array_equal(result.probabilities.argmax(axis=0), result.label_map)


def test_probabilities_beyond_the_budget_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("swiftseg.inference.planes.MAX_PROBABILITIES", 3 * 12 * 16)
    segmenter = Segmenter.load(write_shade_model(tmp_path / "m.onnx"))
    assert segmenter.probabilities(np.zeros((12, 16, 3), np.uint8)).shape == (3, 12, 16)
    with pytest.raises(SwiftsegError, match=r"probabilities of 3 classes at 12x17 pixels"):
        segmenter.probabilities(np.zeros((12, 17, 3), np.uint8))
