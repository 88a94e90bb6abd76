from pathlib import Path

import torch
from PIL import Image

from swiftseg.data.published.cityscapes import CITYSCAPES_LABELS
from swiftseg.runtimes import read_spec
from swiftseg.trained import load_trained
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


def test_import_predict_and_export_in_a_row(capsys, tmp_path: Path):
    torch.save(ports.tramac_state(19), tmp_path / "port.pth")
    out, frame = tmp_path / "weights.safetensors", tmp_path / "street.png"
    Image.new("RGB", (64, 48)).save(frame)
    imported = run_cli(capsys, "import", tmp_path / "port.pth", "--as", "fast_scnn", "--out", out)
    assert "classes: road, sidewalk, building," in imported.out  # what the port has published
    assert imported.out.splitlines()[-2] == "input: 1024x2048; --size takes another"
    options = ("--as", "fast_scnn", "--labels", "cityscapes", "--size", "64x96")
    imported = run_cli(capsys, "import", tmp_path / "port.pth", *options, "--out", out)
    assert imported.out.splitlines()[-1] == f"next: swiftseg predict IMAGE --model {out}"
    predicted = run_cli(capsys, "predict", frame, "--model", out, "--out", tmp_path / "out")
    assert predicted.code == 0, predicted.err
    assert (tmp_path / "out/labels/street.png").is_file()
    exported = run_cli(capsys, "export", out, "--out", tmp_path / "port.onnx")
    assert exported.code == 0, exported.err
    assert read_spec(tmp_path / "port.onnx").labels == CITYSCAPES_LABELS


def test_classes_that_nobody_names_are_numbered(capsys, tmp_path: Path):
    torch.save(ports.tramac_state(11), tmp_path / "port.pth")
    out = tmp_path / "weights.safetensors"
    imported = run_cli(capsys, "import", tmp_path / "port.pth", "--as", "fast_scnn", "--out", out)
    assert "import again with --labels: camvid, a file with a name a line" in imported.out
    assert load_trained(out)[1].labels.names[:2] == ("class_0", "class_1")


def test_unknown_normalization_is_asked_for(capsys, tmp_path: Path):
    torch.save(ports.onera_state(3), tmp_path / "port.pth")
    out = tmp_path / "weights.safetensors"
    common = ("import", tmp_path / "port.pth", "--as", "segnet", "--out", out)
    asked = run_cli(capsys, *common).out.splitlines()[-1]
    assert asked.endswith("import it again with --normalization imagenet, plain or caffe")
    refused = run_cli(capsys, "export", out, "--out", tmp_path / "port.onnx")
    assert refused.code == 1
    assert "--normalization imagenet, plain or caffe" in refused.err
    assert "next: swiftseg predict" in run_cli(capsys, *common, "--normalization", "plain").out
