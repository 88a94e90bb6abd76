"""What an exported model says of itself; it travels inside the file as JSON."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

import numpy as np

from swiftseg.core.errors import SwiftsegError, unknown_name
from swiftseg.core.labels import LabelSet
from swiftseg.core.spec_fields import read_spec_fields

FORMAT_VERSION = 1

OutputKind = Literal["labels", "logits", "probs"]
# Types of a picture's values: what numpy, torch, ONNX and both engines have in common.
BAND_TYPES = ("uint8", "uint16", "int16", "float32")
RGB_TYPE, RGB_BANDS = "uint8", 3
OUTPUT_KINDS: tuple[OutputKind, ...] = ("labels", "logits", "probs")


@dataclass(frozen=True)
class InputSpec:
    """The frames a network takes.

    Attributes:
        size_hw: Height and width in pixels.
        mean: Per band, subtracted after scaling by `largest`; as many values as there are bands.
        std: Per band, divided by last.
        dtype: The type of the bands' values, one of `BAND_TYPES`; `uint8` with three bands is RGB.
    """

    size_hw: tuple[int, int]
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    dtype: str = RGB_TYPE

    def __post_init__(self) -> None:
        if len(self.size_hw) != 2 or min(self.size_hw) < 1:
            raise SwiftsegError(f"expected a size as (height, width), got {self.size_hw}")
        if not self.mean or len(self.mean) != len(self.std) or min(self.std) <= 0:
            raise SwiftsegError("expected mean and std as one value per band, std above zero")
        if self.dtype not in BAND_TYPES:
            raise unknown_name("type of pictures", self.dtype, BAND_TYPES)

    @property
    def bands(self) -> int:
        """How many bands a frame has."""
        return len(self.mean)

    @property
    def is_rgb(self) -> bool:
        """Whether frames are 8-bit RGB, as most pictures are."""
        return self.bands == RGB_BANDS and self.dtype == RGB_TYPE

    @property
    def largest(self) -> int:
        """What values are divided by first: 255 for 8 bits, and 1 for all other types."""
        return 255 if self.dtype == RGB_TYPE else 1

    @property
    def described(self) -> str:
        """The frames in words, such as `8-bit RGB` or `5 bands of uint16`."""
        return described_bands(self.bands, self.dtype)

    def to_batch(self, image: np.ndarray) -> np.ndarray:
        """View a frame (H, W, bands) of the right size as a batch (1, H, W, bands).

        Raises:
            TypeError: The array is of another type.
            ValueError: The array is of another shape.
        """
        if image.dtype != self.dtype:
            raise TypeError(f"expected {self.described}, got {image.dtype}")
        shape = (*self.size_hw, self.bands)
        if image.shape != shape:
            raise ValueError(f"expected shape {shape}, got {image.shape}")
        return image[None]


def described_bands(bands: int, dtype: str) -> str:
    """Return a picture's bands and type in words."""
    if bands == RGB_BANDS and dtype == RGB_TYPE:
        return "8-bit RGB"
    return f"{bands} band{'s' * (bands > 1)} of {dtype}"


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
        if self.input.dtype == RGB_TYPE:
            del fields["input"]["dtype"]  # as below
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
