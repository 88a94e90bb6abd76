"""Writes docs/speed.md from the speed scripts' results: `python benchmarks/speed_page.py`."""

from pathlib import Path

from report_markdown import report_markdown
from speed_report import load_report

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/speed.md"
RESULTS = ROOT / "benchmarks/results"
SCRIPTS = ("goals", "peers", "enet_speed", "segfast_speed", "fast_scnn_speed", "shelfnet_speed")

INTRO = """\
# Speed

<!-- Written by benchmarks/speed_page.py from benchmarks/results/*.json; not by hand. -->

`make benchmarks` takes all numbers of this page again, on any machine. What they have in common:

- One frame at a time. Every way to run a network has processes of its own, since the threads of one
  engine slow down another's in the same process, and the processes take turns, so that a drift of
  the machine meets all alike. Numbers are medians over all of them after a warm-up.
- Sizes are height x width, unless WxH says otherwise. *Frame to labels* begins with an image uint8
  in memory and ends with its class indices uint8; *file to overlay* adds decoding the JPEG before
  and blending the classes' colors over the image after.
- Times of papers are those of their own hardware. What can be compared are quotients of two times
  of one machine; those stand side by side.
- *torch eager* is the network in torch as a tutorial runs it. All else is swiftseg's own path
  through an exported file."""


def page(folder: Path) -> str:
    """Return the whole page from the reports in a folder.

    Raises:
        SwiftsegError: A script's report is missing or of another version.
    """
    reports = [load_report(folder / f"{name}.json") for name in SCRIPTS]
    return "\n".join([INTRO, "", *(report_markdown(report) for report in reports)])


if __name__ == "__main__":
    PAGE.write_text(page(RESULTS), encoding="utf-8")
    print(f"wrote {PAGE}")
