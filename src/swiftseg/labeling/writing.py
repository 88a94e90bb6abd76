"""The last stage: label maps become files of a target, or one Parquet shard a piece."""

import io
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter

from PIL import Image

from swiftseg.core import LabelSet, SwiftsegError, needs_extra
from swiftseg.core.errors import unexpected
from swiftseg.core.shown_text import as_utf8, without_secrets
from swiftseg.inference import Segmentation
from swiftseg.inference.planes import resize_planes
from swiftseg.kernels.resize import resize_labels
from swiftseg.labeling.inputs import Input
from swiftseg.labeling.job import SHARDS, Form, Settings, write_receipt
from swiftseg.labeling.pieces import FrameResult, Outcome, Receipt
from swiftseg.labeling.place import Place
from swiftseg.labeling.stages import Check, LabeledFrame, Staged, StagedPiece, passed
from swiftseg.prediction.outputs import (
    IMAGE_FILE_SUFFIXES,
    Kind,
    overlay_jpeg,
    probabilities_npy,
)
from swiftseg.render import label_map_png

# What a shard's columns hold, by the kinds of files in a tree.
COLUMNS: dict[Kind, str] = {"labels": "label_png", "overlay": "overlay_jpg", "probs": "probs_npy"}


def check_form(form: Form) -> None:
    """Raise MissingExtraError where a form needs a package that is not installed."""
    if form == "parquet":
        with needs_extra("--format parquet", "cluster"):
            import_module("pyarrow.parquet")


@dataclass
class _Row:
    """A labeled frame as a row of a shard."""

    frame: FrameResult
    address: str
    files: dict[Kind, bytes]


@dataclass(frozen=True)
class WriteStage:
    """Writes a piece's results, and then its receipt."""

    place: Place
    settings: Settings
    labels: LabelSet

    def __call__(self, labeled: StagedPiece[LabeledFrame], check: Check = passed) -> Receipt:
        """Write a piece; `check` may refuse an input.

        Raises:
            SwiftsegError: The target refuses, which ends the job.
        """
        begin = perf_counter()
        rows: list[_Row] = []
        pairs = zip(labeled.piece.inputs, labeled.inputs, strict=True)
        outcomes = [self._written(item, found, check, rows) for item, found in pairs]
        if rows:
            shard = _shard(rows, self.settings)
            self.place.write(f"{SHARDS}/part-{labeled.piece.name}.parquet", shard)
        seconds = {**labeled.seconds, "write": perf_counter() - begin}
        receipt = Receipt(labeled.piece.number, outcomes, seconds)
        write_receipt(self.place, receipt)
        return receipt

    def _written(
        self, item: Input, found: Staged[LabeledFrame], check: Check, rows: list[_Row]
    ) -> Outcome:
        """Write an input's frames, or keep them in `rows` for the shard."""
        outcome = Outcome(item.key, as_utf8(without_secrets(item.address)))
        frames, reason = found.frames, found.reason
        try:
            check(item.key)
        except SwiftsegError as error:
            frames, reason = [], str(error)
        for frame in frames:
            try:
                row = self._row(frame, outcome.address)
            except Exception as error:  # whatever an encoder raises
                reason = f"{frame.name}: cannot be encoded ({unexpected(error)})"
                continue
            outcome.frames.append(row.frame)
            if self.settings.form == "parquet":
                rows.append(row)
            else:
                self._write_files(row)
        outcome.reason = as_utf8(without_secrets(reason))
        return outcome

    def _write_files(self, row: _Row) -> None:
        for kind, data in row.files.items():
            self.place.write(f"{kind}/{row.frame.name}{IMAGE_FILE_SUFFIXES[kind]}", data)

    def _row(self, frame: LabeledFrame, address: str) -> _Row:
        """Bring a frame's labels to its own size, and encode what was asked for."""
        label_map = resize_labels(frame.labels, frame.size_hw)
        pixels = Image.fromarray(label_map).histogram()[: len(self.labels)]
        files: dict[Kind, bytes] = {}
        if "labels" in self.settings.save:
            files["labels"] = label_map_png(label_map, self.labels)
        if frame.kept is not None and "overlay" in self.settings.save:
            found = Segmentation(frame.kept, label_map, self.labels, {})
            files["overlay"] = overlay_jpeg(found.overlay(), self.labels, found.class_shares())
        if frame.probabilities is not None:
            probs = resize_planes(frame.probabilities, frame.size_hw)
            files["probs"] = probabilities_npy(probs)
        result = FrameResult(frame.name, frame.size_hw, pixels, frame.confidence)
        return _Row(result, address, files)


def _shard(rows: list[_Row], settings: Settings) -> bytes:
    """Return rows as the bytes of a Parquet file: one column a file, one a class's share."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    frames = [row.frame for row in rows]
    columns = {
        "name": pa.array([frame.name for frame in frames], pa.string()),
        "address": pa.array([row.address for row in rows], pa.string()),
        "height": pa.array([frame.size_hw[0] for frame in frames], pa.int32()),
        "width": pa.array([frame.size_hw[1] for frame in frames], pa.int32()),
        "model": pa.array([settings.model] * len(rows), pa.string()),
        "digest": pa.array([settings.digest] * len(rows), pa.string()),
    }
    for kind, column in COLUMNS.items():
        if kind in settings.save:
            columns[column] = pa.array([row.files[kind] for row in rows], pa.large_binary())
    for index, name in enumerate(settings.classes):
        shares = [frame.pixels[index] / (frame.size_hw[0] * frame.size_hw[1]) for frame in frames]
        columns[f"share_{name}"] = pa.array(shares, pa.float64())
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression="zstd")
    return file.getvalue()
