"""The vocabulary both halves share; needs numpy, and PyYAML for a part."""

from swiftseg.core.errors import (
    MissingExtraError,
    SwiftsegError,
    UsageError,
    known_name,
    needs_extra,
    unknown_name,
)
from swiftseg.core.labels import ClassSet, LabelSet
from swiftseg.core.sample import Sample
from swiftseg.core.spec import OUTPUT_KINDS, InputSpec, ModelSpec, OutputKind

__all__ = [
    "OUTPUT_KINDS",
    "ClassSet",
    "InputSpec",
    "LabelSet",
    "MissingExtraError",
    "ModelSpec",
    "OutputKind",
    "Sample",
    "SwiftsegError",
    "UsageError",
    "known_name",
    "needs_extra",
    "unknown_name",
]
