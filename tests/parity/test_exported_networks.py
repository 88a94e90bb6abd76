"""Every network gives the same labels in every engine, at a size that no stride divides."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from swiftseg.core import InputSpec, ModelSpec
from swiftseg.data.toy_street import ToyStreet
from swiftseg.exporting.onnx_file import write_onnx
from swiftseg.exporting.parity import MIN_EQUAL_LABELS, measure_parity
from swiftseg.models import NETWORKS, create_model
from swiftseg.runtimes import load_backend
from swiftseg.runtimes.base import labels_of
from swiftseg.runtimes.torch_backend import TorchBackend
from tests.support.networks import awake
from tests.support.settled_networks import settle_norms, train_on_streets

SIZE_HW = (97, 131)

# More than 20 million parameters each: seconds to minutes of writing and loading.
HEAVY = {"segnet", "bayesian_segnet", "fcn8s", "shelfnet34_lw", "shelfnet50", "shelfnet101"}

# Where two neighbors are equal but for rounding, engines pool different ones, and unpooling puts
# the value a pixel apart. Random weights, sure of nothing, let one label in ten thousand turn with
# it, a network that has learned a little does not.
UNPOOLING = {"segnet", "segnet_basic", "bayesian_segnet", "bayesian_segnet_basic"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in HEAVY else []) for n in sorted(NETWORKS)],
)
def test_every_engine_answers_as_torch(name: str, tmp_path: Path):
    streets = ToyStreet("test", 2, SIZE_HW)
    torch.manual_seed(0)
    network = awake(create_model(name, num_classes=len(streets.labels)))
    if name in UNPOOLING:
        train_on_streets(network)
    else:
        settle_norms(network, SIZE_HW)
    spec = ModelSpec(f"{name}-test", name, streets.labels, InputSpec(SIZE_HW))
    write_onnx(network.eval(), spec, tmp_path / "model.onnx")
    frames = [sample.image for sample in streets]
    report = measure_parity(TorchBackend(network, spec), tmp_path / "model.onnx", frames)
    assert {parity.engine for parity in report.engines} >= {"onnxruntime", "openvino"}
    for parity in report.engines:
        assert parity.passed, parity
        # What anyone reads from the file alone; its upsampling may round otherwise than ours.
        own = backend_labels(tmp_path / "model.onnx", parity.engine, frames)
        assert (own == graph_labels(tmp_path / "model.onnx", frames)).mean() >= MIN_EQUAL_LABELS


def backend_labels(path: Path, engine: str, frames: list[np.ndarray]) -> np.ndarray:
    return labels_of(load_backend(path, name=engine), np.stack(frames))


def graph_labels(path: Path, frames: list[np.ndarray]) -> np.ndarray:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["labels"], {"frames": np.stack(frames)})[0])
