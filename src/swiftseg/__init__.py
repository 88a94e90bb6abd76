"""Real-time semantic segmentation on the hardware you have.

Everything that a command does is a function here. Each is imported when it is first used (PEP 562):
`train`, `export` and `create_model` need the `train` extra, all else runs without torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swiftseg.benchmarking import benchmark
    from swiftseg.cluster import label_images
    from swiftseg.core import LabelSet, ModelSpec, Sample, SwiftsegError
    from swiftseg.data.doctor import check_data
    from swiftseg.evaluation import evaluate
    from swiftseg.exporting import export
    from swiftseg.inference import Segmentation, Segmenter
    from swiftseg.models import create_model
    from swiftseg.prediction import predict_images, predict_video
    from swiftseg.training import train

__version__ = "0.1.0"

__all__ = [
    "LabelSet",
    "ModelSpec",
    "Sample",
    "Segmentation",
    "Segmenter",
    "SwiftsegError",
    "benchmark",
    "check_data",
    "create_model",
    "evaluate",
    "export",
    "label_images",
    "predict_images",
    "predict_video",
    "train",
]

_HOMES = {
    "LabelSet": "core",
    "ModelSpec": "core",
    "Sample": "core",
    "Segmentation": "inference",
    "Segmenter": "inference",
    "SwiftsegError": "core",
    "benchmark": "benchmarking",
    "check_data": "data.doctor",
    "create_model": "models",
    "evaluate": "evaluation",
    "export": "exporting",
    "label_images": "cluster",
    "predict_images": "prediction",
    "predict_video": "prediction",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'swiftseg' has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(f"swiftseg.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("swiftseg"):
            raise
        from swiftseg.core import MissingExtraError

        raise MissingExtraError(f"swiftseg.{name}", "train") from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "Any"})
