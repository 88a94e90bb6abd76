"""ENet's Figure 2: what the page says is what the shipped weights hold."""

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from safetensors.numpy import load_file

ROOT = Path(__file__).parents[2]


@pytest.fixture
def enet_slopes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return import_module("enet_slopes")


def test_json_and_page_are_of_the_shipped_weights(enet_slopes: ModuleType):
    told = json.loads(enet_slopes.RESULT.read_text("utf-8"))["models"]
    assert told == [enet_slopes.facts(name) for name in enet_slopes.WEIGHTS]
    assert enet_slopes.PAGE.read_text("utf-8") == enet_slopes.page(told)


def test_the_papers_statements_that_hold(enet_slopes: ModuleType):
    """Asked of the weights themselves, by their names."""
    for name in ("enet-camvid", "enet-toystreet"):
        weights = load_file(ROOT / f"src/swiftseg/weights/{name}.safetensors")
        slopes = {
            key: value
            for key, value in weights.items()
            if value.ndim == 1 and (".act." in key or key.endswith(("2.weight", "5.weight")))
        }
        decoder = np.concatenate([v for key, v in slopes.items() if key.startswith("decoder.")])
        encoder = np.concatenate([v for key, v in slopes.items() if key.startswith("encoder.")])
        first = np.concatenate([v for k, v in slopes.items() if "initial" in k or "stage_1" in k])
        assert len(slopes) == 82
        assert first.mean() > 0
        assert decoder.mean() > encoder.mean()
        told = enet_slopes.facts(name)
        assert told["figures"]["decoder_mean"] == pytest.approx(decoder.mean(), abs=1e-4)
        assert told["figures"]["encoder_mean"] == pytest.approx(encoder.mean(), abs=1e-4)


def test_there_are_67_slopes_up_to_the_decoder(enet_slopes: ModuleType):
    weights = load_file(ROOT / "src/swiftseg/weights/enet-camvid.safetensors")
    names = list(enet_slopes.slopes_of(weights))
    assert len(names) == 82
    assert all(name.startswith("encoder") for name in names[:67])
    assert all(name.startswith("decoder") for name in names[67:])
    assert [name.startswith("encoder.down_2") for name in names].index(True) == 16
    assert sum(enet_slopes.is_main_branch(name) for name in names[:67]) == 23
