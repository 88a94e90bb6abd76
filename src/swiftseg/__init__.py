"""Real-time semantic segmentation on the hardware you have.

`Segmenter` labels frames and needs no torch; `create_model` gives the torch networks and needs
the `train` extra. Both are imported when they are first used (PEP 562).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftseg.core import LabelSet, ModelSpec, Sample, SwiftsegError
    from swiftseg.inference import Segmentation, Segmenter
    from swiftseg.models import create_model

__version__ = "0.1.0"

__all__ = [
    "LabelSet",
    "ModelSpec",
    "Sample",
    "Segmentation",
    "Segmenter",
    "SwiftsegError",
    "create_model",
]

_HOMES = {
    "LabelSet": "swiftseg.core",
    "ModelSpec": "swiftseg.core",
    "Sample": "swiftseg.core",
    "SwiftsegError": "swiftseg.core",
    "Segmentation": "swiftseg.inference",
    "Segmenter": "swiftseg.inference",
    "create_model": "swiftseg.models",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'swiftseg' has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from swiftseg.core import MissingExtraError

        raise MissingExtraError(f"swiftseg.{name}", "train") from error
