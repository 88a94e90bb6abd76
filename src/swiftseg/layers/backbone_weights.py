"""ImageNet weights for a backbone, from torchvision's files, tensor by tensor or not at all."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from swiftseg.core import SwiftsegError

IMAGENET = "imagenet"
SHOWN_MISFITS = 4


def load_backbone(
    module: nn.Module,
    member: WeightsEnum,
    source: str | Path,
    *,
    head: str,
    names: Mapping[str, str] | None = None,
) -> None:
    """Fills `module` with the weights of a torchvision classifier.

    Every tensor that is asked for must arrive and, apart from the classifier's head, every tensor
    of the file must have a home: a ResNet-101 file would otherwise fill a ResNet-50 unnoticed.
    A fully connected layer (out, in * h * w) fills a convolution (out, in, h, w).

    Args:
        module: What is filled; on an error it is left as it was.
        member: The published weights, such as `VGG16_Weights.IMAGENET1K_V1`.
        source: "imagenet" for the published file, or the path of a local file like it.
        head: Prefix of the file's tensors that may stay without a home, such as "fc.".
        names: Tensor name in `module` -> name in the file, for those to fill; by default all of
            them, under their own names.

    Raises:
        SwiftsegError: The file cannot be had or read, or does not fit.
    """
    weights = read_backbone_weights(member, source)
    targets = module.state_dict()
    # Files older than torch 0.4.1 have no such counter, and nothing here averages cumulatively.
    names = names or {name: name for name in targets if not name.endswith("num_batches_tracked")}
    misfits = [
        *(missing_or_misshapen(targets[own], theirs, weights) for own, theirs in names.items()),
        *homeless(weights, {*names.values()}, head),
    ]
    misfits = [misfit for misfit in misfits if misfit]
    if misfits:
        more = len(misfits) - SHOWN_MISFITS
        listed = "; ".join(misfits[:SHOWN_MISFITS]) + (f"; and {more} more" if more > 0 else "")
        raise SwiftsegError(
            f"{source}: not the weights of torchvision's {type(member).__name__}: {listed}"
        )
    with torch.no_grad():
        for own, theirs in names.items():
            targets[own].copy_(weights[theirs].reshape(targets[own].shape))


def read_backbone_weights(member: WeightsEnum, source: str | Path) -> dict[str, Tensor]:
    """Reads a state dict from torch hub's cache, the network or a local file, onto the CPU.

    Raises:
        SwiftsegError: There is no such file, it cannot be downloaded, or it is no state dict.
    """
    path = fetch(member) if source == IMAGENET else Path(source)
    if not path.is_file():
        raise SwiftsegError(
            f"backbone weights {str(source)!r}: no such file; give {IMAGENET!r} or the path of a "
            f"file like {member.url}"
        )
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, OSError) as error:
        raise SwiftsegError(
            f"{path}: cannot be read as torch weights: {first_line(error)}"
        ) from error
    if not isinstance(weights, dict) or not all(isinstance(w, Tensor) for w in weights.values()):
        raise SwiftsegError(f"{path}: expected a state dict, tensors by name")
    return weights


def fetch(member: WeightsEnum) -> Path:
    """Gives the file in torch hub's cache, downloading it if it is not there yet."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(member.url).name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = path.stem.rpartition("-")[2]
        try:
            torch.hub.download_url_to_file(member.url, str(path), prefix, progress=False)
        except (OSError, RuntimeError) as error:
            raise SwiftsegError(
                f"cannot download {member.url} ({first_line(error)}); put that file at {path}, "
                "or give backbone_weights the path of a local copy"
            ) from error
    return path


def missing_or_misshapen(target: Tensor, name: str, weights: Mapping[str, Tensor]) -> str:
    if name not in weights:
        return f"{name} is missing"
    shape = tuple(weights[name].shape)
    from_linear = len(shape) == 2 and shape == (target.shape[0], target[:1].numel())
    if shape == tuple(target.shape) or from_linear:
        return ""
    return f"{name} has the shape {shape}, expected {tuple(target.shape)}"


def homeless(weights: Mapping[str, Tensor], wanted: set[str], head: str) -> list[str]:
    return [
        f"{name} has no home"
        for name in weights
        if name not in wanted and not name.startswith(head) and "num_batches_tracked" not in name
    ]


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
