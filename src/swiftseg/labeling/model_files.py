"""The files of a model on their way to other machines."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swiftseg.core.files import reading, write_file
from swiftseg.inference import Segmenter
from swiftseg.runtimes import TORCH_WAYS


@dataclass(frozen=True)
class ModelFiles:
    """What a model is opened from, as bytes.

    Attributes:
        files: The content by path in the folder; a single file's path is empty.
        digest: SHA-256 of all of it.
    """

    name: str
    files: Mapping[str, bytes]
    digest: str

    def unpacked(self, folder: Path) -> Path:
        """Write the files below a folder, unless they are there; return what to open."""
        root = folder / self.digest / self.name
        for path, data in self.files.items():
            file = root / path if path else root
            if not (file.is_file() and file.read_bytes() == data):
                write_file(file, data)
        return root


def read_model_files(segmenter: Segmenter) -> ModelFiles:
    """Read the files that a segmenter was opened from.

    Raises:
        SwiftsegError: They cannot be read.
    """
    found = segmenter.model
    path = found.path
    if segmenter.engine.backend in TORCH_WAYS and found.weights is not None:
        path = found.weights
    parts = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    with reading(path):
        files = {"" if p == path else p.relative_to(path).as_posix(): p.read_bytes() for p in parts}
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(name.encode() + hashlib.sha256(data).digest() if name else data)
    return ModelFiles(path.name, files, digest.hexdigest())
