"""Line charts as SVG, which scale with the page and follow its colors."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from swiftseg.evaluation.report.markup import Markup, join, tag

WIDTH, HEIGHT = 400, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 40, 34
TICKS = 5
MAX_DOTS = 60

Point = tuple[float, float]


class Line(NamedTuple):
    """A series: points by x; `kind` is the class of its style (`first`, `second`, `ideal`)."""

    name: str
    kind: str
    points: Sequence[Point]


class Mark(NamedTuple):
    """A vertical line with a word, such as the beginning of a stage."""

    x: float
    text: str


class Frame(NamedTuple):
    """The ranges of both axes."""

    left: float
    right: float
    low: float
    high: float

    def at(self, x: float, y: float) -> Point:
        """Gives the pixel of a value."""
        across = (x - self.left) / (self.right - self.left)
        up = (y - self.low) / (self.high - self.low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (
            HEIGHT - TOP - BOTTOM
        )


def line_chart(
    title: str,
    lines: Sequence[Line],
    *,
    x_name: str,
    marks: Sequence[Mark] = (),
    frame: Frame | None = None,
    before: Markup | None = None,
) -> Markup:
    """Draws lines over two axes.

    Args:
        title: Above the chart.
        lines: With one point or more among them.
        x_name: Beneath it.
        marks: Vertical lines.
        frame: The axes' ranges; None takes them from the points.
        before: Drawn beneath the lines.
    """
    if frame is None:
        frame = frame_of([point for line in lines for point in line.points])
    parts = [
        tag("text", title, x=LEFT - 40, y=15, class_="chart-title"),
        *_axes(frame, x_name),
        *(_mark(mark, frame) for mark in marks),
        before or Markup(""),
        *(_line(line, frame) for line in lines),
        *(_key(lines) if len(lines) > 1 else ()),
    ]
    return tag(
        "svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="chart", role="img", aria_label=title
    )


def frame_of(points: Sequence[Point]) -> Frame:
    """Gives ranges that hold all points: the lower end is zero where no value is below."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, right = min(xs), max(xs)
    low, high = min(0.0, *ys), max(ys)
    margin = 0.05 * (high - low)
    return Frame(left, right if right > left else left + 1, low, high + margin if margin else 1.0)


def ticks(low: float, high: float, count: int = TICKS) -> list[float]:
    """Gives round values between two bounds: about `count`, in steps of 1, 2 or 5 times 10**k."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _axes(frame: Frame, x_name: str) -> list[Markup]:
    parts: list[Markup] = []
    for y in ticks(frame.low, frame.high):
        _, row = frame.at(frame.left, y)
        parts.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=row, y2=row, class_="grid"))
        parts.append(tag("text", f"{y:g}", x=LEFT - 6, y=row + 4, class_="tick end"))
    for x in ticks(frame.left, frame.right):
        column, _ = frame.at(x, frame.low)
        parts.append(tag("text", f"{x:g}", x=column, y=HEIGHT - 18, class_="tick middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(tag("text", x_name, x=middle, y=HEIGHT - 4, class_="tick middle"))
    return parts


def _mark(mark: Mark, frame: Frame) -> Markup:
    column, _ = frame.at(mark.x, frame.low)
    line = tag("line", x1=column, x2=column, y1=TOP, y2=HEIGHT - BOTTOM, class_="mark")
    return join(line, tag("text", mark.text, x=column, y=TOP - 5, class_="tick"))


def _line(line: Line, frame: Frame) -> Markup:
    places = [frame.at(x, y) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots: list[Markup] = []
    if len(places) <= MAX_DOTS:
        for (x, y), (column, row) in zip(line.points, places, strict=True):
            told = tag("title", f"{line.name} {y:.4g} at {x:g}")
            dots.append(tag("circle", told, cx=column, cy=row, r=2.5, class_=f"dot {line.kind}"))
    return join(tag("polyline", points=path, class_=f"line {line.kind}"), *dots)


def _key(lines: Sequence[Line]) -> list[Markup]:
    parts: list[Markup] = []
    right = WIDTH - RIGHT
    for line in reversed(lines):
        parts.append(tag("text", line.name, x=right, y=15, class_="tick end"))
        start = right - 6 * len(line.name) - 22
        parts.append(tag("line", x1=start, x2=start + 14, y1=11, y2=11, class_=f"line {line.kind}"))
        right = start - 12
    return parts
