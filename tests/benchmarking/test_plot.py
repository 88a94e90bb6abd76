from pathlib import Path
from xml.etree import ElementTree

import pytest

from swiftseg.benchmarking.plot import plot
from swiftseg.core import UsageError
from swiftseg.core.files import check_suffix, write_file
from tests.support.reports import measurement

SVG = "{http://www.w3.org/2000/svg}"


def bars(picture: str) -> list[tuple[float, float, str]]:
    """Left edge, width and stage of every part of a bar."""
    found: list[tuple[float, float, str]] = []
    for box in ElementTree.fromstring(picture).iter(f"{SVG}rect"):
        title = box.find(f"{SVG}title")
        if title is not None:
            found.append((float(box.get("x", "")), float(box.get("width", "")), title.text or ""))
    return found


def test_bars_are_as_long_as_their_stages():
    parts = bars(plot([measurement(total_ms=4.0), measurement("segnet", total_ms=8.0)], "It"))
    assert [title.split()[0] for _, _, title in parts] == 2 * ["read", "network", "color"]
    widths = [width for _, width, _ in parts]
    assert widths[4] == pytest.approx(2 * widths[1], abs=0.2)
    assert parts[1][0] == pytest.approx(parts[0][0] + parts[0][1], abs=0.2)


def test_names_are_escaped():
    assert "a&lt;b" in plot([measurement("a<b")], "It")


@pytest.mark.parametrize("total_ms", [0.01, 0.9, 7.0, 8400.0])
def test_the_axis_has_a_few_lines(total_ms: float):
    lines = list(ElementTree.fromstring(plot([measurement(total_ms=total_ms)], "It")))
    assert 3 <= sum(line.tag == f"{SVG}line" for line in lines) <= 8


def test_the_file_is_svg(tmp_path: Path):
    path = tmp_path / "speed.svg"
    check_suffix(path, ".svg")
    write_file(path, plot([measurement()], "It"))
    assert ElementTree.parse(path).getroot().tag == f"{SVG}svg"
    with pytest.raises(UsageError, match=r"ends in .svg, got speed.png"):
        check_suffix(Path("speed.png"), ".svg")
