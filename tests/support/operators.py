"""Which operators a network runs."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class OperatorCounter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def count_operators(network: Callable[[Tensor], Tensor], image: Tensor) -> Counter[str]:
    """Counts the calls of each ATen operator by its name, such as `avg_pool2d`."""
    with OperatorCounter() as counter, torch.no_grad():
        network(image)
    return counter.counts
