from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from swiftseg.core import SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.doctor import check_data
from swiftseg.evaluation import evaluate
from swiftseg.inference import Segmenter
from swiftseg.prediction.predict_all import predict_images
from swiftseg.runtimes.model_file import read_spec
from swiftseg.training import train
from tests.support.multiband import make_multiband


@pytest.mark.slow
def test_five_bands_of_16_bits_train_export_and_predict(tmp_path: Path):
    data = make_multiband(tmp_path / "fields")
    diagnosis = check_data(data)
    assert not diagnosis.is_broken
    [bands] = [finding for finding in diagnosis.findings if finding.code == "bands"]
    assert bands.message == "the images have 5 bands of uint16"
    result = train("fast_scnn", data=data, out=tmp_path / "run", epochs=2, batch_size=2)
    assert result.model is not None
    spec = read_spec(result.model).input
    assert (spec.bands, spec.dtype, spec.size_hw) == (5, "uint16", (32, 64))
    seen = np.concatenate([s.image.reshape(-1, 5) for s in open_dataset(data, "train")])
    np.testing.assert_allclose(spec.mean, seen.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(spec.std, seen.std(axis=0), rtol=1e-4)
    torch_labels = labels_by(result.best, data)
    for backend in ("onnxruntime", "openvino"):
        for ours, theirs in zip(labels_by(result.model, data, backend), torch_labels, strict=True):
            assert (ours == theirs).mean() > 0.9999
    predict_images(data / "images", model=result.model, out=tmp_path / "out")
    with Image.open(tmp_path / "out/labels/3.png") as file:
        written = np.asarray(file)
    assert (written == torch_labels[3]).mean() > 0.9999
    with Image.open(tmp_path / "out/overlay/3.jpg") as shown:
        assert shown.width >= 48
    refuse_other_bands(result.model, tmp_path)


@pytest.mark.slow
def test_bands_that_are_files_of_their_own_train_export_and_are_scored(tmp_path: Path):
    whole, apart = make_multiband(tmp_path / "whole"), tmp_path / "apart"
    for path in sorted((whole / "images").iterdir()):
        bands = np.moveaxis(tifffile.imread(path), -1, 0)
        for name, band in zip(("red", "green", "blue", "nir", "swir"), bands, strict=True):
            (apart / name).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(apart / name / f"{name}_{path.stem}.TIF", band)
    (whole / "masks").rename(apart / "masks")
    result = train("fast_scnn", data=apart, out=tmp_path / "run", epochs=1, batch_size=2)
    assert result.model is not None
    spec = read_spec(result.model).input
    assert (spec.bands, spec.dtype) == (5, "uint16")
    assert (tmp_path / "run/report.html").is_file()
    segmenter, data = Segmenter.load(result.model), open_dataset(apart, "train+val")
    evaluation = evaluate(segmenter, apart)
    assert evaluation.frames == len(open_dataset(apart, "val"))
    for sample in data:  # the frame as it is read from its bands, and from one file
        of_file = segmenter(whole / f"images/{sample.name}.tif")
        np.testing.assert_array_equal(of_file.image, sample.image)
        np.testing.assert_array_equal(of_file.label_map, segmenter(sample.image).label_map)


def labels_by(model: Path, data: Path, backend: str | None = None) -> list[np.ndarray]:
    segmenter = Segmenter.load(model, backend=backend)
    return [segmenter(path).label_map for path in sorted((data / "images").iterdir())]


def refuse_other_bands(model: Path, folder: Path) -> None:
    """A picture of more bands, or of other types, is one line that names both."""
    path = folder / "more.tif"
    pixels = np.zeros((20, 30, 6), np.uint16)
    tifffile.imwrite(path, pixels, planarconfig="contig", photometric="minisblack")
    with pytest.raises(SwiftsegError, match="6 bands of uint16 where the model takes 5 bands"):
        Segmenter.load(model)(path)
    with pytest.raises(SwiftsegError, match=r"more\.tif: a TIFF image of 6 bands"):
        Segmenter.load()(path)


def test_pictures_of_several_kinds_are_named_before_training(tmp_path: Path):
    data = make_multiband(tmp_path / "fields")
    odd = data / "images/2.tif"
    tifffile.imwrite(odd, tifffile.imread(odd)[..., 0], photometric="minisblack")
    found = {finding.code: finding for finding in check_data(data).findings}
    assert found["mixed_bands"].severity == "broken"
    assert (
        "1 band of uint16 where most images have 5 bands of uint16" in found["mixed_bands"].message
    )
    with pytest.raises(SwiftsegError, match="1 band of uint16 where most images have 5 bands"):
        train("fast_scnn", data=data, out=tmp_path / "run", epochs=1)
