import json

import numpy as np
import pytest

from swiftseg.core import MissingExtraError, SwiftsegError, UsageError
from swiftseg.runtimes import BACKENDS, PRECISIONS, load_backend, selection, trial
from swiftseg.runtimes.base import Engine, labels_of
from swiftseg.runtimes.selection import changed_labels, choose_backend
from swiftseg.runtimes.trial import Trial, compare_ms
from tests.support.exported import shade_labels, write_shade_model


@pytest.fixture(autouse=True)
def memory(tmp_path, monkeypatch):
    """A cache folder of this test's own."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.setattr(trial, "ROUNDS", 1)  # a process each is enough here
    return selection.memory_file()


@pytest.fixture
def model(tmp_path):
    return write_shade_model(tmp_path / "m.onnx")


@pytest.fixture
def frames():
    return list(np.random.default_rng(3).integers(0, 256, (4, 12, 16, 3), dtype=np.uint8))


def test_what_is_named_is_taken_without_a_trial(model, memory):
    assert choose_backend(model, backend="openvino", precision="bf16") == Engine("openvino", "bf16")
    assert not memory.exists()


def test_auto_is_tried_once_and_remembered(model, memory, monkeypatch):
    first = choose_backend(model, backend="auto")
    assert first.backend in BACKENDS
    assert first.precision == "f32"
    assert list(json.loads(memory.read_text()).values()) == [[first.backend, "f32"]]
    monkeypatch.setattr(selection, "compare_ms", lambda _: pytest.fail("tried again"))
    assert choose_backend(model, backend="auto") == first


def test_a_damaged_memory_is_written_anew(model, memory):
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text('{"key": 3}')
    chosen = choose_backend(model, backend="auto")
    assert [chosen.backend, "f32"] in json.loads(memory.read_text()).values()


def test_another_file_is_tried_for_itself(model, memory, tmp_path):
    choose_backend(model, backend="auto")
    choose_backend(write_shade_model(tmp_path / "other.onnx", size_hw=(8, 8)), backend="auto")
    assert len(json.loads(memory.read_text())) == 2


def test_auto_precision_keeps_the_labels(model, frames):
    chosen = choose_backend(model, backend="openvino", precision="auto", frames=frames)
    assert chosen.precision in PRECISIONS["openvino"]
    chosen_trial = Trial(str(model), chosen.backend, chosen.precision)
    assert changed_labels(model, chosen_trial, frames) <= selection.MOST_CHANGED_LABELS


def test_a_precision_that_changes_labels_is_not_tried(model, frames, monkeypatch):
    monkeypatch.setattr(selection, "MOST_CHANGED_LABELS", -1.0)
    chosen = choose_backend(model, backend="openvino", precision="auto", frames=frames)
    assert chosen == Engine("openvino", "f32")


def test_auto_precision_asks_for_frames(model):
    with pytest.raises(UsageError, match="folder of them with --calibration DIR"):
        choose_backend(model, precision="auto")


def test_scores_are_compared_by_their_labels(model, tmp_path, frames):
    other = write_shade_model(tmp_path / "scores.onnx", output="logits")
    assert changed_labels(model, Trial(str(other)), frames) == 0


def test_a_trial_gives_milliseconds_of_each(model):
    times_ms = compare_ms([Trial(str(model), threads=1), Trial(str(model))])
    assert len(times_ms) == 2
    assert min(times_ms) > 0


def test_a_failed_trial_is_told(tmp_path):
    with pytest.raises(SwiftsegError, match=r"nowhere\.onnx on onnxruntime: the trial failed"):
        compare_ms([Trial(str(tmp_path / "nowhere.onnx"))])


def test_every_precision_gives_labels(model, frames):
    for name in BACKENDS:
        for precision in PRECISIONS[name]:
            labels = labels_of(
                load_backend(model, name=name, precision=precision), np.stack(frames)
            )
            assert np.mean(labels != shade_labels(np.stack(frames))) < 0.02  # bf16 has 8 bits


def test_a_precision_that_an_engine_lacks_is_named(model):
    with pytest.raises(UsageError, match="unknown precision of onnxruntime 'bf16'"):
        load_backend(model, precision="bf16")


def test_tensorrt_names_its_extra(model):
    with pytest.raises(MissingExtraError, match=r"pip install 'swiftseg\[tensorrt\]'"):
        load_backend(model, name="tensorrt")


def test_more_threads_than_cpus_are_refused(model):
    with pytest.raises(UsageError, match=r"expected at most \d+ threads, one a CPU here, got 9999"):
        load_backend(model, threads=9999)
