"""What costs one image alone."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from swiftseg.core import InputSpec, LabelSet, ModelSpec, UsageError
from swiftseg.inference import Segmenter
from swiftseg.prediction.predict_all import predict_images
from tests.support.answers import AnswersBackend

SPEC = ModelSpec(
    "halves",
    "halves",
    LabelSet(("dark", "bright"), ((0, 0, 0), (255, 255, 255))),
    InputSpec((8, 8)),
)


def halves(batch: np.ndarray) -> np.ndarray:
    """Label by the red channel; a white frame asks for more memory than any machine has."""
    if batch.min() == 255:
        np.empty(1 << 60, np.uint8)
    return (batch[..., 0] > 127).astype(np.uint8)


def test_an_image_that_there_is_no_memory_for_costs_itself_alone(tmp_path):
    for name, gray in (("a", 0), ("b", 255), ("c", 200)):
        Image.new("RGB", (8, 8), (gray, gray, gray)).save(tmp_path / f"{name}.png")
    run = predict_images(
        tmp_path, model=Segmenter(AnswersBackend(SPEC, halves)), out=tmp_path / "out"
    )
    [(source, reason)] = run.failures
    assert source.endswith("b.png")
    assert "b.png: not enough memory" in reason
    labels = sorted((tmp_path / "out/labels").iterdir())
    assert [path.name for path in labels] == ["a.png", "c.png"]


def test_an_address_is_no_file_name(tmp_path):
    address = f"http://127.0.0.1:9/{'long' * 100}.png"
    run = predict_images(address, model=Segmenter(AnswersBackend(SPEC, halves)), out=tmp_path)
    [(source, reason)] = run.failures
    assert source == address
    assert "127.0.0.1" in reason


def test_a_label_tiff_is_not_overwritten_by_its_own_labels(tmp_path):
    (tmp_path / "labels").mkdir()
    picture = tmp_path / "labels/a.tif"
    Image.new("RGB", (8, 8)).save(picture)
    before = picture.read_bytes()
    run = predict_images(picture, model=Segmenter(AnswersBackend(SPEC, halves)), out=tmp_path)
    [(_, reason)] = run.failures
    assert "its own output would overwrite it" in reason
    assert picture.read_bytes() == before


def test_outputs_are_a_list_or_a_text_and_unknown_ones_are_refused(tmp_path):
    picture = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(picture)
    segmenter = Segmenter(AnswersBackend(SPEC, halves))
    for save in ("labels", ["labels"]):
        run = predict_images(picture, model=segmenter, out=tmp_path / "out", save=save)
        assert list(run.predictions[0].files) == ["labels"]
    with pytest.raises(UsageError, match="unknown output 'overlays'; did you mean overlay"):
        predict_images(picture, model=segmenter, save=["overlays"])


@pytest.mark.parametrize(("place", "value"), [(13, 8), (108, 12)])
def test_a_damaged_tiff_of_bands_costs_itself_alone(tmp_path, place, value):
    damaged = tmp_path / "a.tif"
    tifffile.imwrite(
        damaged, np.zeros((8, 8, 5), np.uint16), photometric="minisblack", planarconfig="contig"
    )
    content = bytearray(damaged.read_bytes())
    content[place] = value  # a size of zero, and a resolution that is infinite
    damaged.write_bytes(content)
    Image.new("RGB", (8, 8)).save(tmp_path / "b.png")
    run = predict_images(
        tmp_path, model=Segmenter(AnswersBackend(SPEC, halves)), out=tmp_path / "out"
    )
    [(source, reason)] = run.failures
    assert source.endswith("a.tif")
    assert "a.tif: " in reason
    assert [path.name for path in (tmp_path / "out/labels").iterdir()] == ["b.png"]
