"""What networks offer to training beside the logits of `forward`, asked for in one way."""

from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn


class TrainingOutputs(NamedTuple):
    """What a network gives in training for images (N, 3, H, W).

    Attributes:
        logits: (N, C, H, W), those of `forward`.
        aux: Logits of auxiliary heads, (N, C, H, W) each.
        presence: Logits (N, C) of each class being anywhere in the image.
        coarse: Logits (N, C, h, w) before the last upsampling, where a paper trains these.
    """

    logits: Tensor
    aux: tuple[Tensor, ...] = ()
    presence: Tensor | None = None
    coarse: Tensor | None = None


@runtime_checkable
class HasTrainingOutputs(Protocol):
    """A network that has more to train than its logits."""

    def training_outputs(self, image: Tensor) -> TrainingOutputs: ...


def training_outputs(network: nn.Module, image: Tensor) -> TrainingOutputs:
    """Run a network as training does; one without heads of its own gives its logits alone."""
    if isinstance(network, HasTrainingOutputs):
        return network.training_outputs(image)
    return TrainingOutputs(network(image))
