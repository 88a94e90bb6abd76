"""The scripts' arithmetic, on numbers made up; the scripts themselves take minutes."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.speed_page import SCRIPTS, page
from swiftseg.benchmarking.benchmark_report import Conditions, Measurement, Spread
from swiftseg.core import SwiftsegError
from tests.support.reports import machine, measurement, report

ROOT = Path(__file__).parents[2]


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return import_module(name)


def options(monkeypatch: pytest.MonkeyPatch, shrink: int = 1) -> object:
    settings = Conditions(seconds=1.0, passes=1)
    out = Path("none.json")
    return script("speed_script", monkeypatch).Options(machine(), settings, 2, shrink, out)


def taking(name: str, way: str, size_hw: tuple[int, int], total_ms: float) -> Measurement:
    return measurement(name, way, total_ms).model_copy(update={"size_hw": size_hw})


def test_enet_is_held_against_segnet_at_each_size(monkeypatch: pytest.MonkeyPatch):
    enet_speed = script("enet_speed", monkeypatch)
    slowness = {"enet": 1.0, "segnet": 12.0}
    taken = [
        taking(name, way, (height // 4, width // 4), height * slowness[name])
        for name in slowness
        for way in ("torch eager", "onnxruntime")
        for height, width in enet_speed.SIZES_HW
    ]

    ratios = enet_speed.ratios(taken, options(monkeypatch, shrink=4))

    assert [ratio.measured for ratio in ratios] == pytest.approx([12.0] * 8)
    published = {ratio.source: ratio.published for ratio in ratios}
    assert published["ENet Table 2, TX1: 1251 / 69 ms"] == pytest.approx(18.13, abs=0.01)
    assert published["ENet Table 2, Titan X: 637 / 46 ms"] == pytest.approx(13.85, abs=0.01)


def test_segfast_is_held_against_the_three_others(monkeypatch: pytest.MonkeyPatch):
    segfast_speed = script("segfast_speed", monkeypatch)
    taken: list[Measurement] = []
    for factor, name in enumerate(("segfast", "segfast_basic", "segnet", "fcn8s"), start=1):
        stages = {"forward": Spread.of([[10.0 * factor]]), "backward": Spread.of([[20.0 * factor]])}
        update = {"stages_ms": stages, "parameters": 600_000 * factor}
        taken.append(taking(name, "torch eager", (224, 224), 1.0).model_copy(update=update))
        taken.append(taking(name, "onnxruntime", (224, 224), 3.0 * factor))

    ratios = {r.what: r for r in segfast_speed.ratios(taken, options(monkeypatch))}

    assert ratios["segnet / segfast, forward, torch eager"].measured == pytest.approx(3)
    assert ratios["fcn8s / segfast, backward, torch eager"].measured == pytest.approx(4)
    assert ratios["segfast_basic / segfast, parameters"].measured == pytest.approx(2)
    # The paper's own quotients: 5.1 and 8.7 times faster, 49 and 223 times fewer parameters.
    published = [
        ratios[f"{name} / segfast, {what}"].published
        for what in ("forward, torch eager", "parameters")
        for name in ("segnet", "fcn8s")
    ]
    assert published == pytest.approx([5.1, 8.7, 49, 223], rel=0.01)


def test_fast_scnn_has_all_quotients_of_its_tables(monkeypatch: pytest.MonkeyPatch):
    fast_scnn_speed = script("fast_scnn_speed", monkeypatch)
    ways = ("torch eager", "onnxruntime", fast_scnn_speed.PROB)
    sizes_hw = fast_scnn_speed.SIZES_HW
    taken = [taking("fast_scnn", way, (h, w), h * w / 1e4) for way in ways for h, w in sizes_hw]
    taken += [taking("enet", "onnxruntime", (h, w), h * w / 2e3) for h, w in sizes_hw]
    taken.append(taking("segnet", "onnxruntime", (1024, 2048), 9000.0))

    ratios = {(r.what): r for r in fast_scnn_speed.ratios(taken, options(monkeypatch))}

    assert len(ratios) == 3 + 3 + 1 + 4
    enet = ratios["ENet / Fast-SCNN cls, 1024x2048"]
    assert (enet.measured, enet.published) == pytest.approx((5.0, 75.3 / 20.4))
    sizes = ratios["Fast-SCNN, 1024x2048 / 256x512, onnxruntime"]
    assert (sizes.measured, sizes.published) == pytest.approx((16.0, 485.4 / 123.5))


def test_the_page_holds_every_report(tmp_path: Path):
    for name in SCRIPTS:
        report().model_copy(update={"title": f"Title of {name}"}).save(tmp_path / f"{name}.json")
    text = page(tmp_path)
    for name in SCRIPTS:
        assert f"## Title of {name}" in text
    (tmp_path / "goals.json").unlink()
    with pytest.raises(SwiftsegError, match=r"cannot read .*goals.json"):
        page(tmp_path)
