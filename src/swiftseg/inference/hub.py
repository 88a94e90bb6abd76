"""Models as folders that a Hugging Face hub holds: `model.onnx`, its card, and its hash."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from swiftseg.core import ModelSpec, SwiftsegError, needs_extra
from swiftseg.core.errors import first_line
from swiftseg.core.files import write_file
from swiftseg.runtimes import read_spec

MODEL_FILE, CARD_FILE, HASH_FILE = "model.onnx", "README.md", "swiftseg.json"
FORMAT_VERSION = 1

# The client reports its use to its makers unless it is told not to.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def save_pretrained(model: Path, folder: Path) -> Path:
    """Write an exported file, its card and its hash into a folder; return the folder.

    Raises:
        SwiftsegError: The model cannot be read, or the folder not be written.
    """
    content, spec = model.read_bytes(), read_spec(model)
    described = {"format_version": FORMAT_VERSION, "sha256": hashlib.sha256(content).hexdigest()}
    files = {
        MODEL_FILE: content,
        CARD_FILE: model_card(spec).encode(),
        HASH_FILE: json.dumps(described, indent=2).encode(),
    }
    for name, written in files.items():
        write_file(folder / name, written)
    return folder


def find_pretrained(source: str | Path, *, revision: str | None, offline: bool) -> Path:
    """Return the exported file of a folder or of a hub's repository, its hash checked.

    Takes and raises what `Segmenter.from_pretrained` does.
    """
    folder = Path(source)
    if not folder.is_dir():
        folder = _fetched(str(source), revision, offline=offline)
    return checked_file(folder)


def checked_file(folder: Path) -> Path:
    """Return the folder's exported file; raise SwiftsegError where its hash is another."""
    path, described = folder / MODEL_FILE, folder / HASH_FILE
    try:
        fields = json.loads(described.read_text(encoding="utf-8"))
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError) as error:
        raise SwiftsegError(
            f"{folder}: expected {MODEL_FILE} and {HASH_FILE} as save_pretrained writes them "
            f"({error})"
        ) from error
    expected = fields.get("sha256") if isinstance(fields, dict) else None
    if found != expected:
        raise SwiftsegError(
            f"{path}: its SHA-256 is {found} where {HASH_FILE} says {expected}; fetch it again"
        )
    return path


def push_to_hub(model: Path, repository: str, *, private: bool, token: str | None) -> str:
    """Upload an exported file as a repository of the hub; return its address.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        SwiftsegError: The hub refuses it or cannot be reached.
    """
    hub = _client()
    with tempfile.TemporaryDirectory(prefix="swiftseg-") as folder:
        save_pretrained(model, Path(folder))
        try:
            api = hub.HfApi(token=token)
            api.create_repo(repository, private=private, exist_ok=True)
            api.upload_folder(repo_id=repository, folder_path=folder)
        except Exception as error:  # which differs by the client's version and its HTTP library
            raise SwiftsegError(f"{repository}: not uploaded: {first_line(error)}") from error
    return f"{hub.constants.ENDPOINT}/{repository}"


def _fetched(repository: str, revision: str | None, *, offline: bool) -> Path:
    hub = _client()
    try:
        return Path(
            hub.snapshot_download(
                repository,
                revision=revision,
                allow_patterns=[MODEL_FILE, CARD_FILE, HASH_FILE],
                local_files_only=offline,
            )
        )
    except Exception as error:  # which differs by the client's version and its HTTP library
        kept = "is not in the cache" if offline else "cannot be fetched"
        raise SwiftsegError(
            f"{repository}: no such folder, and as a repository it {kept}: {first_line(error)}"
        ) from error


def _client() -> Any:
    with needs_extra("a model of a Hugging Face hub", "hub"):
        import huggingface_hub
    return huggingface_hub


def model_card(spec: ModelSpec) -> str:
    """Return the card that a hub shows, in Markdown with the keys that hubs read."""
    height, width = spec.input.size_hw
    scores = "".join(f"| {name} | {value:.4f} |\n" for name, value in spec.metrics.items())
    return f"""---
library_name: swiftseg
pipeline_tag: image-segmentation
license: other
tags: [semantic-segmentation, onnx, {json.dumps(spec.network)}]
---
# {spec.name}

{spec.network}, {len(spec.labels)} classes, frames of {height}x{width} (height x width).

| | |
| --- | --- |
| classes | {", ".join(spec.labels.names)} |
| data | {spec.training_data or "not stated"} |
| license | {spec.license_note or "not stated"} |
{scores}
```python
import swiftseg

segmenter = swiftseg.Segmenter.from_pretrained("ORG/NAME")
print(segmenter("picture.jpg").class_shares())
```
"""
