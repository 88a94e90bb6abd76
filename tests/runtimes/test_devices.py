"""Devices other than the CPU: found and held against the CPU, or missing with what to install."""

import pickle

import numpy as np
import onnxruntime as ort
import pytest

from swiftseg.core import UsageError
from swiftseg.data.toy_street import ToyStreet
from swiftseg.inference import Segmenter
from swiftseg.runtimes import ENGINES
from swiftseg.runtimes.onnxruntime_engine import PROVIDERS
from swiftseg.runtimes.openvino_engine import CORE

MODEL = "enet-toystreet"
FRAME = ToyStreet("test", 1)[0].image
OF_OPENVINO = {name.partition(".")[0].lower() for name in CORE.available_devices}
OF_ONNXRUNTIME = [
    name for name, one in PROVIDERS.items() if one.name in ort.get_available_providers()
]
THERE = [
    *(("onnxruntime", device) for device in OF_ONNXRUNTIME),
    *(("openvino", device) for device in ENGINES["openvino"].devices if device in OF_OPENVINO),
]


@pytest.mark.parametrize(("backend", "device"), THERE)
def test_a_device_that_is_there_gives_the_labels_of_the_cpu(backend: str, device: str):
    expected = Segmenter.load(MODEL)(FRAME).label_map
    segmenter = Segmenter.load(MODEL, backend=backend, device=device)
    assert segmenter.engine.device == device
    assert np.mean(segmenter(FRAME).label_map == expected) >= 0.9999


@pytest.mark.parametrize("device", [name for name in PROVIDERS if name not in OF_ONNXRUNTIME])
def test_a_provider_that_is_missing_names_the_package(device: str):
    with pytest.raises(UsageError, match=f"no {device}; .*{PROVIDERS[device].package}"):
        Segmenter.load(MODEL, device=device)


@pytest.mark.parametrize("device", sorted({"gpu", "npu"} - OF_OPENVINO))
def test_a_device_that_openvino_does_not_find_is_told(device: str):
    with pytest.raises(UsageError, match=f"OpenVINO finds no {device} here, only .*cpu"):
        Segmenter.load(MODEL, device=device)


def test_an_unknown_device_names_the_known_ones():
    with pytest.raises(UsageError, match="unknown device 'cdua'; did you mean cuda"):
        Segmenter.load(MODEL, device="cdua")
    with pytest.raises(UsageError, match="unknown device of openvino 'cuda'"):
        Segmenter.load(MODEL, backend="openvino", device="cuda")


def test_a_trial_is_of_the_cpu():
    with pytest.raises(UsageError, match="auto compares engines on the CPU"):
        Segmenter.load(MODEL, backend="auto", device="cuda")


def test_the_device_travels_with_a_pickled_segmenter():
    segmenter = Segmenter.load(MODEL, backend="openvino", device="cpu", threads=1)
    again = pickle.loads(pickle.dumps(segmenter))
    assert again.engine == segmenter.engine
    np.testing.assert_array_equal(again(FRAME).label_map, segmenter(FRAME).label_map)


def test_torch_names_the_devices_it_finds():
    with pytest.raises(UsageError, match="torch finds no xpu here, only cpu"):
        Segmenter.load(MODEL, backend="torch", device="xpu")
