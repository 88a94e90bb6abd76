import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.speed_report import load_report
from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model

QUICK = ("--seconds", "0.01", "--threads", "1")


@pytest.fixture(autouse=True)
def one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swiftseg.benchmarking.benchmark_models.PASSES", 1)
    monkeypatch.setenv("COLUMNS", "120")


def test_an_exported_file_is_measured(capsys, tmp_path: Path):
    model = write_shade_model(tmp_path / "shades.onnx")
    written = tmp_path / "out/speed.json", tmp_path / "speed.svg"

    outcome = run_cli(
        capsys,
        *("benchmark", model, "--size", "24x32", "--stages", *QUICK),
        *("--json", written[0], "--plot", written[1]),
    )

    assert outcome.code == 0
    for told in ("shades", "onnxruntime f32", "24x32", "p50 ms", "network", "color", "start-up"):
        assert told in outcome.out
    [measurement] = load_report(written[0]).measurements
    assert (measurement.name, measurement.size_hw) == ("shades.onnx", (24, 32))
    assert measurement.file_bytes == model.stat().st_size
    assert [part.streams for part in measurement.throughput] == [1]
    assert ElementTree.parse(written[1]).getroot().tag.endswith("svg")


def test_engines_stand_side_by_side(capsys, tmp_path: Path):
    model = write_shade_model(tmp_path / "shades.onnx")
    out = tmp_path / "speed.json"
    arguments = ("--backend", "onnxruntime,openvino", "--json", out)
    outcome = run_cli(capsys, "benchmark", model, *arguments, *QUICK)
    assert outcome.code == 0
    ways = [measurement.way for measurement in load_report(out).measurements]
    assert ways == ["onnxruntime", "openvino"]


def test_a_network_is_measured_with_random_weights(capsys, tmp_path: Path):
    out = tmp_path / "speed.json"
    outcome = run_cli(
        capsys, "benchmark", "segfast", "--training", "--size", "32x48", "--json", out, *QUICK
    )
    assert outcome.code == 0
    [measurement] = json.loads(out.read_text())["measurements"]
    assert list(measurement["stages_ms"]) == ["forward", "backward"]
    assert (measurement["weights"], measurement["parameters"]) == ("random", 603_539)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("segfas",), "unknown model or network 'segfas'; did you mean segfast"),
        (("enet-camvid", "--backend", "onnx"), "unknown backend 'onnx'"),
        (("enet-camvid", "--threads", "999"), "threads, one a CPU here, got 999"),
        (("enet-camvid", "--size", "big"), "expected --size as HEIGHTxWIDTH"),
        (("enet-camvid", "--seconds", "0"), "expected --seconds above 0"),
        (("enet-camvid", "--plot", "speed.png"), "expected a file name that ends in .svg"),
        (("any.onnx", "--training"), "any.onnx is exported"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(capsys, arguments: tuple[str, ...], told: str):
    outcome = run_cli(capsys, "benchmark", *arguments)
    assert outcome.code == 2
    lines = [line for line in outcome.err.splitlines() if not line.startswith("warning")]
    assert len(lines) == 1
    assert told in lines[0]


def test_torch_runs_no_exported_file(capsys, tmp_path: Path):
    model = write_shade_model(tmp_path / "shades.onnx")
    outcome = run_cli(capsys, "benchmark", model, "--backend", "torch", *QUICK)
    assert outcome.code == 2
    assert "torch runs networks and checkpoints" in outcome.err
