"""`swiftseg train auto`: network, size, weights and settings for whatever data there are.

Three things of the data decide: how many pictures there are, how rare the rarest class is, and how
thin the thinnest one. All start from shipped weights. Few pictures are varied strongly; crops are
laid around rare classes; thin objects get a network that decodes to full size, and more pixels.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from swiftseg.data import Dataset
from swiftseg.recipes import as_overrides
from swiftseg.training.fine_tune import EPOCHS, MAX_PIXELS, STRIDE, averaging_decay, input_size_hw
from swiftseg.training.preset import AUGMENTATION as STRONG_AUGMENTATION
from swiftseg.training.spread_samples import spread_samples

AUTO = "auto"

# The first is the most accurate of those that run fast on a CPU; the second returns to full size.
NETWORK, THIN_NETWORK = "fast_scnn", "enet"
SHIPPED_WEIGHTS = {"enet": "enet-camvid", "fast_scnn": "fast_scnn-camvid"}

MASKS_LOOKED_AT = 40
FEW_IMAGES = 200
RARE_SHARE = 0.02  # of the labeled pixels
SMALLEST_SHARE = 5e-4  # below it a class is too rare for its thickness to decide
THIN_PIXELS = 8.0  # of the network's input: an eighth of it is where the first network decodes
MOST_PIXELS_FOR_THIN = 4 * MAX_PIXELS

BATCH_SIZE = 8
FEW_BATCH_SIZE = 4
STEPS = 2000
VALIDATIONS = 20
LR_OF_TRAINED = 1e-3  # half of what a network learns with that begins with random weights
MILD_WEIGHTS = {"name": "enet", "c": 1.1}  # as the shipped weights were trained


@dataclass(frozen=True)
class DataFacts:
    """What decides the choice.

    Attributes:
        rarest: The class with the fewest pixels that occurs.
        rarest_share: Its share of the labeled pixels, 0..1.
        thinnest: The class whose objects are thinnest.
        thickness: Their mean thickness, in pixels of the frame.
        frame_hw: The size of a frame (height, width), the median.
    """

    num_images: int
    num_classes: int
    rarest: str
    rarest_share: float
    thinnest: str
    thickness: float
    frame_hw: tuple[int, int]


@dataclass(frozen=True)
class AutoChoice:
    """What is trained.

    Attributes:
        weights: The shipped weights to start from, or None.
        size_hw: The network's input.
        overrides: What is changed in the recipe of a named network.
        lines: The choice in words, with its reasons.
    """

    network: str
    weights: str | None
    size_hw: tuple[int, int]
    overrides: tuple[str, ...]
    lines: tuple[str, ...]


def examine_data(train_set: Dataset) -> DataFacts:
    """Look at some masks of the training data."""
    labels = train_set.labels
    areas, edges = np.zeros(len(labels)), np.zeros(len(labels))
    sizes: list[tuple[int, ...]] = []
    for sample in spread_samples(train_set, MASKS_LOOKED_AT):
        in_mask = areas_and_edges(sample.mask, len(labels))
        areas, edges = areas + in_mask[0], edges + in_mask[1]
        sizes.append(sample.mask.shape)
    shares = areas / max(areas.sum(), 1)
    occurring: list[int] = np.flatnonzero(areas).tolist()
    counted = [c for c in occurring if shares[c] >= SMALLEST_SHARE and edges[c] > 0]
    thickness = {c: 2 * areas[c] / edges[c] for c in counted}
    rarest = min(occurring, key=lambda c: shares[c], default=0)
    thinnest = min(thickness, key=lambda c: thickness[c], default=rarest)
    height, width = np.median(np.array(sizes), axis=0)
    return DataFacts(
        num_images=len(train_set),
        num_classes=len(labels),
        rarest=labels.names[rarest],
        rarest_share=float(shares[rarest]),
        thinnest=labels.names[thinnest],
        thickness=float(thickness.get(thinnest, math.inf)),
        frame_hw=(int(height), int(width)),
    )


def areas_and_edges(mask: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Count, for each class of a mask uint8 (H, W), its pixels and its borders with others.

    Twice the one over the other is the mean thickness: the width of a stripe.
    """
    areas = np.bincount(mask.ravel(), minlength=256)
    edges = np.zeros(256, np.int64)
    for one, other in ((mask[:-1], mask[1:]), (mask[:, :-1], mask[:, 1:])):
        differs = one != other
        edges += np.bincount(one[differs], minlength=256)
        edges += np.bincount(other[differs], minlength=256)
    return areas[:num_classes], edges[:num_classes]


def choose(train_set: Dataset, network: str | None = None) -> AutoChoice:
    """Choose network, weights, size and settings for training data.

    A given `network` is taken in any case.
    """
    facts = examine_data(train_set)
    size_hw = input_size_hw(train_set)
    is_thin = _in_input(facts, size_hw) < THIN_PIXELS
    if is_thin:
        size_hw = larger_size(facts, size_hw)
    network = network or (THIN_NETWORK if is_thin else NETWORK)
    weights = SHIPPED_WEIGHTS.get(network)
    return AutoChoice(
        network, weights, size_hw, _overrides(facts, size_hw), _lines(facts, network, size_hw)
    )


def larger_size(facts: DataFacts, size_hw: tuple[int, int]) -> tuple[int, int]:
    """Return a size at which the thinnest objects are thick enough, or as near as it may come.

    It has at most `MOST_PIXELS_FOR_THIN` pixels and is no larger than the frames.
    """
    asked = THIN_PIXELS / _in_input(facts, size_hw)
    allowed = math.sqrt(MOST_PIXELS_FOR_THIN / (size_hw[0] * size_hw[1]))
    of_frames = min(own / side for own, side in zip(facts.frame_hw, size_hw, strict=True))
    factor = max(1.0, min(asked, allowed, of_frames))
    height, width = (max(1, round(factor * side / STRIDE)) * STRIDE for side in size_hw)
    return height, width


def _in_input(facts: DataFacts, size_hw: tuple[int, int]) -> float:
    """Return the thickness of the thinnest objects in pixels of the network's input."""
    shrinks = [side / own for own, side in zip(facts.frame_hw, size_hw, strict=True)]
    return facts.thickness * min(shrinks)


def _overrides(facts: DataFacts, size_hw: tuple[int, int]) -> tuple[str, ...]:
    few = facts.num_images <= FEW_IMAGES
    batch_size = min(FEW_BATCH_SIZE if few else BATCH_SIZE, facts.num_images)
    steps_per_epoch = facts.num_images // batch_size
    epochs = min(max(math.ceil(STEPS / steps_per_epoch), EPOCHS[0]), EPOCHS[1])
    values: dict[str, Any] = {
        "input.size_hw": list(size_hw),
        "batch_size": batch_size,
        "stages.0.epochs": epochs,
        "validate_every": math.ceil(epochs / VALIDATIONS),
        "ema": averaging_decay(epochs * steps_per_epoch),
        "class_weights": MILD_WEIGHTS,
        "optimizer.lr": LR_OF_TRAINED,
    }
    if few:
        balanced = STRONG_AUGMENTATION["class_balanced"] if _has_rare_class(facts) else 0.0
        values["augmentation"] = {**STRONG_AUGMENTATION, "class_balanced": balanced}
    elif _has_rare_class(facts):
        values["augmentation.class_balanced"] = STRONG_AUGMENTATION["class_balanced"]
    return tuple(as_overrides(values))


def _has_rare_class(facts: DataFacts) -> bool:
    return facts.num_classes > 1 and facts.rarest_share < RARE_SHARE


def _lines(facts: DataFacts, network: str, size_hw: tuple[int, int]) -> tuple[str, ...]:
    few = ", varied strongly" if facts.num_images <= FEW_IMAGES else ""
    rare = f", crops laid around rare classes ({facts.rarest} {facts.rarest_share:.2%})"
    thin = (
        f"{facts.thinnest} is {_in_input(facts, size_hw):.1f} pixels thick in the input"
        if math.isfinite(facts.thickness)
        else "no class has borders"
    )
    return (
        f"auto: {network} at {size_hw[0]}x{size_hw[1]} (height x width), since {thin}",
        f"auto: {facts.num_images} images, {facts.num_classes} classes{few}"
        f"{rare if _has_rare_class(facts) else ''}",
    )
