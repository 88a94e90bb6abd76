"""Line charts as SVG, which scale with the page and follow its colors."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from swiftseg.core.templates import render

LEFT, RIGHT, TOP, BOTTOM = 52, 388, 40, 206  # the axes within the 400x240 of chart.svg
TICKS = 5
MAX_DOTS = 60

Point = tuple[float, float]


class Curve(NamedTuple):
    """A series: points by x; `kind` is the class of its style (`first`, `second`, `ideal`)."""

    name: str
    kind: str
    points: Sequence[Point]


class Mark(NamedTuple):
    """A vertical line with a word, such as the beginning of a stage."""

    x: float
    text: str


class Bar(NamedTuple):
    """A bar that stands on zero beneath the lines, as high as the share of pixels it holds."""

    left: float
    right: float
    share: float


class ChartFrame(NamedTuple):
    """The ranges of both axes."""

    left: float
    right: float
    low: float
    high: float

    def at(self, x: float, y: float) -> Point:
        """Return the pixel of a value."""
        across = (x - self.left) / (self.right - self.left)
        up = (y - self.low) / (self.high - self.low)
        return LEFT + across * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP)


def line_chart(
    title: str,
    lines: Sequence[Curve],
    *,
    x_name: str,
    marks: Sequence[Mark] = (),
    frame: ChartFrame | None = None,
    bars: Sequence[Bar] = (),
) -> Markup:
    """Return lines over two axes, with bars beneath them; `marks` are vertical lines.

    `frame` is the range of the axes; None takes it from the points.
    """
    frame = frame or frame_of([point for line in lines for point in line.points])
    return render(
        "evaluation/report/chart.svg",
        title=title,
        lines=lines,
        x_name=x_name,
        marks=marks,
        frame=frame,
        bars=bars,
        most_dots=MAX_DOTS,
        x_ticks=ticks(frame.left, frame.right),
        y_ticks=ticks(frame.low, frame.high),
    )


def frame_of(points: Sequence[Point]) -> ChartFrame:
    """Return ranges that hold all points; the lower end is zero where no value is below."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, right = min(xs), max(xs)
    low, high = min(0.0, *ys), max(ys)
    margin = 0.05 * (high - low)
    return ChartFrame(
        left, right if right > left else left + 1, low, high + margin if margin else 1.0
    )


def ticks(low: float, high: float, count: int = TICKS) -> list[float]:
    """Return about `count` round values between two bounds, in steps of 1, 2 or 5 times 10**k."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]
