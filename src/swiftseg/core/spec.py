"""What an exported model says of itself; it travels inside the file as JSON."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

import numpy as np

from swiftseg.core.errors import SwiftsegError
from swiftseg.core.labels import LabelSet
from swiftseg.core.spec_fields import read_spec_fields

FORMAT_VERSION = 1

OutputKind = Literal["labels", "logits", "probs"]
OUTPUT_KINDS: tuple[OutputKind, ...] = ("labels", "logits", "probs")


@dataclass(frozen=True)
class InputSpec:
    """The frames a network takes.

    Attributes:
        size_hw: Height and width in pixels.
        mean: Per RGB channel, subtracted after scaling to 0..1.
        std: Per RGB channel, divided by last.
    """

    size_hw: tuple[int, int]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if len(self.size_hw) != 2 or min(self.size_hw) < 1:
            raise SwiftsegError(f"expected a size as (height, width), got {self.size_hw}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise SwiftsegError("expected mean and std as three values, std above zero")

    def to_batch(self, image: np.ndarray) -> np.ndarray:
        """View a frame uint8 (H, W, 3) of the right size as a batch uint8 (1, H, W, 3).

        Raises:
            TypeError: The array is not uint8.
            ValueError: The shape is not (*size_hw, 3).
        """
        if image.dtype != np.uint8:
            raise TypeError(f"expected uint8 RGB, got {image.dtype}")
        if image.shape != (*self.size_hw, 3):
            raise ValueError(f"expected shape {(*self.size_hw, 3)}, got {image.shape}")
        return image[None]


@dataclass(frozen=True)
class ModelSpec:
    """A model's name, classes, input and origin.

    Attributes:
        name: Such as `enet-camvid`.
        network: The name that `create_model` knows, such as `enet`.
        labels: The classes it predicts.
        input: The frames it takes.
        output: What the graph's first output holds.
        training_data: The data it has learned from, in words.
        license_note: What binds those who use the weights.
        metrics: Scores by name, such as `val/mean_iou`.
        versions: Package versions at export, by package.
        sliding_windows: The network has learned from crops, and is scored in overlapping windows
            rather than on stretched frames.
        crop_hw: The size of these crops and windows where it is not the input's, as it can be for
            networks that run at any size.
        temperature: What logits are divided by for probabilities that are true in as many cases as
            they say, as measured on held-out frames; 1 where nobody has measured it.
    """

    name: str
    network: str
    labels: LabelSet
    input: InputSpec
    output: OutputKind = "labels"
    training_data: str = ""
    license_note: str = ""
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    versions: dict[str, str] = field(default_factory=dict[str, str])
    sliding_windows: bool = False
    crop_hw: tuple[int, int] | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.output not in OUTPUT_KINDS:
            raise SwiftsegError(
                f"unknown output {self.output!r}; choose from {', '.join(OUTPUT_KINDS)}"
            )
        if not self.temperature > 0:
            raise SwiftsegError(f"expected a temperature above 0, got {self.temperature}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, the format's version among them."""
        fields = {**asdict(self), "labels": self.labels.to_dict()}
        for name, usual in (("sliding_windows", False), ("crop_hw", None), ("temperature", 1.0)):
            if fields[name] == usual:
                del fields[name]  # older versions read files without it
        return {"format_version": FORMAT_VERSION, **fields}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "ModelSpec":
        """Read what `to_dict` returned.

        Raises:
            SwiftsegError: The fields are of another version, incomplete, of the wrong kind, or
                out of range; the message names the first.
        """
        fields = dict(fields)
        version = fields.pop("format_version", None)
        if version != FORMAT_VERSION:
            raise SwiftsegError(
                f"model format version {repr(version)[:40]} where this swiftseg reads "
                f"{FORMAT_VERSION}; export the model again with this version"
            )
        try:
            arguments = read_spec_fields(fields)
        except ValueError as error:
            raise SwiftsegError(f"the model's description is damaged: {error}") from error
        labels, input_spec = arguments.pop("labels"), arguments.pop("input")
        return cls(labels=LabelSet(**labels), input=InputSpec(**input_spec), **arguments)

    def to_json(self) -> str:
        """Return `to_dict` as one line of JSON."""
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "ModelSpec":
        """Read what `to_json` returned; raises as `from_dict` does."""
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:  # numbers of 5,000 digits, nested too deeply
            raise SwiftsegError(f"the model's description is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise SwiftsegError("the model's description is no JSON object")
        return cls.from_dict(cast(dict[str, Any], fields))
