import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest

from swiftseg.core import LabelSet, MissingExtraError, SwiftsegError, UsageError
from swiftseg.runtimes import BACKENDS, load_backend, read_spec
from swiftseg.runtimes.base import labels_of, upsampled_of
from swiftseg.runtimes.cores import physical_cores
from tests.support.exported import SHADES, shade_labels, shade_spec, write_shade_model


@pytest.fixture
def frames():
    return np.random.default_rng(3).integers(0, 256, (3, 12, 16, 3), dtype=np.uint8)


@pytest.fixture(params=BACKENDS)
def engine(request):
    return request.param


def test_labels_are_those_of_the_graph(tmp_path, engine, frames):
    backend = load_backend(write_shade_model(tmp_path / "m.onnx"), name=engine)

    labels = labels_of(backend, frames)

    assert backend.engine == (engine, "f32", "cpu")
    assert backend.spec == shade_spec()
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, shade_labels(frames))


def test_an_engine_leaves_the_arithmetic_of_the_calling_thread_alone(tmp_path, engine):
    """Values below 1e-38 still decide labels in numpy, also where an engine is the first to run."""
    path = write_shade_model(tmp_path / "m.onnx")
    code = (
        "import sys, numpy as np\n"
        "from swiftseg.runtimes import load_backend\n"
        "from swiftseg.runtimes.base import labels_of\n"
        "backend = load_backend(sys.argv[1], name=sys.argv[2])\n"
        "labels_of(backend, np.zeros((1, 12, 16, 3), np.uint8))\n"
        "assert np.full(9, 1e-38, np.float32).__mul__(np.float32(0.1)).all()\n"
    )
    subprocess.run([sys.executable, "-c", code, path, engine], check=True)


def test_a_labels_file_gives_its_logits_too(tmp_path, engine, frames):
    backend = load_backend(write_shade_model(tmp_path / "m.onnx"), name=engine, threads=1)

    logits = upsampled_of(backend, frames)

    assert logits.dtype == np.float32
    assert logits.shape == (3, len(SHADES), 12, 16)
    np.testing.assert_array_equal(logits.argmax(axis=1), shade_labels(frames))


def test_a_logits_file_gives_the_same_labels_and_probabilities(tmp_path, engine, frames):
    labels_file = load_backend(write_shade_model(tmp_path / "m.onnx"), name=engine)
    logits_file = load_backend(
        write_shade_model(tmp_path / "logits.onnx", output="logits"), name=engine
    )
    with labels_file.running(frames) as expected, logits_file.running(frames) as scores:
        np.testing.assert_array_equal(scores.labels(), shade_labels(frames))
        np.testing.assert_array_equal(scores.probabilities(), expected.probabilities())


def test_a_probs_file_gives_the_labels_of_its_probabilities(tmp_path, engine, frames):
    backend = load_backend(write_shade_model(tmp_path / "m.onnx", output="probs"), name=engine)
    with backend.running(frames) as scores:
        probs = scores.probabilities()
        np.testing.assert_array_equal(scores.labels(), shade_labels(frames))
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(probs.argmax(axis=1), shade_labels(frames))


def test_labels_without_their_logits_are_refused(tmp_path, engine):
    path = write_shade_model(tmp_path / "m.onnx")
    model = onnx.load(path)
    del model.graph.output[1]
    onnx.save(model, path)
    with pytest.raises(SwiftsegError, match=r"m\.onnx holds no logits beside its labels"):
        load_backend(path, name=engine)


def test_a_file_with_too_few_names_is_refused(tmp_path, engine):
    spec = shade_spec()
    two = LabelSet(spec.labels.names[:2], spec.labels.palette[:2])
    described = {"swiftseg": replace(spec, labels=two).to_json()}
    path = write_shade_model(tmp_path / "m.onnx", metadata=described)
    expected = r"expected .*logits float32 \(N, 2, 12, 16\).* got .*logits float32 \(N, 3, 12, 16\)"
    with pytest.raises(SwiftsegError, match=expected):
        load_backend(path, name=engine)


def test_an_engine_results_outlive_the_next_run(tmp_path, engine, frames):
    backend = load_backend(write_shade_model(tmp_path / "m.onnx"), name=engine)
    first = labels_of(backend, frames[:1])
    kept = first.copy()

    labels_of(backend, 255 - frames[:1])

    np.testing.assert_array_equal(first, kept)


def test_an_onnx_file_of_another_maker_is_refused(tmp_path, engine):
    path = write_shade_model(tmp_path / "foreign.onnx", metadata={"author": "someone"})
    with pytest.raises(SwiftsegError, match=r"foreign\.onnx .* swiftseg did not export"):
        load_backend(path, name=engine)


def test_a_description_of_another_version_is_refused(tmp_path, engine):
    path = write_shade_model(tmp_path / "m.onnx", metadata={"swiftseg": '{"format_version": 99}'})
    with pytest.raises(SwiftsegError, match=r"m\.onnx: model format version 99"):
        load_backend(path, name=engine)


def test_a_graph_that_is_not_as_described_is_refused(tmp_path, engine):
    described = {"swiftseg": shade_spec(output="logits").to_json()}
    path = write_shade_model(tmp_path / "m.onnx", metadata=described)
    with pytest.raises(
        SwiftsegError, match=r"expected logits float32 \(N, 3, 12, 16\), as it .* got labels"
    ):
        load_backend(path, name=engine)


@pytest.mark.parametrize("content", [b"", b"GIF89a what", b"\x80" * 40, bytes(range(256))])
def test_what_is_no_onnx_file_is_refused(tmp_path, engine, content):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(SwiftsegError, match=r"m\.onnx is no ONNX file"):
        load_backend(path, name=engine)


def test_a_truncated_file_is_refused(tmp_path, engine):
    whole = write_shade_model(tmp_path / "whole.onnx").read_bytes()
    path = tmp_path / "m.onnx"
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(SwiftsegError, match=r"m\.onnx"):
            load_backend(path, name=engine)


def test_a_broken_graph_is_refused(tmp_path, engine):
    path = write_shade_model(tmp_path / "m.onnx")
    model = onnx.load(path)
    model.graph.node[0].op_type = "NoSuchOperator"
    onnx.save(model, path)
    with pytest.raises(SwiftsegError, match=r"m\.onnx: .* cannot load it: .+"):
        load_backend(path, name=engine)


def test_a_missing_file_is_named(tmp_path, engine):
    with pytest.raises(SwiftsegError, match=r"no such model file: .*nowhere\.onnx"):
        load_backend(tmp_path / "nowhere.onnx", name=engine)
    with pytest.raises(SwiftsegError, match="Is a directory"):
        load_backend(tmp_path, name=engine)


def test_an_unknown_engine_is_named_with_its_nearest(tmp_path):
    with pytest.raises(UsageError, match="unknown backend 'openvin'; did you mean openvino"):
        load_backend(tmp_path / "m.onnx", name="openvin")


def test_threads_start_at_one(tmp_path):
    with pytest.raises(UsageError, match="at least 1 thread, got 0"):
        load_backend(tmp_path / "m.onnx", threads=0)


def test_the_spec_is_read_as_onnx_reads_it(tmp_path):
    path = write_shade_model(tmp_path / "m.onnx", output="probs")
    entries = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert read_spec(path).to_json() == entries["swiftseg"]


def test_without_openvino_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "swiftseg.runtimes.openvino_engine", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'swiftseg\[openvino\]'"):
        load_backend(write_shade_model(tmp_path / "m.onnx"), name="openvino")


def test_there_is_a_core():
    assert physical_cores() >= 1
