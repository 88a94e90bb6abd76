"""One segmenter in many threads, and in other processes."""

import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from torch import nn

from swiftseg.inference import Segmenter
from swiftseg.runtimes import BACKENDS
from swiftseg.runtimes.torch_backend import TorchBackend
from tests.support.exported import SHADES, shade_spec, write_shade_model, write_upsampled_model

THREADS, CALLS = 8, 1000


def images(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    return list(rng.integers(0, 256, (count, 12, 16, 3), dtype=np.uint8))


def check_shared(segmenter: Segmenter) -> None:
    frames = images(20)
    alone = [segmenter(frame).label_map for frame in frames]
    with ThreadPoolExecutor(THREADS) as pool:
        shared = list(pool.map(lambda i: segmenter(frames[i % 20]).label_map, range(CALLS)))
    for index, label_map in enumerate(shared):
        np.testing.assert_array_equal(label_map, alone[index % 20])


@pytest.mark.parametrize("write", [write_shade_model, write_upsampled_model])
@pytest.mark.parametrize("engine", BACKENDS)
def test_each_thread_gets_the_labels_of_its_own_image(tmp_path, engine, write):
    path = write(tmp_path / "m.onnx", size_hw=(12, 16))
    check_shared(Segmenter.load(path, backend=engine, threads=1))


def test_threads_share_a_network_in_torch():
    torch.manual_seed(0)
    network = nn.Conv2d(3, len(SHADES), 3, padding=1)
    check_shared(Segmenter(TorchBackend(network, shade_spec((12, 16)))))


def label_map_of(given: tuple[Segmenter, np.ndarray]) -> np.ndarray:
    segmenter, image = given
    return segmenter(image).label_map


@pytest.mark.parametrize("engine", BACKENDS)
def test_spawned_processes_open_the_model_on_arrival(tmp_path, engine):
    segmenter = Segmenter.load(write_shade_model(tmp_path / "m.onnx"), backend=engine, threads=1)
    frames = images(4)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        label_maps = list(pool.map(label_map_of, [(segmenter, frame) for frame in frames]))
    for frame, label_map in zip(frames, label_maps, strict=True):
        np.testing.assert_array_equal(label_map, segmenter(frame).label_map)


def test_what_travels_is_the_opening_and_not_the_model(tmp_path):
    segmenter = Segmenter.load(write_shade_model(tmp_path / "m.onnx"), backend="openvino")
    text = pickle.dumps(segmenter)
    assert len(text) < 500
    assert pickle.loads(text).engine == ("openvino", "f32", "cpu")


def test_a_segmenter_of_a_bare_network_says_why_it_cannot_travel():
    segmenter = Segmenter(TorchBackend(nn.Conv2d(3, 3, 1), shade_spec((12, 16))))
    with pytest.raises(TypeError, match=r"not made by Segmenter\.load"):
        pickle.dumps(segmenter)
