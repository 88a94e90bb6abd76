"""Parts of a network that do not learn."""

from collections.abc import Sequence

from torch import nn

from swiftseg.core import UsageError, unknown_name


def freeze(network: nn.Module, names: Sequence[str]) -> list[nn.Module]:
    """Make the modules of these names, such as `encoder.initial`, keep their parameters.

    Whoever switches the network to train mode puts the modules that are returned back to eval mode:
    else their running statistics would move on, and a fixed part would not act as it does later.

    Raises:
        UsageError: The network has no such module, or nothing is left to learn.
    """
    modules = dict(network.named_modules())
    for name in names:
        if name not in modules:
            depth = name.count(".")
            near = (known for known in modules if known and known.count(".") <= depth)
            raise unknown_name("module to freeze", name, near)
        modules[name].requires_grad_(requires_grad=False)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise UsageError(f"freeze {', '.join(names)}: no parameter is left to learn")
    return [modules[name] for name in names]
