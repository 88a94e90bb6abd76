"""The public ports whose files can be told by their names, as ports.yaml lists them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter

from swiftseg.core.yaml_text import parse_yaml

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Frames:
    """The frames that weights were trained on.

    Attributes:
        mean: Per RGB channel in 0..1, or None where nobody knows.
        std: Per RGB channel in 0..1, or None.
    """

    text: str
    mean: Triple | None = None
    std: Triple | None = None


IMAGENET = Frames(
    "RGB in 0..1, less mean (0.485, 0.456, 0.406), over standard deviation (0.229, 0.224, 0.225)",
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)
PLAIN = Frames("RGB in 0..1", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
CAFFE = Frames(
    "RGB in 0..1, less mean (0.4811, 0.4575, 0.4079), over 1/255 = 0.00392157",
    (0.4811, 0.4575, 0.4079),
    (1 / 255, 1 / 255, 1 / 255),
)

USUAL_HW = (480, 640)  # for weights whose port does not tell the size of its frames

# What `swiftseg import --normalization` names, for weights whose port does not tell.
NORMALIZATIONS: Mapping[str, Frames] = {"imagenet": IMAGENET, "plain": PLAIN, "caffe": CAFFE}


def layer_names(patterns: str) -> tuple[str, ...]:
    """Return the names that patterns stand for: `a{1,2}.{b,c}` is a1.b a1.c a2.b a2.c."""
    parts = ([part.split(",") for part in re.split("[{}]", text)] for text in patterns.split())
    return tuple("".join(choice) for choices in parts for choice in product(*choices))


def _frames(named: str) -> Frames:
    """Return the frames of that name, or what a text says of frames that nobody knows."""
    return NORMALIZATIONS.get(named) or Frames(named)


@dataclass(frozen=True)
class Port:
    """A public implementation whose weights a network here can take.

    Attributes:
        name: What `--port` calls it.
        source: Where it is published.
        layers: Its layers in the order of ours; the first is what its files are told by.
        options: The variant of the network here that computes what the port does.
        deviations: Where it departs from the paper, and what was done about it.
        training_only: Prefixes of layers that inference does not use.
        scaled: Factors for weights, by their name, that the port applies elsewhere or not at all.
        bgr_input: The convolution that sees BGR, whose input channels are reversed here.
        expects: The frames its weights were trained on.
        size_hw: Their size, or what comes near it.
        classes: The published label sets its weights were trained on, by the number of classes.
    """

    name: str
    source: str
    layers: Annotated[tuple[str, ...], BeforeValidator(layer_names)]
    expects: Annotated[Frames, BeforeValidator(_frames)]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    deviations: tuple[str, ...] = ()
    training_only: tuple[str, ...] = ()
    scaled: Mapping[str, float] = field(default_factory=dict[str, float])
    bgr_input: str | None = None
    size_hw: tuple[int, int] = USUAL_HW
    classes: Mapping[int, str] = field(default_factory=dict[int, str])


@dataclass(frozen=True)
class RefusedPort:
    """A public implementation that is another network than the paper's.

    Attributes:
        mark: A layer that only its files have.
        deviations: What no weights can make up for.
    """

    source: str
    mark: str
    deviations: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What is known of a network's ports."""

    ports: tuple[Port, ...] = ()
    refused: tuple[RefusedPort, ...] = ()


@cache
def known_ports() -> Mapping[str, Known]:
    """Return what is known of the ports of every network that takes foreign weights."""
    text = (files("swiftseg.importing") / "ports.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, Known]).validate_python(parse_yaml(text))
