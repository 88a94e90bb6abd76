"""Makes the pictures of docs/gallery.md by the commands that stand beside them there.

    python benchmarks/gallery.py

All scenes are rendered, so that the pictures may be handed on. It needs Debian's chromium and the
built page (make page).
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from swiftseg.core.files import replacing

PICTURES = Path(__file__).parents[1] / "docs/images/gallery"
CHROMIUM = "/usr/bin/chromium"
MODEL = "enet-toystreet"
VIEW = {"width": 1100, "height": 520}  # the page above its times
PHONE = {"width": 390, "height": 780}
WEBP_QUALITY = 82


def swiftseg(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "swiftseg", *arguments]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def keep(picture: Path | Image.Image, name: str) -> None:
    image = picture if isinstance(picture, Image.Image) else Image.open(picture)
    with replacing(PICTURES / f"{name}.webp") as temporary:
        image.convert("RGB").save(temporary, format="WEBP", quality=WEBP_QUALITY, method=6)


def screenshot(page: Page, name: str, folder: Path) -> None:
    path = folder / f"{name}.png"
    page.screenshot(path=path)
    keep(path, name)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Yields the address of `swiftseg serve`."""
    command = [sys.executable, "-m", "swiftseg", "serve", MODEL, "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        try:
            yield found.group()
        finally:
            process.terminate()


def page_pictures(page: Page, scene: Path, folder: Path) -> None:
    """The server's page with a scene labeled, on a desk in the light and on a phone in the dark."""
    with served(folder) as address:
        for name, size, scheme in (("page", VIEW, "light"), ("phone", PHONE, "dark")):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            page.goto(address)
            page.wait_for_selector("#pick:enabled")
            page.set_input_files("#file", scene)
            page.wait_for_function(
                "document.getElementById('status').textContent.startsWith('Done')"
            )
            screenshot(page, name, folder)
    page.set_viewport_size(VIEW)
    page.emulate_media(color_scheme="light")


def report_picture(page: Page, report: Path, heading: str, name: str, folder: Path) -> None:
    """A report from one of its headings on; above stand this machine's paths and times."""
    page.goto(report.as_uri())
    place = page.get_by_role("heading", name=heading, exact=True)
    place.evaluate("element => element.scrollIntoView()")
    screenshot(page, name, folder)


def main() -> None:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        swiftseg(folder, "data", "sample", "streets", "--scenes", "20")
        swiftseg(folder, "data", "check", "streets", "--out", "checked")
        swiftseg(folder, "predict", "streets/images", "--model", MODEL, "--out", "predictions")
        swiftseg(folder, "report", MODEL, "--data", "toystreet", "--out", "report.html")
        swiftseg(
            folder, "label", "streets/images", "--model", MODEL, "--out", "labels", "--engine",
            "local", "--report",
        )  # fmt: skip
        [sheet] = (folder / "checked").rglob("*.png")
        keep(sheet, "contact-sheet")
        overlay = sorted((folder / "predictions/overlay").rglob("*.jpg"))[0]
        keep(overlay, "overlay")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEW)
        report_picture(page, folder / "report.html", "Classes", "report", folder)
        report_picture(
            page,
            next((folder / "labels").rglob("*.html")),
            "Frames least sure",
            "label-report",
            folder,
        )
        scene = sorted((folder / "streets/images").rglob("*.*"))[0]
        page_pictures(page, scene, folder)
        browser.close()


if __name__ == "__main__":
    main()
