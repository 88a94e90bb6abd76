"""Each way of averaging against the same network run by hand in torch."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from swiftseg.inference import AveragingSegmenter, Segmenter
from swiftseg.runtimes.torch_backend import TorchBackend
from tests.support.exported import SHADES, shade_spec, write_shade_model

SIZE_HW = (12, 16)
SPEC = shade_spec(SIZE_HW)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Conv2d(3, len(SHADES), 3, padding=1, padding_mode="replicate").eval()


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def segmenter(network: nn.Module, scales: Sequence[float] = (1.0,), **options: bool):
    return AveragingSegmenter(Segmenter(TorchBackend(network, SPEC)), scales=scales, **options)


def probabilities(network: nn.Module, view: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        image = torch.from_numpy(np.array(view)).permute(2, 0, 1)[None] / 255
        return network(image).softmax(dim=1)[0].numpy()


def resized(pixels: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize(size_hw[::-1], Image.Resampling.BILINEAR))


def test_one_scale_is_the_plain_segmenter(network, frame):
    plain = Segmenter(TorchBackend(network, SPEC)).probabilities(frame)
    np.testing.assert_allclose(segmenter(network).probabilities(frame), plain, atol=1e-6)


def test_scales_are_of_the_networks_input_and_averaged_at_the_frames_size(network, frame):
    views = [resized(frame, size_hw) for size_hw in ((6, 8), (12, 16), (18, 24))]
    planes = [[resized(p, (24, 32)) for p in probabilities(network, view)] for view in views]
    averaging = segmenter(network, (0.5, 1.0, 1.5))
    expected = np.mean(planes, axis=0)
    np.testing.assert_allclose(averaging.probabilities(frame), expected, atol=1e-6)
    label_map = averaging(frame).label_map
    assert label_map.dtype == np.uint8
    np.testing.assert_array_equal(label_map, averaging.probabilities(frame).argmax(axis=0))


def test_mirror_images_are_mirrored_back(network, frame):
    view = resized(frame, SIZE_HW)
    both = probabilities(network, view) + probabilities(network, view[:, ::-1])[..., ::-1]
    expected = np.stack([resized(plane, (24, 32)) for plane in both / 2])
    np.testing.assert_allclose(
        segmenter(network, flip=True).probabilities(frame), expected, atol=1e-6
    )


def test_windows_show_the_network_the_frame_at_its_own_size(network, frame):
    averaging = segmenter(network, sliding=True)
    # Windows of 12 stand at rows 0, 8 and 12; a 3x3 kernel sees past no window's inner pixels.
    whole = probabilities(network, frame)
    np.testing.assert_allclose(
        averaging.probabilities(frame)[:, 1:8, 1:10], whole[:, 1:8, 1:10], atol=1e-6
    )


def test_a_file_of_fixed_size_does_for_windows_at_any_scale(tmp_path):
    fixed = Segmenter.load(write_shade_model(tmp_path / "m.onnx", size_hw=SIZE_HW))
    averaging = AveragingSegmenter(fixed, scales=(0.5, 2.0), flip=True, sliding=True)
    halves = np.full((30, 40, 3), 20, np.uint8)
    halves[:, 20:] = 240
    label_map = averaging(halves).label_map
    assert (label_map[:, :18] == 0).all()
    assert (label_map[:, 22:] == 2).all()


def test_windows_have_the_size_of_the_crops_that_the_network_has_learned_from(network, frame):
    learned = replace(SPEC, crop_hw=(8, 8))
    averaging = AveragingSegmenter(Segmenter(TorchBackend(network, learned)), sliding=True)
    total, times = np.zeros((len(SHADES), 24, 32)), np.zeros((24, 32))
    for top in sliding_starts(24, 8):
        for left in sliding_starts(32, 8):
            window = frame[top : top + 8, left : left + 8]
            total[:, top : top + 8, left : left + 8] += probabilities(network, window)
            times[top : top + 8, left : left + 8] += 1
    np.testing.assert_allclose(averaging.probabilities(frame), total / times, atol=1e-6)


def sliding_starts(length: int, window: int) -> list[int]:
    """Two thirds of a window apart, the last at the end."""
    starts = list(range(0, length - window, -(-window * 2 // 3)))
    return [*starts, length - window]
