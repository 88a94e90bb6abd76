from pathlib import Path

import torch

from tests.support import port_lookalikes as ports
from tests.support.command_line import run_cli
from tests.support.imported import load_imported


def test_a_port_becomes_weights_and_a_summary(capsys, tmp_path: Path):
    torch.save({"state_dict": ports.tramac_state(6)}, tmp_path / "port.pth")
    out = tmp_path / "weights.safetensors"

    outcome = run_cli(capsys, "import", tmp_path / "port.pth", "--as", "fast_scnn", "--out", out)

    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "fast_scnn, 6 classes, variant=port"
    assert lines[1] == "from: github.com/Tramac/Fast-SCNN-pytorch"
    assert sum(line.startswith("deviates: ") for line in lines) == 4
    assert sum(line.startswith("bridged: feature_fusion.") for line in lines) == 2
    assert "left out, used in training only: auxlayer.4.weight" in lines
    frame = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        expected = ports.tramac_logits(ports.tramac_state(6), frame)
        torch.testing.assert_close(load_imported(out)(frame), expected, rtol=1e-4, atol=1e-4)


def test_every_misfit_is_listed_and_nothing_is_written(capsys, tmp_path: Path):
    state = ports.onera_state(3)
    state["extra.weight"] = torch.zeros(2)
    del state["bn53.running_var"]
    torch.save(state, tmp_path / "port.pth")
    out = tmp_path / "weights.safetensors"

    outcome = run_cli(capsys, "import", tmp_path / "port.pth", "--as", "segnet", "--out", out)

    assert outcome.code == 1
    assert "no home: extra.weight (2,)" in outcome.out
    assert "missing: encoder.4.convs.2.1.running_var (512,)" in outcome.out
    assert outcome.err.count("\n") == 1
    assert not out.exists()


def test_wrong_names_are_usage_errors(capsys, tmp_path: Path):
    torch.save({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "port.pth")
    out = ("--out", tmp_path / "weights.safetensors")
    outcome = run_cli(capsys, "import", tmp_path / "port.pth", "--as", "segnett", *out)
    assert (outcome.code, outcome.out) == (2, "")
    assert "did you mean segnet" in outcome.err
    outcome = run_cli(capsys, "import", tmp_path / "port.pth", "--as", "fcn8s", *out)
    assert (outcome.code, outcome.out) == (2, "")
    assert "--port wkentaro or wkentaro-at-once" in outcome.err
