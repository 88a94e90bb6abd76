"""Every command of README and docs is run, in its order, in a fresh folder for each page.

Trainings are shortened to an epoch on small frames, measurements to a moment; all else runs as it
stands. What needs hardware, another program or a registry is left out, each for a reason that
`NOT_RUN` states.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import tifffile
import torch
import yaml
from PIL import Image

from swiftseg.data.published.camvid import CAMVID_LABELS
from swiftseg.recipes.recipe_file import shipped_recipes
from swiftseg.weights import shipped_models
from tests.support.annotation_exports import EXPORTS
from tests.support.docs_commands import (
    HAS_ITS_OWN_TEST,
    NOT_RUN,
    PAGES,
    ROOT,
    RUN,
    Step,
    steps_of,
)
from tests.support.multiband import make_multiband
from tests.support.port_lookalikes import tramac_state
from tests.support.tiny_camvid import make_tiny_camvid
from tests.support.videos import write_clip

pytestmark = pytest.mark.slow

SHORT = ("compile=false", "input.size_hw=[64,96]", "batch_size=2", "validate_every=1")
# A file of a few frames need not gain by int8, and then is not written.
REFUSALS = {
    "--precision int8": r"not written: int8 ",
    "--format web": "built without its page, since node and npm were missing",
}
SECONDS = 1200


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in HAS_ITS_OWN_TEST],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_the_commands_of_a_page_work_in_their_order(page: Path, tmp_path: Path):
    steps = steps_of(page)
    make_world(tmp_path, page, steps)
    with Servers(tmp_path) as servers:
        failures = [told for step in steps if (told := run(step, tmp_path, servers))]
    assert not failures, "\n".join(failures)


def test_what_is_not_run_has_a_reason():
    first_words = {
        step.arguments[0]
        for page in PAGES
        for step in steps_of(page)
        if not step.is_python and step.reason is None
    }
    assert first_words <= set(RUN)
    used = {step.reason for page in PAGES for step in steps_of(page)} - {None}
    assert used == set(NOT_RUN.values())


class Servers:
    """Servers that a page starts, each at a port that is free; all are gone in the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[str]] = []
        self.port = free_port()

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def stop(self) -> None:
        while self._started:
            process = self._started.pop()
            process.terminate()
            process.communicate()

    def start(self, arguments: list[str]) -> str:
        """Starts a server in place of the one before; gives why it does not answer, or nothing."""
        self.stop()
        command = [sys.executable, "-m", *arguments]
        if "--port" not in arguments:
            command += ["--port", str(self.port)]
        process = subprocess.Popen(
            command, cwd=self._folder, env=environment(), text=True, stderr=subprocess.PIPE
        )
        self._started.append(process)
        for _ in range(SECONDS):
            if process.poll() is not None:
                self._started.remove(process)
                return process.communicate()[1]
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).close()
            except OSError:
                threading.Event().wait(1)
            else:
                return ""
        return "the server never was ready"


def run(step: Step, folder: Path, servers: Servers) -> str | None:
    """Runs a step; gives it with its error where it fails."""
    if step.reason is not None:
        return None
    if step.is_python:
        return failure(step, [sys.executable, "-c", shortened_python(step.text)], folder)
    arguments = [word.replace("8000", str(servers.port)) for word in step.arguments]
    if arguments[:2] == ["swiftseg", "serve"]:
        error = servers.start(arguments)
        return f"{step.text}: {error}" if error else None
    if arguments[-2:-1] == [">"]:
        command, target = [sys.executable, "-m", *arguments[:-2]], folder / arguments[-1]
        with target.open("w", encoding="utf-8") as file:
            return failure(step, command, folder, stdout=file)
    if arguments[0] == "swiftseg":
        return failure(step, [sys.executable, "-m", *shortened(arguments)], folder)
    if arguments[0] == "curl":
        if shutil.which("curl") is None:
            pytest.skip("needs curl")
        arguments += ["--silent", "--show-error", "--fail-with-body"]
    return failure(step, arguments, folder)


def failure(
    step: Step, command: list[str], folder: Path, *, stdout: IO[str] | int = subprocess.PIPE
) -> str | None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        text=True,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=SECONDS,
    )
    refused = any(
        option in step.text and re.search(pattern, done.stderr, re.DOTALL)
        for option, pattern in REFUSALS.items()
    )
    return None if done.returncode == 0 or refused else f"{step.text}: {done.stderr[-1500:]}"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "ignore"}  # those of other packages, as users see them


def shortened(arguments: list[str]) -> list[str]:
    """Return a command whose training, if it is one, takes an epoch on small frames."""
    if arguments[1] == "benchmark" and "--seconds" not in arguments:
        return [*arguments, "--seconds", "0.1"]
    if arguments[1] not in ("train", "tune"):
        return arguments
    epochs = "2" if "--resume" in arguments else "1"  # a resumed one has had its first
    small = {"--epochs": epochs, "--size": "64x96", "--batch-size": "2", "--trials": "2"}
    for option, value in small.items():
        if option in arguments:
            at = arguments.index(option) + 1
            arguments = [*arguments[:at], value, *arguments[at + 1 :]]
    if "--resume" in arguments:  # with the values that it began with
        return arguments
    copied = {"my_recipe.yaml": "enet_camvid"}.get(arguments[2], arguments[2])
    stages = 1
    if copied in shipped_recipes():
        recipe = ROOT / "src/swiftseg/recipes" / f"{copied}.yaml"
        stages = len(yaml.safe_load(recipe.read_text("utf-8"))["stages"])
    values = [*SHORT, *(f"stages.{stage}.epochs=1" for stage in range(stages))]
    return [*arguments, *(word for value in values for word in ("--set", value))]


def shortened_python(block: str) -> str:
    """Return a block whose trainings take one epoch."""
    block = re.sub(r", epochs=\d+", "", block)
    overrides = [*SHORT, "stages.0.epochs=1"]
    return re.sub(r"(swiftseg\.train\([^)]*)\)", rf"\1, overrides={overrides!r})", block)


def make_world(folder: Path, page: Path, steps: list[Step]) -> None:
    """Makes what the pages take for given: pictures, a video, data, models of one's own."""
    rng = np.random.default_rng(0)
    for name in ("street.jpg", "street.png", "photo.jpg", "holiday/a.jpg", "frames/b.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (96, 128, 3), np.uint8)).save(folder / name)
    write_clip(folder / "drive.mp4", 5, size_hw=(96, 128))
    (folder / "src").symlink_to(ROOT / "src")
    for name, content in re.findall(r"```yaml\n# (\S+)\n(.*?)```", page.read_text(), re.DOTALL):
        (folder / name).write_text(content, "utf-8")
    for name in ("CAMVID", "FEW"):
        frames = {"train": 6, "val": 20, "test": 2}
        make_tiny_camvid(folder / name, size_hw=(90, 120), frames=frames)
    for picture in sorted((folder / "CAMVID").rglob("0001TP_00000[01].png")):  # of another drive
        picture.rename(picture.with_name(picture.name.replace("0001TP", "0016E5")))
    make_own(folder / "my_data", folder / "CAMVID")
    EXPORTS["CVAT"].make(folder / "plants")
    make_multiband(folder / "fields")
    (folder / "scene").mkdir()
    for name in ("red", "green", "blue", "nir"):
        tifffile.imwrite(folder / f"scene/{name}.TIF", np.zeros((20, 30), np.uint16))
    Image.fromarray(rng.integers(0, 256, (600, 900, 3), np.uint8)).save(folder / "map.tif")
    torch.save(tramac_state(19), folder / "fast_scnn_citys.pth")
    text = " ".join(step.text for step in steps)
    if page.name not in ("README.md", "recipes.md") and ("mine" in text or "my-model" in text):
        make_own_models(folder, with_run="runs/mine" in text)
    if page.name == "large-pictures.md":
        (folder / "run").mkdir()
        shutil.copy(shipped_models()["segfast-camvid"], folder / "run/model.onnx")


def make_own(folder: Path, camvid: Path) -> None:
    """Arranges CamVid's frames as a user does, its classes named in a dataset.yaml."""
    for split in ("train", "val"):
        shutil.copytree(camvid / split, folder / "images" / split)
        shutil.copytree(camvid / f"{split}annot", folder / "masks" / split)
    (folder / "dataset.yaml").write_text(
        yaml.safe_dump({"names": list(CAMVID_LABELS.names), "ignore_index": 11}), "utf-8"
    )


def make_own_models(folder: Path, *, with_run: bool) -> None:
    """Puts models of one's own where some pages name them, one of them a training's."""
    model = shipped_models()["segfast-camvid"]
    if with_run:
        line = "swiftseg train enet --data my_data --out runs/mine"
        command = [sys.executable, "-m", *shortened(line.split())]
        told = failure(Step(line), command, folder)
        assert told is None, told
        model = folder / "runs/mine/model.onnx"
    (folder / "models").mkdir()
    for name in ("a.onnx", "b.onnx", "my-model.onnx", "mine.onnx", "models/mine.onnx"):
        shutil.copy(model, folder / name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
