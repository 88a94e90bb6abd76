"""The answer to several pictures: JSON, or a ZIP file of what each gives."""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from swiftseg.server.answers import SUFFIXES, Answer, Format
from swiftseg.server.bodies import Picture
from swiftseg.server.problems import ProblemError


def batch_answer(
    pictures: Sequence[Picture], results: Sequence[Answer | ProblemError], kind: Format
) -> tuple[bytes, str]:
    """Return the body and its media type.

    A picture without an answer costs itself alone: its result holds the problem.
    """
    described = [_described(p, r) for p, r in zip(pictures, results, strict=True)]
    if kind == "json":
        for entry, result in zip(described, results, strict=True):
            if isinstance(result, Answer):
                entry["answer"] = json.loads(result.content)
        return json.dumps({"results": described}).encode(), "application/json"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # all of it is compressed
        for number, (entry, result) in enumerate(zip(described, results, strict=True)):
            if isinstance(result, Answer):
                entry["file"] = f"{number:04}{SUFFIXES[kind]}"
                archive.writestr(entry["file"], result.content)
        archive.writestr("results.json", json.dumps({"results": described}))
    return file.getvalue(), "application/zip"


def _described(picture: Picture, result: Answer | ProblemError) -> dict[str, Any]:
    if isinstance(result, ProblemError):
        return {"name": picture.name, "status": result.status, "problem": result.body()}
    return {"name": picture.name, "status": 200, "timings_ms": result.timings_ms}
