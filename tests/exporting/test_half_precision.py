"""Files with weights in half precision against their float32 originals."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from swiftseg.core import InputSpec, SwiftsegError, UsageError
from swiftseg.exporting import half_precision
from swiftseg.exporting.half_precision import halve_weights, store_in_half
from swiftseg.exporting.onnx_file import save_onnx, write_onnx
from swiftseg.runtimes import BACKENDS, load_backend, read_spec
from swiftseg.runtimes.base import upsampled_of
from tests.support.settled_networks import settled_enet, street_frames, street_spec

SIZE_HW = (48, 64)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("float") / "float.onnx"
    spec = street_spec(5, InputSpec(SIZE_HW))
    write_onnx(settled_enet(spec.input), spec, path)
    return path


@pytest.fixture(scope="module")
def half(source: Path) -> Path:
    model = onnx.load(source)
    store_in_half(model.graph)
    path = source.with_name("half.onnx")
    save_onnx(model, path)
    return path


def test_the_file_is_half_as_large_and_says_the_same_of_itself(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # Of a network that has learned nothing, more labels hang on rounding.
    monkeypatch.setattr(half_precision, "LEAST_EQUAL_LABELS", 0.9)
    path = tmp_path / "half.onnx"
    report = halve_weights(source, path, frames=street_frames(SIZE_HW, 2))
    assert report.frames == 2
    assert 0.9 <= report.equal_labels < 1
    assert report.bytes == path.stat().st_size
    assert report.float_bytes == source.stat().st_size
    weights = sum(4 * np.prod(t.dims) for t in onnx.load(source).graph.initializer)
    saved = report.float_bytes - report.bytes
    assert 0.4 * weights < saved < 0.5 * weights
    assert read_spec(path) == read_spec(source)


@pytest.mark.parametrize("engine", BACKENDS)
def test_scores_are_those_of_rounded_weights(source: Path, half: Path, tmp_path: Path, engine: str):
    """The reference rounds the weights of the float32 file and leaves them in float32."""
    rounded = tmp_path / "rounded.onnx"
    model = onnx.load(source)
    halved = {t.name for t in onnx.load(half).graph.initializer}
    for tensor in model.graph.initializer:
        if f"{tensor.name}_in_half" in halved:
            values = numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    save_onnx(model, rounded)
    frames = street_frames(SIZE_HW, 2)
    backends = [load_backend(each, name=engine) for each in (half, rounded)]
    ours, expected = (upsampled_of(backend, frames) for backend in backends)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4 * expected.std())


def test_what_half_precision_cannot_hold_stays(source: Path):
    model = onnx.load(source)
    [large] = [t for t in model.graph.initializer if np.prod(t.dims) >= 128][:1]
    values = numpy_helper.to_array(large).copy()
    values.flat[0] = 1e6
    large.CopyFrom(numpy_helper.from_array(values, large.name))
    count = store_in_half(model.graph)
    onnx.checker.check_model(model, full_check=True)
    kinds = {t.name: t.data_type for t in model.graph.initializer}
    assert kinds[large.name] == TensorProto.FLOAT
    assert sum(kind == TensorProto.FLOAT16 for kind in kinds.values()) == count > 50


def test_nothing_is_written_where_labels_are_lost(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(half_precision, "LEAST_EQUAL_LABELS", 1.1)
    with pytest.raises(SwiftsegError, match=r"half\.onnx not written: in half precision"):
        halve_weights(source, tmp_path / "half.onnx", frames=street_frames(SIZE_HW, 2))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match=r"ends in \.onnx"):
        halve_weights(source, tmp_path / "half.bin")
