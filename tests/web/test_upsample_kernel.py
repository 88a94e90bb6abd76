"""The page's WebAssembly for the last upsampling and argmax, run by node."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from swiftseg.kernels.bilinear import bilinear_axis
from swiftseg.kernels.upsample_argmax import upsample_argmax
from tests.web.conftest import page_file

# Reads the kernel, the arrays and the sizes; writes the labels.
RUN = """
const { readFileSync, writeFileSync } = require("node:fs");
const [kernel, classes, height, width, toHeight, toWidth] = JSON.parse(process.argv[1]);
WebAssembly.instantiate(readFileSync(kernel)).then(({ instance: { exports: e } }) => {
  const put = (name) => {
    const bytes = readFileSync(name);
    const at = e.reserve(bytes.length);
    new Uint8Array(e.memory.buffer, at).set(bytes);
    return at;
  };
  const [scores, rows, columns] = ["scores", "rows", "columns"].map(put);
  const labels = e.reserve(toHeight * toWidth + 3);
  e.upsampleArgmax(scores, classes, height, width, rows, toHeight, columns, toWidth, labels);
  writeFileSync("labels", new Uint8Array(e.memory.buffer, labels, toHeight * toWidth));
});
"""


@pytest.fixture(scope="module")
def kernel() -> Path:
    return page_file("assets/upsample_argmax-*.wasm")


def _labels(
    kernel: Path, scores: np.ndarray, size_hw: tuple[int, int], folder: Path, **options: bool
) -> np.ndarray:
    scores.tofile(folder / "scores")
    for name, before, after in zip(("rows", "columns"), scores.shape[1:], size_hw, strict=True):
        axis = bilinear_axis(before, after, **options)
        arrays = (*axis.reads, axis.weights[1])
        (folder / name).write_bytes(b"".join(array.tobytes() for array in arrays))
    about = json.dumps([str(kernel), *scores.shape, *size_hw])
    subprocess.run(["node", "-e", RUN, about], cwd=folder, check=True)
    return np.fromfile(folder / "labels", dtype=np.uint8).reshape(size_hw)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize(
    ("shape", "size_hw"),
    [
        ((11, 45, 60), (360, 480)),
        ((150, 7, 9), (50, 71)),
        ((3, 20, 30), (9, 13)),
        ((2, 1, 1), (5, 3)),
    ],
)
def test_the_labels_are_pythons(
    kernel: Path,
    shape: tuple[int, int, int],
    size_hw: tuple[int, int],
    align_corners: bool,
    tmp_path: Path,
) -> None:
    scores = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    labels = _labels(kernel, scores, size_hw, tmp_path, align_corners=align_corners)
    expected = upsample_argmax(scores[None], size_hw, align_corners=align_corners)
    np.testing.assert_array_equal(labels, expected[0])


def test_the_first_of_equal_classes_is_taken(kernel: Path, tmp_path: Path) -> None:
    scores = np.ones((3, 4, 4), dtype=np.float32)
    scores[1:] = 2
    labels = _labels(kernel, scores, (9, 9), tmp_path, align_corners=False)
    assert (labels == 1).all()
