"""Every network gives the same labels in every engine, at a size that no stride divides."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from swiftseg.core import InputSpec, LabelSet, ModelSpec
from swiftseg.data.toy_street import ToyStreet
from swiftseg.export.onnx_file import write_onnx
from swiftseg.export.parity import MAX_MEAN_DIFFERENCE, MIN_EQUAL_LABELS, measure_parity
from swiftseg.models import NETWORKS, create_model
from swiftseg.runtimes.torch_backend import TorchBackend
from tests.support.networks import awake, modules_of

SIZE_HW = (97, 131)
CLASSES = LabelSet(
    names=("one", "two", "three"), palette=((9, 9, 9), (99, 9, 9), (9, 9, 99)), ignore_index=255
)

# More than 20 million parameters each: seconds to minutes of writing and loading.
HEAVY = {"segnet", "bayesian_segnet", "fcn8s", "shelfnet34_lw", "shelfnet50", "shelfnet101"}

# Where two neighbors are equal but for rounding, engines pool different ones, and unpooling puts
# the value a pixel apart. Random weights, sure of nothing, let a few labels turn with it; of five
# CamVid frames on SegNet-Basic, trained for 80 steps, no label did.
UNPOOLING = {"segnet", "segnet_basic", "bayesian_segnet", "bayesian_segnet_basic"}


def settle_norms(network: nn.Module, images: torch.Tensor) -> None:
    """Takes batch statistics from street scenes, so that no map vanishes or overflows in eval."""
    norms = modules_of(network, nn.BatchNorm2d)
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        with torch.no_grad():
            network.train()(images)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in HEAVY else []) for n in sorted(NETWORKS)],
)
def test_every_engine_answers_as_torch(name: str, tmp_path: Path):
    torch.manual_seed(0)
    frames = [sample.image for sample in ToyStreet("test", 2, SIZE_HW)]
    network = awake(create_model(name, num_classes=len(CLASSES)))
    settle_norms(network, torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2) / 255)
    spec = ModelSpec(
        name=f"{name}-test",
        network=name,
        labels=CLASSES,
        input=InputSpec(size_hw=SIZE_HW),
        output="labels",
        training_data="nothing",
    )
    write_onnx(network.eval(), spec, tmp_path / "model.onnx")
    report = measure_parity(TorchBackend(network, spec), tmp_path / "model.onnx", frames)
    min_equal, max_mean = (
        (0.999, 1e-3) if name in UNPOOLING else (MIN_EQUAL_LABELS, MAX_MEAN_DIFFERENCE)
    )
    assert {parity.engine for parity in report.engines} >= {"onnxruntime", "openvino"}
    for parity in report.engines:
        assert parity.equal_labels >= min_equal, parity
        assert parity.mean_difference <= max_mean, parity
