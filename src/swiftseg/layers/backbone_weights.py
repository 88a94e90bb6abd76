"""ImageNet weights for a backbone, from torchvision's files, tensor by tensor or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from swiftseg.core import SwiftsegError
from swiftseg.core.errors import first_line
from swiftseg.layers.filling import MisfitError, misshape, with_shape
from swiftseg.layers.tensor_file import read_state_dict

if TYPE_CHECKING:  # its import takes 170 MB, which only these weights need
    from torchvision.models import WeightsEnum

IMAGENET = "imagenet"


def load_backbone(
    module: nn.Module,
    member: "WeightsEnum",
    source: str | Path,
    *,
    head: str,
    names: Mapping[str, str] | None = None,
) -> None:
    """Fill `module` with the weights of a torchvision classifier.

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
    missing = [name for name, theirs in names.items() if theirs not in weights]
    misshapen = [
        name
        for name in names
        if name not in missing and not fits(weights[names[name]], targets[name])
    ]
    homeless = [
        name
        for name in weights.keys() - set(names.values())
        if not name.startswith(head) and "num_batches_tracked" not in name
    ]
    if missing or misshapen or homeless:
        raise MisfitError(
            f"{source}: not the weights of torchvision's {type(member).__name__}",
            missing=[with_shape(names[name], targets[name]) for name in missing],
            misshapen=[misshape(names[n], weights[names[n]], targets[n]) for n in misshapen],
            homeless=[with_shape(name, weights[name]) for name in sorted(homeless)],
        )
    with torch.no_grad():
        for own, theirs in names.items():
            targets[own].copy_(weights[theirs].reshape(targets[own].shape))


def read_backbone_weights(member: "WeightsEnum", source: str | Path) -> dict[str, Tensor]:
    """Read a state dict from torch hub's cache, the network or a local file, onto the CPU.

    Raises:
        SwiftsegError: There is no such file, it cannot be downloaded, or it is no state dict.
    """
    path = fetch(member) if source == IMAGENET else Path(source)
    if not path.is_file():
        raise SwiftsegError(
            f"backbone weights {str(source)!r}: no such file; give {IMAGENET!r} or the path of a "
            f"file like {member.url}"
        )
    return read_state_dict(path)


def fetch(member: "WeightsEnum") -> Path:
    """Return the file in torch hub's cache, and download it if it is not there yet."""
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


def fits(theirs: Tensor, ours: Tensor) -> bool:
    """Whether a tensor fills another; a linear layer's (out, in) fills a convolution's."""
    from_linear = theirs.ndim == 2 and theirs.shape == (ours.shape[0], ours[:1].numel())
    return theirs.shape == ours.shape or from_linear
