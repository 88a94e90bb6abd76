"""Data set readers: plain sequences of `Sample`, made of numpy and pillow.

They are imported when they are first used (PEP 562), since segmenting needs nothing here but
`image_file`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftseg.data.dataset import Dataset
    from swiftseg.data.doctor.examine import check_data
    from swiftseg.data.opening import open_dataset

__all__ = ["Dataset", "check_data", "open_dataset"]

_HOMES = {
    "Dataset": "swiftseg.data.dataset",
    "check_data": "swiftseg.data.doctor.examine",
    "open_dataset": "swiftseg.data.opening",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'swiftseg.data' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
