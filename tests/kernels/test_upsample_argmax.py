import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from swiftseg.kernels import native
from swiftseg.kernels.upsample_argmax import argmax, upsample_argmax

needs_kernel = pytest.mark.skipif(not native.is_available(), reason="built without a C compiler")


def test_a_score_in_the_middle_reaches_half_way():
    scores = np.zeros((1, 2, 1, 3), dtype=np.float32)
    scores[0, 1, 0] = -1, 1, -1  # class 1 is above class 0 within half a score of the middle
    assert upsample_argmax(scores, (1, 12)).tolist() == [[[0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]]]
    aligned = upsample_argmax(scores, (1, 9), align_corners=True)
    assert aligned.tolist() == [[[0, 0, 0, 1, 1, 1, 0, 0, 0]]]


def test_the_first_of_equals_wins():
    scores = np.zeros((1, 4, 3, 3), dtype=np.float32)
    assert not upsample_argmax(scores, (30, 40)).any()
    scores[:, 2:] = 1
    assert (upsample_argmax(scores, (30, 40)) == 2).all()
    assert (argmax(scores) == 2).all()


def test_numpy_takes_over_where_the_kernel_is_missing(monkeypatch: pytest.MonkeyPatch):
    scores = np.random.default_rng(0).standard_normal((2, 19, 12, 20)).astype(np.float32)
    expected = upsample_argmax(scores, (96, 160)), argmax(scores)
    monkeypatch.setattr(native, "LIBRARY", Path("nowhere.so"))
    native._library.cache_clear()
    try:
        assert not native.is_available()
        assert native.instruction_sets() == ()
        np.testing.assert_array_equal(upsample_argmax(scores, (96, 160)), expected[0])
        np.testing.assert_array_equal(argmax(scores), expected[1])
    finally:
        native._library.cache_clear()


def test_no_frame_gives_no_labels():
    assert upsample_argmax(np.empty((0, 5, 4, 4), np.float32), (32, 32)).shape == (0, 32, 32)


@pytest.mark.parametrize(
    ("scores", "size_hw", "told"),
    [
        (np.zeros((5, 4, 4), np.float32), (8, 8), r"\(N, C, h, w\), got \(5, 4, 4\)"),
        (np.zeros((1, 0, 4, 4), np.float32), (8, 8), "expected scores of shape"),
        (np.zeros((1, 5, 4, 4), np.float32), (8, 0), "1x1 at least"),
        (np.zeros((1, 65_537, 1, 1), np.float32), (1, 1), "65536 classes at most"),
    ],
)
def test_what_is_no_map_of_scores_is_refused(scores: np.ndarray, size_hw, told: str):
    with pytest.raises(ValueError, match=told):
        upsample_argmax(scores, size_hw)


def test_other_numbers_than_float32_are_refused():
    with pytest.raises(TypeError, match="expected float32 scores, got float64"):
        argmax(np.zeros((1, 5, 4, 4)))


@needs_kernel
def test_instructions_this_machine_lacks_are_refused():
    missing = {"plain", "avx2", "avx512"} - set(native.instruction_sets())
    for name in missing:
        with pytest.raises(ValueError, match=f"no {name} instructions"):
            native.label(
                np.zeros((1, 2, 3, 3), np.float32),
                np.zeros((1, 3, 3), np.uint8),
                None,
                threads=1,
                instruction_set=name,  # pyright: ignore[reportArgumentType]
            )


@needs_kernel
def test_the_most_classes_there_may_be_are_labeled():
    scores = np.zeros((1, 65_536, 2, 40), dtype=np.float32)
    scores[0, 65_535, :, :20] = 1
    labels = upsample_argmax(scores, (4, 80))
    assert labels.dtype == np.uint16
    assert (labels[..., :38] == 65_535).all()
    assert (labels[..., 42:] == 0).all()


@needs_kernel
def test_no_thread_outlives_a_call():
    """Threads that linger, above all spinning ones, would take cores from the engine."""
    script = (
        "import os, time, numpy as np\n"
        "from swiftseg.kernels.upsample_argmax import upsample_argmax\n"
        "scores = np.random.default_rng(0).standard_normal((1, 19, 64, 128)).astype('f4')\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "upsample_argmax(scores, (512, 1024), threads=4)\n"
        "deadline = time.monotonic() + 20\n"
        "while len(os.listdir('/proc/self/task')) > before and time.monotonic() < deadline: pass\n"
        "print(len(os.listdir('/proc/self/task')) - before)\n"
    )
    if not Path("/proc/self/task").is_dir():
        pytest.skip("counts threads as Linux tells them")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"
