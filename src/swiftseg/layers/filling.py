"""Filling a network with tensors by name and shape, and saying what does not fit."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from swiftseg.core import SwiftsegError
from swiftseg.layers.input_bands import RGB, widened

SHOWN = 4


class MisfitError(SwiftsegError):
    """Weights do not fill a network.

    Attributes:
        homeless: The weights' tensors without a place in the network, each with its shape.
        missing: The network's tensors that nothing fills, each with its shape.
        misshapen: Tensors of both sides that differ in shape, each with both shapes.
    """

    def __init__(
        self,
        what: str,
        *,
        homeless: Sequence[str] = (),
        missing: Sequence[str] = (),
        misshapen: Sequence[str] = (),
    ) -> None:
        self.homeless, self.missing = tuple(homeless), tuple(missing)
        self.misshapen = tuple(misshapen)
        problems = (
            (misshapen, "have another shape"),
            (homeless, "have no home"),
            (missing, "are missing"),
        )
        parts = [
            f"{len(names)} tensors {told}: {shortened(names)}" for names, told in problems if names
        ]
        super().__init__(f"{what}; {'; '.join(parts)}")


def fill(network: nn.Module, weights: Mapping[str, Tensor], what: str) -> None:
    """Fill a network with weights, every tensor or none.

    Errors begin with `what`, such as `best.pt: does not fit enet`.

    Raises:
        MisfitError: A tensor of either side has no counterpart of its shape.
    """
    own = network.state_dict()
    homeless = [name for name in weights if name not in own]
    missing = [name for name in own if name not in weights]
    misshapen = [name for name in own if name in weights and weights[name].shape != own[name].shape]
    if homeless or missing or misshapen:
        raise MisfitError(
            what,
            homeless=[with_shape(name, weights[name]) for name in homeless],
            missing=[with_shape(name, own[name]) for name in missing],
            misshapen=[misshape(name, weights[name], own[name]) for name in misshapen],
        )
    network.load_state_dict(weights)


def fill_what_fits(network: nn.Module, weights: Mapping[str, Tensor], what: str) -> list[str]:
    """Fill those of a network's tensors that have a counterpart of their name and shape.

    Filters of RGB are widened to the bands of the network, see `swiftseg.layers.input_bands`.

    Returns:
        The names of the others, which keep their values.

    Raises:
        MisfitError: None has; otherwise as `fill`.
    """
    own = network.state_dict()
    fitting = {name: weights[name] for name in own if name in weights}
    for name, tensor in fitting.items():
        if is_widened(tensor, own[name]):
            fitting[name] = widened(tensor, own[name].shape[1])
    fitting = {name: tensor for name, tensor in fitting.items() if tensor.shape == own[name].shape}
    if not fitting:
        fill(network, weights, what)
    network.load_state_dict(fitting, strict=False)
    return [name for name in own if name not in fitting]


def is_widened(theirs: Tensor, ours: Tensor) -> bool:
    """Whether a tensor holds the filters of RGB where ours has those of other bands."""
    return (
        theirs.ndim == ours.ndim == 4
        and theirs.shape[1] == RGB != ours.shape[1]
        and theirs.shape[:1] + theirs.shape[2:] == ours.shape[:1] + ours.shape[2:]
    )


def with_shape(name: str, tensor: Tensor) -> str:
    """Return a tensor's name and shape as errors list them."""
    return f"{name} {tuple(tensor.shape)}"


def misshape(name: str, theirs: Tensor, ours: Tensor) -> str:
    """Return a tensor's name and both its shapes as errors list them."""
    return f"{name} {tuple(theirs.shape)}, expected {tuple(ours.shape)}"


def shortened(names: Sequence[str], separator: str = ", ") -> str:
    """Return the first names of a list, and how many more there are."""
    more = len(names) - SHOWN
    return separator.join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
