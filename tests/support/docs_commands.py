"""The commands in a page's code blocks, in their order, and why some are not run."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "docs/index.md",
    *sorted((ROOT / "docs/how-to").glob("*.md")),
    *sorted((ROOT / "docs/tutorials").glob("*.md")),
]

HAS_ITS_OWN_TEST = {"several-data-sets.md": "tests/e2e/test_several_data_sets.py"}

RUN = ("swiftseg", "cp", "curl")  # what a line of commands begins with
# The others, by how they begin, each with the reason why it is not run.
NOT_RUN = {
    "make ": "installs gigabytes; the targets are looked up by tests/contract/test_readme.py",
    "pip install": "asks a package registry; tests/e2e/test_base_install.py installs the base",
    "python3 -m venv": "belongs to an installation",
    "python -m http.server": "serves until it is stopped, and is Python's own",
    "sudo ": "installs into the system",
    "CC=": "needs a cross compiler; tests/kernels/test_other_machines.py compiles",
    "cd env/": "belongs to an installation",
    "rm -r web/page": "belongs to an installation",
    "cd web": "needs npm packages; tests/web builds the page",
    "docker ": "needs Docker",
    "torchrun": "needs several GPUs or machines",
    "trtexec": "needs TensorRT and NVIDIA's GPU",
    "tritonserver": "needs NVIDIA's Triton server",
    "#!/bin/bash": "a script for Slurm",
    "swiftseg predict camera:": "needs a camera",
    "swiftseg predict rtsp://": "needs a camera in the network",
    "swiftseg train shelfnet50_cityscapes": "needs Cityscapes and several GPUs",
    "swiftseg pretrain fast_scnn": "needs ImageNet; tests/training/test_pretraining.py has a tree",
    "swiftseg train fast_scnn_cityscapes_imagenet": "needs Cityscapes and days on a GPU",
    "swiftseg label s3://": "needs a bucket; tests/labeling/test_object_store.py has one",
    "RAY_USAGE_STATS_ENABLED=0 ray start": "starts daemons that outlive the page",
    "swiftseg label frames/ --out labels --address auto": "needs the Ray that such a line starts",
}


@dataclass(frozen=True)
class Step:
    """A command, or a block of Python.

    Attributes:
        text: As the page has it, on one line and without its comment; Python as it stands.
        is_python: What it is.
    """

    text: str
    is_python: bool = False

    @property
    def arguments(self) -> list[str]:
        return shlex.split(self.text)

    @property
    def reason(self) -> str | None:
        """Why it is not run; None where it is."""
        if self.is_python:
            return None
        return next((why for begin, why in NOT_RUN.items() if self.text.startswith(begin)), None)


def steps_of(page: Path) -> list[Step]:
    """Return what a page tells to type, each once."""
    text = page.read_text("utf-8")
    found: dict[Step, None] = {}
    for language, block in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL):
        if language == "python":
            found[Step(block, is_python=True)] = None
        elif language in ("", "bash") and is_commands(block):
            found |= dict.fromkeys(lines_of(block))
    return list(found)


def is_commands(block: str) -> bool:
    """Whether a block's first line is a command, and not a table or a tree of files."""
    return block.startswith((*(f"{name} " for name in RUN), *NOT_RUN))


def lines_of(block: str) -> Iterator[Step]:
    if block.startswith("#!"):
        yield Step(block)
        return
    for line in block.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield Step(line[: end_of(line)].strip())


def end_of(line: str) -> int:
    """Return where the comment of a line begins."""
    whole = shlex.split(line, comments=True)
    places = [match.start() for match in re.finditer(r"\s#", line)]
    return next((at for at in places if shlex.split(line[:at]) == whole), len(line))
