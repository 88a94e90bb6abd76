import subprocess
import sys

import pytest
import typer.main

import swiftseg
from swiftseg.cli import main as command_line
from swiftseg.core import UsageError
from tests.support.command_line import run_cli

DEPLOYMENT = [
    "core",
    "data",
    "metrics",
    "render",
    "runtimes",
    "inference",
    "evaluation",
    "benchmarking",
    "cluster",
    "kernels",
    "labeling",
    "prediction",
    "recipes",
    "runs",
    "server",
    "web",
    "weights",
]


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.fixture
def failing(monkeypatch):
    """Makes the command line's app raise what the test hands in."""

    def install(error):
        def app(arguments, prog_name):
            raise error

        monkeypatch.setattr(command_line, "app", app)

    return install


def test_the_version_is_told(capsys):
    outcome = run_cli(capsys, "--version")
    assert (outcome.code, outcome.out) == (0, f"swiftseg {swiftseg.__version__}\n")


def test_help_names_every_command(capsys):
    outcome = run_cli(capsys, "--help")
    assert outcome.code == 0
    for name in command_line.COMMANDS:
        assert name in outcome.out


def test_the_help_of_an_option_fits_one_line_of_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    group = typer.main.get_command(command_line.app)
    commands = {**group.commands, **group.commands["data"].commands}
    del commands["data"]
    for name, command in commands.items():
        path = ["data", name] if name in group.commands["data"].commands else [name]
        lines = run_cli(capsys, *path, "--help").out.splitlines()
        for parameter in command.params:
            told = str(parameter.help)
            assert any(told in line for line in lines), f"{name}: {told}"


def test_an_unknown_command_is_a_usage_error(capsys):
    outcome = run_cli(capsys, "predikt")
    assert outcome.code == 2
    assert "predict" in outcome.err


def test_a_users_error_is_one_line_with_its_code(capsys, failing):
    failing(UsageError("unknown x"))
    outcome = run_cli(capsys, "predict")
    assert (outcome.code, outcome.out, outcome.err) == (2, "", "error: unknown x\n")


def test_what_the_system_refuses_is_one_line_with_the_file(capsys, tmp_path):
    folder = tmp_path / ("x" * 300)
    outcome = run_cli(capsys, "data", "check", folder)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.endswith(f"{folder.name}: File name too long\n")
    assert outcome.err.count("\n") == 1


def test_an_unexpected_error_is_one_line_and_points_to_debug(capsys, failing):
    failing(ZeroDivisionError("by\nzero"))
    outcome = run_cli(capsys, "predict")
    expected = "error: unexpected ZeroDivisionError: by (--debug shows where)\n"
    assert (outcome.code, outcome.out, outcome.err) == (1, "", expected)


def test_debug_anywhere_shows_the_traceback(capsys, failing):
    failing(UsageError("unknown x"))
    outcome = run_cli(capsys, "predict", "--debug", "x")
    assert outcome.code == 2
    assert outcome.err.startswith("Traceback")
    assert outcome.err.endswith("error: unknown x\n")


def test_ctrl_c_ends_with_130(capsys, monkeypatch, tmp_path):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("swiftseg.runtimes.read_spec", interrupt)
    monkeypatch.setattr("swiftseg.weights.shipped_models", lambda: {"a": tmp_path})
    assert run_cli(capsys, "models").code == 130


def test_the_command_line_and_the_segmenter_never_meet_torch():
    done = run_python(
        "import swiftseg, sys; swiftseg.Segmenter; import swiftseg.cli.main; "
        "import swiftseg.prediction.outputs; assert 'torch' not in sys.modules"
    )
    assert done.returncode == 0, done.stderr


def test_help_imports_no_engine():
    done = run_python(
        "import sys\nfrom swiftseg.cli.main import main\ntry: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'onnxruntime', 'openvino', 'av', 'PIL'} & set(sys.modules)"
    )
    assert done.returncode == 0, done.stderr


# What needs torch or TensorRT, and the kernels, which are a library but no module.
NO_MODULES_HERE = (
    "swiftseg.cluster.tuning",
    "swiftseg.runtimes.torch_backend",
    "swiftseg.runtimes.tensorrt_engine",
    "swiftseg.benchmarking.torch_networks",
    "swiftseg.runtimes.executorch_engine",
    "swiftseg.runtimes.litert_engine",
    "swiftseg.kernels.native.libswiftseg",
)


def test_the_deployment_half_works_where_torch_cannot_be_imported():
    done = run_python(
        "import importlib, pkgutil, sys\n"
        "sys.modules['torch'] = sys.modules['torchvision'] = None\n"
        f"for name in {DEPLOYMENT}:\n"
        "    package = importlib.import_module(f'swiftseg.{name}')\n"
        "    for module in pkgutil.walk_packages(package.__path__, f'swiftseg.{name}.'):\n"
        f"        if module.name not in {NO_MODULES_HERE}:\n"
        "            importlib.import_module(module.name)\n"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "enet"],
        ["export", "enet-camvid", "--out", "model.onnx"],
        ["import", "weights.pth", "--as", "enet", "--out", "weights.safetensors"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_without_torch_names_the_extra(arguments: list[str]):
    done = run_python(
        "import sys; sys.modules['torch'] = None\n"
        f"from swiftseg.cli.main import main; main({arguments})"
    )
    assert done.returncode == 1
    expected = f"error: swiftseg {arguments[0]} needs an extra: pip install 'swiftseg[train]'\n"
    assert done.stderr == expected


def test_a_network_without_torch_names_the_extra():
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from swiftseg import SwiftsegError\n"
        "try:\n    from swiftseg import create_model\n"
        "except SwiftsegError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    expected = "swiftseg.create_model needs an extra: pip install 'swiftseg[train]'\n"
    assert (done.stdout, done.stderr) == (expected, "")
