from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.benchmarking.benchmark_report import Conditions
from swiftseg.benchmarking.engine import label_map_of, measure_streams
from swiftseg.benchmarking.measure import (
    Candidate,
    count_jobs,
    engine_candidate,
    measure_candidates,
    street_image,
)
from swiftseg.data.images.image_file import read_image
from tests.support.exported import shade_labels, write_shade_model

ENGINE = {"backend": "onnxruntime", "precision": "f32", "threads": 1}


def shade_candidate(path: Path, *, stream_counts: tuple[int, ...] = ()) -> Candidate:
    model = write_shade_model(path, size_hw=(12, 16))
    describes = {"name": "shades", "size_hw": (24, 32), "num_classes": 3}
    return engine_candidate(
        model, backend="onnxruntime", describes=describes, stream_counts=stream_counts
    )


def test_a_model_is_measured_from_file_to_overlay(tmp_path: Path):
    candidates = [shade_candidate(tmp_path / "shades.onnx", stream_counts=(2,))]
    settings = Conditions(seconds=0.01, passes=2)
    runs: list[str] = []

    [found] = measure_candidates(
        candidates, threads=1, settings=settings, on_run=lambda job: runs.append(job.name)
    )

    assert len(runs) == count_jobs(candidates, settings) == 4
    assert (found.name, found.way, found.size_hw) == ("shades", "onnxruntime", (24, 32))
    stages = list(found.stages_ms)
    assert (stages[0], stages[-1]) == ("read", "color")
    network = stages.index("network")
    assert stages[network + 1] == "labels"
    assert found.stages_ms["network"].p50_ms > 0
    inner_ms = sum(found.stages_ms[stage].p50_ms for stage in stages[1:-1])
    assert found.total_ms.p50_ms == pytest.approx(inner_ms, rel=1)
    assert len(found.total_ms.pass_medians_ms) == 2
    assert [part.streams for part in found.throughput] == [2]
    assert found.throughput[0].fps > 0
    assert found.startup_ms is not None
    assert found.startup_ms.samples == 2


def test_streams_are_counted_together(tmp_path: Path):
    model = write_shade_model(tmp_path / "shades.onnx")
    image = street_image((12, 16), tmp_path / "scene.jpg")
    fps = measure_streams(model=str(model), image=str(image), streams=2, seconds=0.02, **ENGINE)
    assert fps > 0


def test_the_label_map_is_the_models(tmp_path: Path):
    model = write_shade_model(tmp_path / "shades.onnx")
    image = street_image((12, 16), tmp_path / "scene.jpg")
    out = tmp_path / "labels.npy"
    label_map_of(model=str(model), image=str(image), out=str(out), **ENGINE)
    np.testing.assert_array_equal(np.load(out), shade_labels(read_image(image)))


def test_the_street_is_a_jpeg_of_the_size(tmp_path: Path):
    with Image.open(street_image((24, 40), tmp_path / "scene.jpg")) as image:
        assert (image.format, image.size) == ("JPEG", (40, 24))
