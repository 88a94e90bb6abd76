"""What is scored and how, alike in every command that scores a model."""

from typing import Annotated

import typer

from swiftseg.core import UsageError

DataOption = Annotated[
    str, typer.Option("--data", help="The folder of the labeled data, or toystreet.")
]
SplitOption = Annotated[str, typer.Option("--split", help="The part of the data to score.")]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset", help="The reader and class set.", show_default="detected from the folder"
    ),
]
ProtocolOption = Annotated[
    str | None,
    typer.Option(
        "--protocol",
        help="native (labels at their own size), or a paper's: enet, segfast, shelfnet.",
        show_default="native, in the form that fits the model",
    ),
]
ScalesOption = Annotated[
    str | None,
    typer.Option(
        "--scales",
        metavar="S,S,...",
        help="Average probabilities over scales: 0.75,1.0,1.25.",
    ),
]
FlipOption = Annotated[bool, typer.Option("--flip", help="Average over mirror images too.")]
SlidingOption = Annotated[
    bool, typer.Option("--sliding", help="Go over the frames in windows of the network's size.")
]
CalibrationErrorOption = Annotated[
    bool, typer.Option("--calibration-error", help="Compute the expected calibration error too.")
]


def parse_scales(text: str) -> tuple[float, ...]:
    """Read scales such as 0.5,1.0,1.5; raise UsageError for what is no number."""
    try:
        return tuple(float(scale) for scale in text.split(","))
    except ValueError as error:
        raise UsageError(f"--scales {text}: expected numbers such as 0.5,1.0,1.5") from error
