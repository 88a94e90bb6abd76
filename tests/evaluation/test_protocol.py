from dataclasses import replace

import numpy as np
import pytest

from swiftseg.core import LabelSet, Sample, SwiftsegError, UsageError
from swiftseg.data import open_dataset
from swiftseg.evaluation import NATIVE, PROTOCOLS
from swiftseg.evaluation.protocol import find_protocol
from swiftseg.inference import AveragingSegmenter, Segmenter
from swiftseg.runtimes import load_backend
from tests.support.exported import write_shade_model
from tests.support.tiny_camvid import make_tiny_camvid


class ListedFrames(list[Sample]):
    def __init__(self, frames: list[Sample], labels: LabelSet) -> None:
        super().__init__(frames)
        self.labels = labels


@pytest.fixture
def dataset(tmp_path):
    return open_dataset(make_tiny_camvid(tmp_path / "camvid", size_hw=(48, 64)), "val")


@pytest.fixture
def backend(tmp_path):
    return load_backend(write_shade_model(tmp_path / "m.onnx", size_hw=(12, 16)))


def test_native_leaves_the_data_alone(dataset):
    assert NATIVE.view(dataset) is dataset


def test_enets_frames_and_labels_are_480_wide_and_360_high(dataset):
    view = PROTOCOLS["enet"].view(dataset)
    assert view.labels == dataset.labels
    assert view[0].image.shape == (360, 480, 3)
    assert set(np.unique(view[0].mask)) == set(np.unique(dataset[0].mask))  # none between two


def test_segfasts_void_is_the_twelfth_class(dataset):
    view = PROTOCOLS["segfast"].view(dataset)
    assert view.labels.names == (*dataset.labels.names, "void")
    assert view.labels.ignore_index is None
    assert view[0].mask.shape == (224, 224)
    assert len(view) == len(list(view)) == len(dataset)


def test_segfasts_classes_are_as_they_are_where_nothing_is_ignored(tmp_path):
    """As in the paper's BDD100K of 20 classes and Mapillary Vistas of 66."""
    frames = [Sample("s", np.zeros((8, 12, 3), np.uint8), np.zeros((8, 12), np.uint8))]
    dataset = ListedFrames(frames, LabelSet(("road", "other"), ((0, 0, 0), (1, 1, 1)), None))
    view = PROTOCOLS["segfast"].view(dataset)
    assert view.labels == dataset.labels
    assert view[0].mask.shape == (224, 224)


def test_what_decides_a_number_is_in_the_text():
    protocols = [
        *PROTOCOLS.values(),
        replace(NATIVE, scales=(0.5, 1.0)),
        replace(NATIVE, scales=(0.5, 1.5)),
        replace(NATIVE, flip=True),
        replace(NATIVE, sliding=True),
    ]
    assert len({str(protocol) for protocol in protocols}) == len(protocols)
    assert str(NATIVE) == "native (labels as is, void ignored)"
    assert str(replace(PROTOCOLS["segfast"], flip=True)) == (
        "segfast (labels at 224x224, void a class, mirrored too)"
    )


def test_the_names_are_the_protocols_own():
    assert all(protocol.name == name for name, protocol in PROTOCOLS.items())
    with pytest.raises(UsageError, match="unknown protocol 'segfest'; did you mean segfast"):
        find_protocol("segfest")


@pytest.mark.parametrize("scales", [(), (0.0,), (-1.0, 1.0), (float("nan"),), (100.0,)])
def test_impossible_scales_are_refused(scales):
    with pytest.raises(UsageError, match=r"expected scales of 0\.1 to 10"):
        replace(NATIVE, scales=scales)


def test_a_file_runs_at_its_own_size_and_refuses_scales(backend):
    sliding = replace(NATIVE, scales=(0.5, 2.0), sliding=True)
    segmenter = Segmenter(backend)
    assert isinstance(sliding.segmenter(segmenter), AveragingSegmenter)
    message = (
        r"shades is exported for frames of 12x16 .*not run at 6x8; take its checkpoint"
        r".*--size 6x8.*--sliding"
    )
    with pytest.raises(SwiftsegError, match=message):
        replace(NATIVE, scales=(1.0, 0.5)).segmenter(segmenter)


@pytest.mark.parametrize("protocol", [NATIVE, PROTOCOLS["enet"]])
def test_a_file_of_another_size_sees_the_protocols_frames_at_its_own(backend, dataset, protocol):
    segmenter = protocol.segmenter(Segmenter(backend))
    frame = protocol.view(dataset)[0].image
    np.testing.assert_array_equal(segmenter(frame).label_map, Segmenter(backend)(frame).label_map)
