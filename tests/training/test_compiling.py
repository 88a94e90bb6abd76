"""A training whose compiled code is broken, or that is stopped while it compiles."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch._dynamo.exc import BackendCompilerFailed

from swiftseg.core import SwiftsegError
from swiftseg.training.compiling import CACHE_VARIABLE, FOLDER, compiling_step, keep_compiled_code
from swiftseg.training.stopping import StopRequest
from tests.support.broken_datasets import make_good

NOTHING = torch.zeros(1)


class FailingSteps:
    """Steps of which the first ones fail as a compiler would, and that draw a random number."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures, self.error, self.drawn = failures, error, list[float]()
        self.optimizer = SimpleNamespace(zero_grad=lambda: None)

    def run_step(self, *given: object, stop: bool) -> tuple[float, bool]:
        self.drawn.append(float(torch.rand(())))
        if len(self.drawn) <= self.failures:
            raise self.error
        return 0.5, False


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    keep_compiled_code()
    folder = tmp_path / "swiftseg" / FOLDER
    assert os.environ[CACHE_VARIABLE] == str(folder)
    folder.mkdir()
    (folder / "half.so").write_bytes(b"\x7fELF")
    return folder


def take(steps: FailingSteps) -> tuple[float, bool]:
    with StopRequest() as request:
        return compiling_step(steps, NOTHING, NOTHING, request)  # type: ignore[arg-type]


def test_broken_code_is_removed_and_compiled_again(cache: Path, capsys: pytest.CaptureFixture[str]):
    steps = FailingSteps(1, ImportError("half.so: cannot read file data"))
    assert take(steps) == (0.5, False)
    assert not cache.exists()
    assert steps.drawn[0] == steps.drawn[1]  # the step sees the random numbers it would have seen
    assert capsys.readouterr().err == (
        "warning: compiled code of an earlier run is broken (half.so: cannot read file data); it "
        "is compiled again\n"
    )


def test_what_the_compiler_raised_is_told_and_not_torch_s_hints(
    cache: Path, capsys: pytest.CaptureFixture[str]
):
    compiled = torch.compile(lambda x: x + 1, backend=lambda graph, given: {}["half.so"])
    with pytest.raises(BackendCompilerFailed) as caught:
        compiled(NOTHING)
    take(FailingSteps(1, caught.value))
    assert "is broken ('half.so'); it is compiled again" in capsys.readouterr().err


def test_what_cannot_be_compiled_is_trained_without(
    cache: Path, capsys: pytest.CaptureFixture[str]
):
    assert take(FailingSteps(2, RuntimeError("g++: no such option"))) == (0.5, False)
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith("(g++: no such option); the training goes on without it, as with "
                         "--no-compile")  # fmt: skip
    compiled = torch.compile(lambda x: x + 1, backend=lambda graph, given: 1 / 0)
    assert compiled(NOTHING) == 1  # nobody compiles any more
    keep_compiled_code()  # as the next training does


def test_what_is_no_compiler_s_fault_is_told(cache: Path):
    with pytest.raises(ValueError, match="a shape"):
        take(FailingSteps(3, ValueError("a shape")))
    with pytest.raises(SwiftsegError, match="a file"):
        take(FailingSteps(1, SwiftsegError("a file")))
    keep_compiled_code()


def command(data: Path, out: Path) -> list[str]:
    options = ["--epochs", "1", "--batch-size", "2", "--size", "32x32", "--compile"]
    train = [sys.executable, "-m", "swiftseg", "train", "fast_scnn", "--data", str(data)]
    return [*train, "--out", str(out), *options]


@pytest.mark.slow
def test_half_written_code_of_a_killed_training_is_noticed(tmp_path: Path):
    data, cache = make_good(tmp_path / "field"), tmp_path / "cache"
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    environment.pop(CACHE_VARIABLE, None)
    for run, told in (("one", False), ("two", True)):
        done = subprocess.run(
            command(data, tmp_path / run), env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert ("compiled code of an earlier run is broken" in done.stderr) == told
        for library in cache.rglob("*.so"):
            os.truncate(library, 100)


@pytest.mark.slow
def test_ctrl_c_while_it_compiles_ends_with_130(tmp_path: Path):
    data, cache = make_good(tmp_path / "field"), tmp_path / "cache"
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    environment.pop(CACHE_VARIABLE, None)
    process = subprocess.Popen(
        command(data, tmp_path / "run"),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        while process.poll() is None and not list(cache.rglob("*.cpp")):
            time.sleep(0.1)  # until the compiler is at work
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, told = process.communicate()
    assert process.returncode == 130, told
    assert told.splitlines()[-1].startswith("error: stopped in epoch 1 of stage full; ")
    assert "Traceback" not in told
