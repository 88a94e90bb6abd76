"""Latencies as a picture: one bar a measurement, its stages side by side, as SVG."""

from collections.abc import Sequence
from math import floor, log10
from pathlib import Path
from xml.sax.saxutils import escape

from swiftseg.benchmarking.markdown import milliseconds
from swiftseg.benchmarking.report import Measurement
from swiftseg.core import UsageError
from swiftseg.core.files import replacing

_BARS, _VALUE = 560, 70  # widths of the longest bar and of the number to its right
_CHARACTER = 7.2  # wider than most at this size
_ROW, _BAR, _HEAD, _FOOT = 34, 22, 76, 40
# Okabe and Ito's colors, which color-blind readers tell apart.
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
_FONT = "font-family='system-ui, sans-serif' font-size='13'"


def save_plot(measurements: Sequence[Measurement], title: str, path: Path) -> None:
    """Writes the medians as stacked bars, milliseconds to the right.

    Args:
        measurements: Each with its stages, or with its total alone.
        title: Stands above.
        path: The file.

    Raises:
        SwiftsegError: The file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(plot(measurements, title), encoding="utf-8")


def check_plot_path(path: Path) -> None:
    """Raises UsageError where the name does not end in .svg."""
    if path.suffix != ".svg":
        raise UsageError(f"expected a file name that ends in .svg, got {path}")


def plot(measurements: Sequence[Measurement], title: str) -> str:
    """Gives the picture of `save_plot`."""
    bars = [_parts(measurement) for measurement in measurements]
    stages = list(dict.fromkeys(stage for parts in bars for stage in parts))
    longest_ms = max(sum(parts.values()) for parts in bars)
    step_ms = _step(longest_ms)
    scale = _BARS / longest_ms
    left = 26 + _CHARACTER * max(len(_label(measurement)) for measurement in measurements)
    width, height = left + _BARS + _VALUE, _HEAD + _ROW * len(bars) + _FOOT
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height}' {_FONT}>",
        f"<rect width='{width:.0f}' height='{height}' fill='white'/>",
        _text(16, 26, title, "font-size='16' font-weight='600'"),
        *_legend(stages),
        *_axis(longest_ms, step_ms, scale, left, height),
    ]
    for row, (measurement, parts) in enumerate(zip(measurements, bars, strict=True)):
        top = _HEAD + _ROW * row
        lines += _bar(_label(measurement), parts, stages, (left, top), scale)
    return "\n".join([*lines, "</svg>", ""])


def _parts(measurement: Measurement) -> dict[str, float]:
    stages = {name: spread.p50_ms for name, spread in measurement.stages_ms.items()}
    return stages or {measurement.scope: measurement.total_ms.p50_ms}


def _step(longest: float) -> float:
    """Gives the distance of about six grid lines: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(longest / 6))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= longest / 6)


def _legend(stages: Sequence[str]) -> list[str]:
    lines: list[str] = []
    left = 16.0
    for index, stage in enumerate(stages):
        color = _COLORS[index % len(_COLORS)]
        lines.append(f"<rect x='{left:.0f}' y='42' width='12' height='12' fill='{color}'/>")
        lines.append(_text(left + 18, 53, stage))
        left += 40 + 7.5 * len(stage)
    return lines


def _axis(longest_ms: float, step_ms: float, scale: float, left: float, height: int) -> list[str]:
    lines: list[str] = []
    for index in range(int(longest_ms / step_ms) + 1):
        x = left + index * step_ms * scale
        line = f"x1='{x:.1f}' x2='{x:.1f}' y1='{_HEAD - 6}' y2='{height - _FOOT + 4}'"
        lines.append(f"<line {line} stroke='#ddd'/>")
        label = f"{index * step_ms:g}" + (" ms" if index == 0 else "")
        lines.append(_text(x, height - _FOOT + 20, label, "text-anchor='middle' fill='#555'"))
    return lines


def _label(measurement: Measurement) -> str:
    size = "{}x{}".format(*measurement.size_hw)
    return f"{measurement.name}, {measurement.way} {measurement.precision}, {size}"


def _bar(
    label: str,
    parts: dict[str, float],
    stages: Sequence[str],
    corner: tuple[float, float],
    scale: float,
) -> list[str]:
    left, top = corner
    middle = top + _BAR / 2 + 5
    lines = [_text(left - 10, middle, label, "text-anchor='end'")]
    for stage, value_ms in parts.items():
        color = _COLORS[stages.index(stage) % len(_COLORS)]
        box = f"x='{left:.1f}' y='{top}' width='{value_ms * scale:.1f}' height='{_BAR}'"
        told = f"<title>{escape(stage)} {milliseconds(value_ms)} ms</title>"
        lines.append(f"<rect {box} fill='{color}'>{told}</rect>")
        left += value_ms * scale
    lines.append(_text(left + 6, middle, milliseconds(sum(parts.values()))))
    return lines


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(text)}</text>"
