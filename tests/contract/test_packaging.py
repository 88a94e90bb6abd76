import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from safetensors import safe_open
from safetensors.torch import load_file
from trove_classifiers import classifiers

import swiftseg
from swiftseg.layers.tensor_digest import digest_of
from swiftseg.layers.tensor_file import DIGEST_KEY
from swiftseg.runtimes.model_file import sealed
from swiftseg.weights import shipped_models, shipped_weights

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/swiftseg"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
KERNEL = "kernels/native/libswiftseg.so"
TORCH = {"torch", "torchvision", "accelerate", "onnx", "onnxscript"}


def requirements() -> list[Requirement]:
    """Everything that base and extras ask for, swiftseg's own extras left out."""
    parts = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    asked = [Requirement(line) for part in parts for line in part]
    return [requirement for requirement in asked if requirement.name != "swiftseg"]


def build_wheel(folder: Path, *, sources: Path = ROOT, **environment: str) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    environment = {**os.environ, **environment}
    subprocess.run(build, cwd=sources, check=True, capture_output=True, env=environment)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as file:
        yield file


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"swiftseg", f"swiftseg-{swiftseg.__version__}.dist-info"}


def test_the_wheel_holds_what_is_no_python(wheel: zipfile.ZipFile):
    data = {
        path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    expected = {f"swiftseg/{path.relative_to(PACKAGE).as_posix()}" for path in data}
    assert {"swiftseg/py.typed", "swiftseg/recipes/enet_camvid.yaml"} <= expected
    assert expected <= set(wheel.namelist())


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_a_wheel_with_the_kernel_is_for_any_python_on_this_platform(wheel: zipfile.ZipFile):
    assert f"swiftseg/{KERNEL}" in wheel.namelist()
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert Path(str(wheel.filename)).stem.endswith(f"-py3-none-{platform}")


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_the_wheel_holds_the_page_that_node_builds(wheel: zipfile.ZipFile):
    names = [name.removeprefix("swiftseg/web/page/") for name in wheel.namelist()]
    assert {"index.html", "service_worker.js", "sample.webp"} <= set(names)
    assert [name for name in names if re.fullmatch(r"ort-[\d.]+/ort-wasm.*\.wasm\.gz", name)]
    assert [name for name in names if re.fullmatch(r"assets/upsample_argmax-.*\.wasm", name)]


@pytest.mark.parametrize("compiler", ["no-such-compiler", "false"])
def test_without_a_compiler_the_wheel_is_pure_and_labels_all_the_same(
    compiler: str, tmp_path: Path
):
    path = build_wheel(tmp_path, CC=compiler, NPM="")
    assert path.stem.endswith("-py3-none-any")
    with zipfile.ZipFile(path) as file:
        assert f"swiftseg/{KERNEL}" not in file.namelist()
        file.extractall(tmp_path / "site")
    script = (
        "import numpy as np\n"
        "from swiftseg.kernels import native\n"
        "from swiftseg.kernels.upsample_argmax import upsample_argmax\n"
        "scores = np.eye(3, dtype=np.float32).reshape(1, 3, 1, 3)\n"
        "print(native.is_available(), upsample_argmax(scores, (1, 6)).tolist(), native.__file__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"False [[[0, 0, 1, 1, 2, 2]]] {tmp_path}")


def test_what_the_container_image_is_built_from_is_enough_for_the_wheel(
    wheel: zipfile.ZipFile, tmp_path: Path
):
    context = tmp_path / "context"
    context.mkdir()
    for line in (ROOT / ".dockerignore").read_text("utf-8").split():
        if line.startswith("!"):
            (context / line[1:]).symlink_to(ROOT / line[1:])
    with zipfile.ZipFile(build_wheel(tmp_path, sources=context, CC="", NPM="")) as file:
        missing = set(wheel.namelist()) - set(file.namelist())
    assert {name for name in missing if "/web/page/" not in name} <= {f"swiftseg/{KERNEL}"}


def test_the_license_travels_with_the_wheel(wheel: zipfile.ZipFile):
    [path] = [name for name in wheel.namelist() if name.endswith("/LICENSE")]
    assert "Apache License" in wheel.read(path).decode()


def test_the_base_package_asks_for_no_torch(wheel: zipfile.ZipFile):
    [path] = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    asked = Parser().parsestr(wheel.read(path).decode()).get_all("Requires-Dist") or []
    base = {requirement.name for requirement in map(Requirement, asked) if not requirement.marker}
    assert "onnxruntime" in base
    assert not base & TORCH


def test_pypi_shows_no_link_that_leads_nowhere(wheel: zipfile.ZipFile):
    [path] = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    metadata = Parser().parsestr(wheel.read(path).decode())
    readme = metadata.get_payload()
    assert isinstance(readme, str)
    assert readme.startswith("# swiftseg")
    assert re.findall(r"\]\((?!https?://|#)", readme) == []
    assert metadata.get_all("Project-URL") is None  # until there is an address


def test_classifiers_are_those_that_pypi_knows():
    assert set(PROJECT["classifiers"]) <= classifiers


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert swiftseg.__version__ == PROJECT["version"] == citation["version"]


# Need a GPU of their maker's, another torch, or gigabytes: tried in an environment apart.
UNTESTED = {
    "mlflow",
    "wandb",
    "tensorrt",
    "cuda-python",
    "litert-torch",
    "ai-edge-litert",
    "ai-edge-quantizer",
    "executorch",
    "coremltools",
}


def test_the_tested_versions_are_those_asked_for():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    tested = [asked for asked in requirements() if asked.name not in UNTESTED]
    assert {requirement.name for requirement in tested} <= set(pinned)
    for requirement in tested:
        assert requirement.specifier.contains(pinned[requirement.name]), requirement


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_shipped_weights_are_small_and_have_a_card(name: str):
    path = shipped_models()[name]
    assert path.stat().st_size < 6_000_000
    card = path.with_suffix(".md").read_text("utf-8")
    for told in ("swiftseg train", "seed", "licen[sc]e", "mIoU"):
        assert re.search(told, card, re.IGNORECASE), f"{name}.md says nothing of {told}"


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_shipped_weights_carry_a_true_digest(name: str):
    path = shipped_models()[name]
    assert sealed(path.read_bytes()) == path.read_bytes(), "run `benchmarks/seal_weights.py`"
    path = shipped_weights()[name]
    with safe_open(path, framework="pt") as file:
        assert file.metadata()[DIGEST_KEY] == digest_of(load_file(path))


def test_no_file_is_large():
    folders = [ROOT / name for name in ("src", "tests", "docs", "benchmarks")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    kept = [path for path in files if PACKAGE / "web/page" not in path.parents]  # that one is built
    assert [path for path in kept if path.stat().st_size > 10_000_000] == []
