"""Put a digest into every shipped file of weights that lacks a true one.

    python benchmarks/seal_weights.py

`swiftseg export` and training write theirs; run this after a file's metadata was changed by hand.
Graphs and tensors stay as they are, bit for bit, so that a score stands: its JSON takes over the
SHA-256 of the new file.
"""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from score_weights import SCORES, weights_digest

from swiftseg.layers.tensor_digest import digest_of
from swiftseg.layers.tensor_file import DIGEST_KEY
from swiftseg.runtimes.model_file import sealed
from swiftseg.runtimes.protobuf import fields
from swiftseg.weights import shipped_models, shipped_weights

_GRAPH = 7  # of onnx.proto's ModelProto


def graph(model: bytes) -> list[bytes]:
    """Return the bytes of the graph, weights included."""
    parts = fields(model, 0, len(model))
    return [model[part.start : part.end] for part in parts if part.number == _GRAPH]


def seal_model(name: str, path: Path) -> None:
    before, score = path.read_bytes(), SCORES / f"{name}.json"
    old_digest, after = weights_digest(name), sealed(before)
    assert graph(after) == graph(before)
    path.write_bytes(after)
    text = score.read_text("utf-8")
    score.write_text(text.replace(old_digest, weights_digest(name)), encoding="utf-8")


def seal_tensors(path: Path) -> None:
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    before = load_file(path)
    save_file(before, path, {**metadata, DIGEST_KEY: digest_of(before)})
    after = load_file(path)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def main() -> None:
    for name, path in shipped_models().items():
        seal_model(name, path)
    for path in shipped_weights().values():
        seal_tensors(path)


if __name__ == "__main__":
    main()
