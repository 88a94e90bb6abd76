"""Triton's model repository."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from swiftseg.core import OutputKind, SwiftsegError
from swiftseg.exporting.triton import export_triton
from tests.support.command_line import run_cli
from tests.support.exported import write_shade_model
from tests.support.triton_config import data_type_name, parse_config

NUMPY_TYPES = {"TYPE_UINT8": np.uint8, "TYPE_FP32": np.float32}


@pytest.mark.parametrize("output", ["labels", "logits", "probs"])
def test_the_configuration_describes_the_file(tmp_path: Path, output: OutputKind) -> None:
    model = write_shade_model(tmp_path / "m.onnx", output=output)
    folder = export_triton(model, tmp_path / "repository")
    assert folder == tmp_path / "repository/shades"
    config = parse_config((folder / "config.pbtxt").read_text())
    assert (config.name, config.backend) == ("shades", "onnxruntime")
    frames = np.zeros((config.max_batch_size, *config.input[0].dims), dtype=np.uint8)
    assert data_type_name(config.input[0].data_type) == "TYPE_UINT8"
    session = ort.InferenceSession(folder / "1/model.onnx")
    outputs = session.run(None, {config.input[0].name: frames})
    assert [o.name for o in config.output] == [o.name for o in session.get_outputs()]
    for described, array in zip(config.output, outputs, strict=True):
        assert array.shape == (config.max_batch_size, *described.dims)
        assert array.dtype == NUMPY_TYPES[data_type_name(described.data_type)]
    assert config.HasField("dynamic_batching")


def test_a_model_that_is_there_stays(tmp_path: Path) -> None:
    model = write_shade_model(tmp_path / "m.onnx")
    export_triton(model, tmp_path)
    with pytest.raises(SwiftsegError, match="shades exists"):
        export_triton(model, tmp_path)


def test_the_command_says_how_to_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = write_shade_model(tmp_path / "m.onnx")
    out = tmp_path / "repository"
    outcome = run_cli(capsys, "export", model, "--format", "triton", "--out", out)
    assert outcome.code == 0
    assert f"tritonserver --model-repository {out}" in outcome.out
    assert (out / "shades/1/model.onnx").read_bytes() == model.read_bytes()
