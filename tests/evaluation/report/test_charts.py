import pytest

from swiftseg.evaluation.report.charts import Curve, frame_of, line_chart, ticks
from tests.support.parsed_html import parse_html


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1, 150, [50, 100, 150]),
        (0, 5e-4, [0, 1e-4, 2e-4, 3e-4, 4e-4, 5e-4]),
        (-3, 4, [-2, 0, 2, 4]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    "points", [[(1, 0.0)], [(1, 3.0)], [(1, 2.0), (2, 2.0)], [(1, -1.0), (9, 5.0)], [(1, 1e-12)]]
)
def test_every_point_lies_within_the_axes(points):
    frame = frame_of(points)
    chart = line_chart("t", [Curve("l", "first", points)], x_name="x")
    [svg] = parse_html(chart).children
    width, height = (float(side) for side in svg.attributes["viewbox"].split()[2:])
    for x, y in points:
        column, row = frame.at(x, y)
        assert 0 <= column <= width
        assert 0 <= row <= height
    assert svg.all("text", "tick")
