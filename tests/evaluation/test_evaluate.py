import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassCalibrationError, MulticlassJaccardIndex

from swiftseg.core import Sample, SwiftsegError
from swiftseg.data import open_dataset
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.evaluation import NATIVE, Evaluation, evaluate
from swiftseg.inference import Segmenter
from swiftseg.runtimes import load_backend
from tests.support.exported import SHADES, shade_labels, write_shade_model
from tests.support.tiny_camvid import make_tiny_camvid


class Shades(Sequence[Sample]):
    """Noise whose brightness mostly tells the class, and some void."""

    labels = SHADES

    def __init__(self, count: int, size_hw: tuple[int, int] = (12, 16)) -> None:
        self.count, self.size_hw = count, size_hw

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        if index >= self.count:
            raise IndexError(index)
        rng = np.random.default_rng(index)
        image = rng.integers(0, 256, (*self.size_hw, 3), dtype=np.uint8)
        chance = rng.integers(0, 3, self.size_hw)
        mask = np.where(rng.random(self.size_hw) < 0.6, shade_labels(image), chance)
        mask[rng.random(self.size_hw) < 0.1] = 255
        return Sample(f"frame_{index}", image, mask.astype(np.uint8))


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    path = write_shade_model(tmp_path_factory.mktemp("model") / "m.onnx", size_hw=(12, 16))
    return load_backend(path)


def test_mean_iou_equals_torchmetrics_over_the_data_set(backend):
    dataset = Shades(7, (25, 31))
    segmenter = Segmenter(backend)
    metric = MulticlassJaccardIndex(3, ignore_index=255)
    for sample in dataset:
        label_map = torch.from_numpy(segmenter(sample.image).label_map)
        metric.update(label_map[None], torch.from_numpy(sample.mask)[None].long())
    result = evaluate(segmenter, dataset)
    assert result.frames == 7
    assert result.scores.mean_iou == pytest.approx(metric.compute().item(), abs=1e-6)


def test_calibration_equals_torchmetrics_and_changes_nothing_else(backend):
    dataset = Shades(5, (25, 31))
    segmenter = Segmenter(backend)
    metric = MulticlassCalibrationError(3, n_bins=15, norm="l1", ignore_index=255)
    for sample in dataset:
        probs = torch.from_numpy(segmenter.probabilities(sample.image))
        metric.update(probs[None], torch.from_numpy(sample.mask)[None].long())
    result = evaluate(segmenter, dataset, calibration_error=True)
    assert result.calibration_error == pytest.approx(metric.compute().item(), abs=1e-6)
    np.testing.assert_array_equal(result.matrix, evaluate(segmenter, dataset).matrix)
    assert evaluate(segmenter, dataset).calibration_error is None


def test_averaged_probabilities_are_those_whose_calibration_is_taken(backend):
    protocol = replace(NATIVE, flip=True)
    dataset = Shades(2)
    result = evaluate(Segmenter(backend), dataset, protocol=protocol, calibration_error=True)
    # The shades look at single pixels, so that the mirror image says the same.
    np.testing.assert_array_equal(result.matrix, evaluate(Segmenter(backend), dataset).matrix)
    assert result.calibration_error is not None


def test_every_frame_is_handed_over_with_its_label_map(backend):
    segmenter, dataset = Segmenter(backend), Shades(3)
    handed: list[tuple[str, np.ndarray]] = []
    evaluate(
        segmenter, dataset, on_frame=lambda sample, labels: handed.append((sample.name, labels))
    )
    assert [name for name, _ in handed] == ["frame_0", "frame_1", "frame_2"]
    for (_, label_map), sample in zip(handed, dataset, strict=True):
        np.testing.assert_array_equal(label_map, shade_labels(sample.image))


def test_the_report_names_its_protocol_and_what_was_counted(backend):
    report = evaluate(Segmenter(backend), Shades(4)).to_dict()
    assert report["protocol"] == {
        "name": "native",
        "size_hw": None,
        "void_as_class": False,
        "scales": (1.0,),
        "flip": False,
        "sliding": False,
    }
    low, high = report["mean_iou_interval_95"]
    assert low <= report["mean_iou"] <= high
    assert set(report["boundary_iou"]) == set(SHADES.names)
    assert 0 <= report["frequency_weighted_iou"] <= 1
    assert "expected_calibration_error" not in report
    assert "cityscapes" not in report


def test_other_classes_are_refused(backend, tmp_path):
    dataset = open_dataset(make_tiny_camvid(tmp_path), "val")
    with pytest.raises(SwiftsegError, match=r"knows 3 classes \(dark, dim, bright\) .* has 11"):
        evaluate(Segmenter(backend), dataset)


def test_a_model_without_void_is_refused_where_void_is_scored(backend):
    with pytest.raises(SwiftsegError, match=r"has not learned the class void.*void_as_class=true"):
        evaluate(Segmenter(backend), WithVoidClass(Shades(1)))


def test_no_frames_no_scores(backend):
    result = evaluate(Segmenter(backend), Shades(0))
    assert result.frames == 0
    assert result.to_dict()["mean_iou"] is None
    assert isinstance(result, Evaluation)


def peak_bytes(segmenter: Segmenter, count: int) -> int:
    """Counts what Python and numpy hold at most while `count` frames are evaluated."""
    tracemalloc.start()
    try:
        evaluate(segmenter, Shades(count), show_progress=False)  # a bar's package takes memory
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_frames(backend):
    segmenter = Segmenter(backend)
    peak_bytes(segmenter, 3)  # fills what is made once
    # A confusion matrix kept for each frame would be 180 bytes, 300 kB for the difference.
    assert peak_bytes(segmenter, 2000) - peak_bytes(segmenter, 200) < 64_000
