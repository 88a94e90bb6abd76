import json
import subprocess
import venv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swiftseg.data.toy_street import ToyStreet

ROOT = Path(__file__).parents[2]
LIMIT_BYTES = 300_000_000


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the base package alone, installed as a user does."""
    folder = tmp_path_factory.mktemp("base") / "venv"
    venv.create(folder, with_pip=True)
    install = [folder / "bin/python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "-c", ROOT / "constraints.txt", ROOT], check=True)
    return folder


def swiftseg(environment: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [environment / "bin/swiftseg", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_base_package_is_small_and_knows_no_torch(environment: Path):
    files = [path for path in environment.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) < LIMIT_BYTES
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is not None)"
    subprocess.run([environment / "bin/python", "-c", look], check=True)


@pytest.mark.slow
def test_the_base_package_segments_an_image(environment: Path, tmp_path: Path):
    sample = ToyStreet("test", 1)[0]
    Image.fromarray(sample.image).save(tmp_path / "street.png")
    arguments = ["predict", "street.png", "--json", "--model", "enet-toystreet"]
    done = swiftseg(environment, tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    [result] = json.loads(done.stdout)["results"]
    label_map = np.array(Image.open(tmp_path / result["files"]["labels"]))
    assert (label_map == sample.mask).mean() > 0.8


@pytest.mark.slow
def test_training_without_its_extra_names_it(environment: Path, tmp_path: Path):
    done = swiftseg(environment, tmp_path, "train", "enet_toystreet")
    assert done.returncode == 1
    assert done.stderr == "error: swiftseg train needs an extra: pip install 'swiftseg[train]'\n"
