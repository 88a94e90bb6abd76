from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.plain_torch import measure_eager, measure_forward, plain_labels
from swiftseg.benchmarking.graph_costs import graph_costs
from swiftseg.benchmarking.measure import street_image
from swiftseg.benchmarking.torch_networks import (
    build,
    class_set,
    export,
    measure_torch,
    measure_training,
)
from swiftseg.data.images.image_file import read_image
from swiftseg.runtimes import read_spec
from swiftseg.runtimes.base import labels_of
from swiftseg.runtimes.torch_backend import TorchBackend

pytestmark = pytest.mark.usefixtures("threads_given_back")

SIZE_HW = [48, 64]
QUICK = {"threads": 1, "seconds": 0.0}


@pytest.fixture
def image(tmp_path: Path) -> str:
    return str(street_image((SIZE_HW[0], SIZE_HW[1]), tmp_path / "scene.jpg"))


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_tutorials_way_gives_the_backends_labels(image: str, channels_last: bool):
    network, spec = build("segfast", SIZE_HW, 5)
    frame = read_image(image)
    labels = plain_labels(network, spec.input, frame, channels_last=channels_last)
    assert (labels.dtype, labels.shape) == (np.uint8, tuple(SIZE_HW))
    assert (labels == labels_of(TorchBackend(network, spec), frame[None])[0]).mean() > 0.999


def test_random_networks_are_alike_and_settled():
    networks = [build("segfast", None, 5)[0] for _ in range(2)]
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    norms = [module for module in networks[0].modules() if isinstance(module, nn.BatchNorm2d)]
    assert not networks[0].training
    assert norms
    assert all(norm.momentum == 0.1 for norm in norms)
    assert all(norm.running_mean is not None and norm.running_mean.any() for norm in norms)


def test_shipped_weights_bring_their_classes_and_size():
    _, spec = build("enet-camvid", None, 5)
    assert (len(spec.labels), spec.input.size_hw) == (11, (360, 480))
    assert build("enet-camvid", SIZE_HW, 5)[1].input.size_hw == (48, 64)


def test_a_network_is_exported_with_its_facts(tmp_path: Path):
    out = tmp_path / "segfast.onnx"
    facts = export("segfast", SIZE_HW, 19, "labels", str(out))
    assert facts == {
        "name": "segfast",
        "weights": "random",
        "size_hw": (48, 64),
        "num_classes": 19,
        "parameters": 603_539,
    }
    assert read_spec(out).input.size_hw == (48, 64)
    assert graph_costs(out).gmacs is not None


def test_every_way_tells_its_stages(image: str):
    forward = measure_forward("segfast", 5, image, **QUICK)
    training = measure_training("segfast", 5, image, **QUICK)
    eager = measure_eager("segfast", SIZE_HW, 5, True, image, **QUICK)
    options = {"precision": "bf16", "channels_last": True}
    backend = measure_torch("segfast", SIZE_HW, 5, options, image, started_ns=0, **QUICK)
    assert list(forward["stages_ms"]) == ["forward"]
    assert list(training["stages_ms"]) == ["forward", "backward"]
    assert list(eager["stages_ms"]) == ["network"]
    assert list(backend["stages_ms"])[::2] == ["read", "network", "restore"]
    assert list(backend["stages_ms"])[-1] == "color"
    for found in (forward, training, eager, backend):
        assert all(time_ms > 0 for time_ms in found["total_ms"])


def test_classes_are_cityscapes_or_numbered():
    assert class_set(19).names[0] == "road"
    assert class_set(21).names[:2] == ("class_0", "class_1")
    assert len(class_set(255)) == 255
