"""Resized frames are Pillow's, byte for byte, in every instruction set and without the kernel."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from swiftseg.kernels import native
from swiftseg.kernels.resize import resize_frame
from swiftseg.kernels.taps import bilinear_taps

Size = tuple[int, int]
Resizer = Callable[[np.ndarray, Size], np.ndarray]

SIZES: tuple[tuple[Size, Size], ...] = (
    ((360, 480), (720, 960)),
    ((72, 128), (72, 96)),  # one side as it is
    ((64, 96), (80, 96)),
    ((108, 192), (36, 48)),
    ((33, 47), (71, 13)),
    ((97, 41), (30, 64)),  # the height shrinks, the width grows
    ((1, 1), (5, 7)),
    ((5, 7), (1, 1)),
    ((3, 5000), (3, 2)),
    ((5000, 3), (2, 3)),
    ((7, 5), (7, 5)),
)


def by_kernel(instruction_set: native.InstructionSet) -> Resizer:
    def resize(frame: np.ndarray, size_hw: Size) -> np.ndarray:
        resized = np.full((*size_hw, 3), 99, np.uint8)
        height, width = size_hw
        taps = bilinear_taps(frame.shape[0], height), bilinear_taps(frame.shape[1], width)
        native.resize(frame, resized, taps, instruction_set=instruction_set)
        return resized

    return resize


RESIZERS = {"default": resize_frame} | {name: by_kernel(name) for name in native.instruction_sets()}


def resized_by_pillow(frame: np.ndarray, size_hw: Size) -> np.ndarray:
    """Pillow's own, the columns after the rows, which it leaves open where both change."""
    height, width = size_hw
    image = Image.fromarray(frame).resize((width, len(frame)), Image.Resampling.BILINEAR)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def noise(size_hw: Size, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size_hw, 3), dtype=np.uint8)


@pytest.mark.parametrize("resizer", RESIZERS)
@pytest.mark.parametrize(("size_hw", "new_hw"), SIZES)
def test_bytes_are_pillows(resizer: str, size_hw: Size, new_hw: Size):
    frame = noise(size_hw)
    resized = RESIZERS[resizer](frame, new_hw)
    np.testing.assert_array_equal(resized, resized_by_pillow(frame, new_hw))


@pytest.mark.parametrize("has_kernel", [True, False])
@pytest.mark.parametrize("size_hw", [(360, 480), (480, 640), (720, 1280), (1080, 1920)])
def test_in_one_call_of_pillow_for_what_cameras_give(
    size_hw: Size, has_kernel: bool, monkeypatch: pytest.MonkeyPatch
):
    if not has_kernel:
        monkeypatch.setattr(native, "is_available", lambda: False)
    frame = noise(size_hw)
    image = Image.fromarray(frame).resize((960, 720), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(resize_frame(frame, (720, 960)), np.asarray(image))


@pytest.mark.parametrize("resizer", RESIZERS)
def test_any_size_to_any_other(resizer: str):
    draw = random.Random(1)
    for seed in range(150):
        size_hw, new_hw = ((draw.randint(1, 90), draw.randint(1, 90)) for _ in range(2))
        frame = noise(size_hw, seed)
        np.testing.assert_array_equal(
            RESIZERS[resizer](frame, new_hw),
            resized_by_pillow(frame, new_hw),
            err_msg=f"{size_hw} to {new_hw}",
        )


@pytest.mark.parametrize("resizer", RESIZERS)
@pytest.mark.parametrize("value", [0, 255])
def test_the_ends_of_the_scale_stay(resizer: str, value: int):
    for size_hw, new_hw in SIZES:
        frame = np.full((*size_hw, 3), value, np.uint8)
        assert (RESIZERS[resizer](frame, new_hw) == value).all()


def test_a_frame_may_lie_in_memory_as_it_likes():
    frame = noise((60, 80))
    expected = resized_by_pillow(np.ascontiguousarray(frame[::-1, ::2, ::-1]), (90, 100))
    np.testing.assert_array_equal(resize_frame(frame[::-1, ::2, ::-1], (90, 100)), expected)


def test_a_frame_of_the_right_size_is_not_copied():
    frame = noise((6, 8))
    assert resize_frame(frame, (6, 8)) is frame
