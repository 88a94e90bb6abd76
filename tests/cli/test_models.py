import json

import pytest

from benchmarks.network_table import count_gmacs, count_parameters, network_table
from swiftseg.core.networks import NETWORK_TABLE
from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model


def test_the_committed_table_is_what_the_networks_count():
    committed = json.loads(NETWORK_TABLE.read_text())
    assert committed == network_table(), "run `python benchmarks/network_table.py`"


def test_enet_counts_as_the_paper_sheet_says():
    assert count_parameters("enet", num_classes=20) == 364_712
    gflops = 2 * count_gmacs("enet", num_classes=20, size_hw=(360, 640))
    assert gflops == pytest.approx(3.455, abs=0.0006)


def test_json_lists_networks_and_weights(capsys, tmp_path, monkeypatch):
    shipped = {"shades": write_shade_model(tmp_path / "shades.onnx")}
    monkeypatch.setattr("swiftseg.weights.shipped_models", lambda: shipped)

    outcome = run_cli(capsys, "models", "--json")

    listed = json.loads(outcome.out)
    assert outcome.code == 0
    assert "enet" in [network["name"] for network in listed["networks"]]
    [weights] = listed["weights"]
    assert weights["name"] == "shades"
    assert weights["metrics"] == {"val/mean_iou": 0.5}
    assert weights["size_hw"] == [12, 16]


def test_the_tables_name_both(capsys, tmp_path, monkeypatch):
    shipped = {"shades": write_shade_model(tmp_path / "shades.onnx")}
    monkeypatch.setattr("swiftseg.weights.shipped_models", lambda: shipped)
    monkeypatch.setenv("COLUMNS", "200")

    outcome = run_cli(capsys, "models")

    assert outcome.code == 0
    for text in ("enet", "364,647", "arXiv:1606.02147", "shades", "val/mean_iou 0.500"):
        assert text in outcome.out


def test_the_papers_figures_stand_beside_ours_where_they_fit(capsys, monkeypatch):
    monkeypatch.setattr("swiftseg.weights.shipped_models", dict)
    for columns, wide in (("130", True), ("80", False)):
        monkeypatch.setenv("COLUMNS", columns)
        out = run_cli(capsys, "models").out
        assert ("29.46 M" in out) == wide
        assert max(map(len, out.splitlines())) <= int(columns)
        for text in ("29,453,971", "56.2", "325.55", "arXiv:1511.00561"):
            assert text in out
