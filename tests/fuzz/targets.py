"""What is fuzzed: each target reads bytes as one of swiftseg's readers would find them in a file.

A target may raise `SwiftsegError` in one line, and nothing else. It leaves only `folder` changed.
"""

import contextlib
import io
import os
import shutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from swiftseg.core import ModelSpec, SwiftsegError
from tests.support import annotation_exports as exports

Target = Callable[[bytes, Path], None]

RUN = Path(__file__).parents[1] / "files" / "run"
RUN_FILES = ("recipe.yaml", "metrics.csv", "state.json", "environment.json")
# The stages of that run; its own recipe takes ten times as long to read.
SHORT_RECIPE = """training_data: none
num_classes: 11
stages: [{name: encoder, network: enet, epochs: 1}, {name: full, network: enet, epochs: 2}]
"""
MASK_SUFFIXES = (".png", ".tif", ".npy", ".npz", ".mat", ".bmp", ".gif")
# Commands that neither serve, train nor measure; `argv` leaves paths out, so that they stay here.
COMMANDS = ("predict", "evaluate", "report", "runs", "models", "data", "export")


def picture(data: bytes, folder: Path) -> None:
    from swiftseg.data.images.image_file import decode_image

    if len(data) > 1:
        decode_image(data, max_pixels=1_000_000)


def mask(data: bytes, folder: Path) -> None:
    """The first byte chooses the kind of file."""
    from swiftseg.data.images.image_file import read_mask

    path = folder / f"mask{MASK_SUFFIXES[data[0] % len(MASK_SUFFIXES)]}"
    path.write_bytes(data[1:])
    read_mask(path)


def matlab(data: bytes, folder: Path) -> None:
    from swiftseg.data.images.matlab_file import read_matlab_arrays

    path = folder / "mask.mat"
    path.write_bytes(data)
    read_matlab_arrays(path)


def dataset_yaml(data: bytes, folder: Path) -> None:
    from swiftseg.data.own.dataset_file import read_dataset_file

    path = folder / "dataset.yaml"
    path.write_bytes(data)
    read_dataset_file(path)


ANNOTATIONS: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "coco": (lambda root: exports.make_coco(root, 2), "annotations/*.json"),
    "labelme": (lambda root: exports.make_labelme(root, 2), "**/*.json"),
    "cvat": (lambda root: exports.make_cvat(root, 2), "**/*.xml"),
    "yolo": (lambda root: exports.make_yolo(root, 2), "**/*.txt"),
    "label_studio": (lambda root: exports.make_label_studio(root, 2), "*.json"),
    "supervisely": (lambda root: exports.make_supervisely(root, 2), "**/ann/*.json"),
    "voc_labelmap": (lambda root: exports.make_voc(root, 2), "labelmap.txt"),
}


@cache
def _export(tool: str, root: Path) -> tuple[Path, Path, bytes]:
    """An export as its tool writes it, the file of it that is replaced, and that file's bytes."""
    make, pattern = ANNOTATIONS[tool]
    folder = root / tool
    shutil.rmtree(folder, ignore_errors=True)
    make(folder)
    changed = sorted(folder.glob(pattern))[0]
    return folder, changed, changed.read_bytes()


def annotations(data: bytes, folder: Path) -> None:
    """The first byte chooses the tool; the rest takes the place of a file of its export."""
    from swiftseg.data.annotations.open_export import open_images, read_export

    tool = list(ANNOTATIONS)[data[0] % len(ANNOTATIONS)]
    root, changed, _ = _export(tool, folder)
    changed.write_bytes(data[1:])
    export = read_export(root)
    for images in export.splits.values():
        for _ in open_images(export, images[:2]):
            pass


def recipe(data: bytes, folder: Path) -> None:
    from swiftseg.recipes.recipe_file import parse_recipe

    parse_recipe(data.decode("utf-8", "replace"), origin="recipe.yaml")


def spec(data: bytes, folder: Path) -> None:
    read = ModelSpec.from_json(data.decode("utf-8", "replace"))
    assert ModelSpec.from_json(read.to_json()) == read


def onnx(data: bytes, folder: Path) -> None:
    from swiftseg.runtimes.graph_promises import check_promises
    from swiftseg.runtimes.label_head import cut_label_head
    from swiftseg.runtimes.model_file import check_digest, read_spec

    path = folder / "model.onnx"
    path.write_bytes(data)
    read = read_spec(path)
    cut_label_head(path)
    check_digest(path)
    check_promises(path, read)


def checkpoint(data: bytes, folder: Path) -> None:
    from swiftseg.trained import load_checkpoint

    path = folder / "last.pt"
    path.write_bytes(data)
    load_checkpoint(path)


def run_folder(data: bytes, folder: Path) -> None:
    """The first byte chooses the file of a run that the rest replaces."""
    from swiftseg.runs import RunFolder
    from swiftseg.runs.listing import read_runs

    run = folder / "run"
    if not run.exists():
        shutil.copytree(RUN, run)
        (run / RUN_FILES[0]).write_text(SHORT_RECIPE)
    changed = run / RUN_FILES[data[0] % len(RUN_FILES)]
    before = changed.read_bytes()
    changed.write_bytes(data[1:])
    try:
        read_runs(folder)  # a broken run is a line of what it returns
        RunFolder(run).read_environment()
    finally:
        changed.write_bytes(before)


@cache
def _keep_commands() -> None:
    """Have typer make the tree of commands once, as it does in a process of one command line."""
    from typer import main

    main.get_command = cache(main.get_command)


def argv(data: bytes, folder: Path) -> None:
    """The first byte chooses the command; its arguments are parted by zero bytes."""
    _keep_commands()
    from swiftseg.cli.main import main

    arguments = data[1:].decode("utf-8", "surrogateescape").split("\0")
    if any(part in argument for argument in arguments for part in ("/", "\\", "..")):
        return
    command = COMMANDS[data[0] % len(COMMANDS)]
    said, before = io.StringIO(), Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            main([command, *arguments])
    except SystemExit as end:
        if end.code not in (0, 1, 2) or "error: unexpected" in said.getvalue():
            raise AssertionError(said.getvalue()) from end
    finally:
        os.chdir(before)


TARGETS: Mapping[str, Target] = {
    function.__name__: function
    for function in (
        *(picture, mask, matlab, dataset_yaml, annotations, recipe, spec, onnx, checkpoint),
        *(run_folder, argv),
    )
}


def run_one(name: str, data: bytes, folder: Path) -> None:
    """Run a target; what it may raise is passed over."""
    if not data:
        return
    with contextlib.suppress(SwiftsegError):
        TARGETS[name](data, folder)
