"""How a number was taken; numbers of different protocols do not belong in one table."""

from dataclasses import asdict, dataclass
from typing import Any

from swiftseg.core import UsageError, unknown_name
from swiftseg.data import Dataset
from swiftseg.data.views.resized import Resized
from swiftseg.data.views.void_class import WithVoidClass
from swiftseg.inference import AveragingSegmenter, Segmenter


@dataclass(frozen=True)
class ScoringProtocol:
    """What is done to frames, labels and predictions before they are compared.

    Attributes:
        name: As in `PROTOCOLS`.
        size_hw: The size of frames, labels and predictions, and of the network's input unless it
            runs at one size only; None leaves the labels at their own size, brings predictions to
            it, and runs the network at its own input size.
        void_as_class: Void, where the data have any, is one more class, the last, in place of being
            ignored.
        scales: Class probabilities are averaged over these scales; see `AveragingSegmenter`.
        flip: And over the mirror images.
        sliding: The network goes over the frames in windows of its input size.
    """

    name: str
    size_hw: tuple[int, int] | None = None
    void_as_class: bool = False
    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    sliding: bool = False

    def __post_init__(self) -> None:
        if not self.scales or not all(0.1 <= scale <= 10 for scale in self.scales):
            raise UsageError(f"expected scales of 0.1 to 10, got {self._listed_scales()}")

    def __str__(self) -> str:
        """Return all that decides a number: two protocols are equal where their texts are."""
        size = f"labels at {self.size_hw[1]}x{self.size_hw[0]}" if self.size_hw else "labels as is"
        parts = [size, "void a class" if self.void_as_class else "void ignored"]
        parts += [f"mean of scales {self._listed_scales()}"] if self.scales != (1.0,) else []
        parts += ["mirrored too"] if self.flip else []
        parts += ["in windows"] if self.sliding else []
        return f"{self.name} ({', '.join(parts)})"

    @property
    def averages(self) -> bool:
        """Whether labels come from averaged probabilities, not straight from the network."""
        return self.scales != (1.0,) or self.flip or self.sliding

    def view(self, dataset: Dataset) -> Dataset:
        """Return the data as the protocol sees them.

        Data that ignore nothing have no void to make a class of: their classes count as they are.
        """
        if self.size_hw is not None:
            dataset = Resized(dataset, self.size_hw)
        has_void = dataset.labels.ignore_index is not None
        return WithVoidClass(dataset) if self.void_as_class and has_void else dataset

    def segmenter(self, segmenter: Segmenter) -> Segmenter | AveragingSegmenter:
        """Return what segments frames by the protocol.

        Raises:
            SwiftsegError: Probabilities are averaged over sizes that the model does not run at.
        """
        segmenter = segmenter.fitted("stretch")  # as networks are trained
        if self.size_hw is not None and segmenter.any_size:
            segmenter = segmenter.at_size(self.size_hw)
        if not self.averages:
            return segmenter
        return AveragingSegmenter(
            segmenter, scales=self.scales, flip=self.flip, sliding=self.sliding
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)

    def _listed_scales(self) -> str:
        return " ".join(f"{scale:g}" for scale in self.scales)


NATIVE = ScoringProtocol("native")

PROTOCOLS: dict[str, ScoringProtocol] = {
    "native": NATIVE,
    # Paszke et al., arXiv:1606.02147, section 5.2: CamVid at 480x360, void ignored.
    "enet": ScoringProtocol("enet", size_hw=(360, 480)),
    # Pal et al., ICVGIP 2018: frames and labels of 224x224, CamVid with 12 classes.
    "segfast": ScoringProtocol("segfast", size_hw=(224, 224), void_as_class=True),
    # Zhuang et al., arXiv:1811.11254, multi-scale. Frames at their own size times the scale;
    # probabilities are averaged where the release adds up logits and exponentiates.
    "shelfnet": ScoringProtocol(
        "shelfnet", scales=(0.5, 0.75, 1.0, 1.25, 1.5, 1.75), flip=True, sliding=True
    ),
}


def find_protocol(name: str) -> ScoringProtocol:
    """Return the protocol of that name; raise UsageError for a name that is not in `PROTOCOLS`."""
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
