"""Measuring on a device, tried on the CPU: the kernels run in Triton's interpreter."""

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from benchmarks.gpu import inference_networks as networks
from benchmarks.gpu.speed import marks
from swiftseg.core import InputSpec
from swiftseg.models import create_model
from tests.support.interpreted import import_interpreted


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return import_interpreted("benchmarks.gpu.speed", monkeypatch)


@pytest.mark.parametrize("name", ["enet", "fast_scnn", "segnet", "shelfnet50"])
def test_folding_changes_no_logit(name: str):
    network, _ = networks.build(name, 19, None)
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        expected = network(image)
        computed = networks.folded(network)(image)
        torch.testing.assert_close(computed, expected, rtol=1e-3, atol=1e-3 * expected.std())
    kept = [m for m in networks.folded(network).modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(kept) == (1 if name == "enet" else 0)  # behind ENet's concatenation


def test_a_wider_head_keeps_the_classes_that_it_had():
    network, origin = networks.build("enet", 19, None)
    narrow, _ = networks.build("enet", 11, None)
    image = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        torch.testing.assert_close(network(image)[:, :11], narrow(image))
    assert origin == "the shipped enet-camvid"
    assert create_model("enet", num_classes=19).state_dict().keys() == network.state_dict().keys()


def test_a_networks_speed_is_measured_end_to_end(speed: ModuleType, tmp_path: Path):
    speed.main(["--device", "cpu", "--tiny", "--out", str(tmp_path), "--only", "enet"])
    told = json.loads((tmp_path / "speed.json").read_text("utf-8"))
    assert told["state"] == "done"
    assert [case["case"] for case in told["cases"]] == ["enet 640x360", "enet 1920x1080"]
    for case in told["cases"]:
        for row in case["ways"]:
            assert row["labels_equal_to_eager"] > 0.999, row
        assert case["batches"][-1]["fps"] > 0
    assert len(told["marks"]) == 2


def test_labels_of_all_kernels_are_eager_torchs(monkeypatch: pytest.MonkeyPatch):
    ways = import_interpreted("benchmarks.gpu.speed_ways", monkeypatch)
    spec = InputSpec((32, 48))
    frames = torch.randint(0, 255, (1, 32, 48, 3), dtype=torch.uint8)
    network, _ = networks.build("fast_scnn", 19, None)
    [way] = [way for way in ways.QUICK_WAYS if way.depthwise_kernel]
    with torch.inference_mode():
        expected, labels = (
            ways.labeler(network, "fast_scnn", spec, each, frames, contraction=0)(frames)
            for each in (ways.EAGER, way)
        )
    assert float((labels == expected).float().mean()) > 0.999


def test_marks_compare_the_best_way_with_eager():
    case = {
        "case": "enet 640x360",
        "goal_ms": 0.3,
        "ways": [
            {"way": "eager f32", "median_ms": 4.0},
            {"way": "quick", "median_ms": 0.25},
            {"way": "broken", "failed": "RuntimeError: no"},
        ],
        "batches": [{"fps": 3000.0}, {"fps": 5000.0}, {"batch": 8, "failed": "no"}],
    }
    [mark] = marks([case, {**case, "ways": [{"way": "eager f32", "failed": "no"}]}])
    assert mark["times_eager"] == 16.0
    assert mark["times_eager_met"]
    assert mark["goal_ms_met"]
    assert mark["best_fps"] == 5000.0
    assert mark["goal_fps_met"]
