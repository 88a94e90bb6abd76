"""What swiftseg finds on this machine: versions, engines, instruction sets, threads and caches."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import NamedTuple

from swiftseg.benchmarking.machine import Machine, describe_machine
from swiftseg.core.cache import cache_folder
from swiftseg.kernels import native
from swiftseg.runtimes import ENGINES
from swiftseg.web import built_page


class Extra(NamedTuple):
    """An optional part.

    Attributes:
        module: The module that shows whether it is installed.
    """

    module: str
    purpose: str


# Of the extras in pyproject.toml those that any machine may have.
EXTRAS: Mapping[str, Extra] = {
    "train": Extra("torch", "training, export, checkpoints in torch"),
    "openvino": Extra("openvino", "the engine that is fastest on most Intel and AMD processors"),
    "video": Extra("av", "videos, cameras and streams"),
    "bands": Extra("tifffile", "TIFFs of many bands, 16 bits or floating point"),
    "heic": Extra("pi_heif", "HEIC pictures of phones"),
    "jpeg": Extra("simplejpeg", "faster decoding of JPEG files"),
    "serve": Extra("fastapi", "swiftseg serve"),
    "cluster": Extra("ray", "swiftseg label on Ray, and swiftseg tune"),
    "hub": Extra("huggingface_hub", "models from and to a Hugging Face hub"),
}


@dataclass(frozen=True)
class Installation:
    """What there is, and what is not.

    Attributes:
        sections: Facts in words by name, section by section.
        missing: What is not there, a line each, with the line to type.
    """

    sections: Mapping[str, Mapping[str, str]]
    missing: tuple[str, ...]


def examine_installation() -> Installation:
    """Look at this machine and at what is installed on it; nothing is changed."""
    machine = describe_machine()
    instruction_sets = ", ".join(native.instruction_sets())
    kernels = f"native ({instruction_sets})" if native.is_available() else "numpy"
    engines = {name: _engine(name) for name in ENGINES}
    sections = {
        "machine": {
            "processor": machine.cpu,
            "cores": f"{machine.cores} physical, {machine.cpus} logical",
            "instruction sets": ", ".join(machine.instruction_sets) or "unknown",
            "memory": "unknown" if machine.memory_gb is None else f"{machine.memory_gb:.1f} GB",
            "system": machine.system,
        },
        "version": {"python": machine.python, **machine.versions},
        "engine": {**engines, "torch": _torch_devices() if find_spec("torch") else "not installed"},
        "use": {
            "kernels": kernels,
            "threads for one frame": str(machine.cores),
            "compiler of torch": shutil.which(os.environ.get("CXX", "g++")) or "none",
            "page of serve": "built" if built_page() is not None else "not built",
        },
        "cache": _caches(),
    }
    return Installation(sections, tuple(_missing(machine)))


def _onnxruntime_devices() -> str:
    import onnxruntime

    return ", ".join(onnxruntime.get_available_providers())


def _openvino_devices() -> str:
    import openvino

    return ", ".join(openvino.Core().available_devices)


# The providers or devices of the engines that tell them.
_DEVICES: Mapping[str, Callable[[], str]] = {
    "onnxruntime": _onnxruntime_devices,
    "openvino": _openvino_devices,
}


def _engine(name: str) -> str:
    if find_spec(name) is None:
        return "not installed"
    return _DEVICES[name]() if name in _DEVICES else "installed"


def _torch_devices() -> str:
    """Return where torch computes, by NVIDIA's driver: torch itself takes seconds to import."""
    has_gpu = shutil.which("nvidia-smi") is not None
    return "installed, beside an NVIDIA driver" if has_gpu else "installed, on the CPU"


def _caches() -> dict[str, str]:
    folder = cache_folder()
    if folder is None:
        return {"folder": "none: the user's cache folder cannot be written"}
    files = [path for path in folder.rglob("*") if path.is_file()]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    return {"folder": str(folder), "files": f"{len(files)}, {megabytes:.1f} MB"}


def _missing(machine: Machine) -> list[str]:
    lines = [
        f"{name}, for {extra.purpose}: pip install 'swiftseg[{name}]'"
        for name, extra in EXTRAS.items()
        if find_spec(extra.module) is None
    ]
    if not native.is_available():
        lines.append(
            "the native kernels, so that numpy computes the same labels more slowly: install a C "
            "compiler, then pip install --force-reinstall --no-deps swiftseg"
        )
    if "torch" in machine.versions and shutil.which(os.environ.get("CXX", "g++")) is None:
        lines.append("a C++ compiler, for recipes that compile: install g++, or --no-compile")
    if cache_folder() is None:
        lines.append("a cache folder that can be written: set XDG_CACHE_HOME to one")
    return lines
