"""What tests do with the page in a browser."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

PATIENCE_MS = 120_000


def opened(page: Page, address: str, patience_ms: float = PATIENCE_MS) -> Page:
    """Opens the page and waits for its model."""
    page.goto(address)
    until(page, "Ready", patience_ms)
    return page


def until(page: Page, text: str, patience_ms: float = PATIENCE_MS) -> None:
    """Waits until the page's status holds a text."""
    expect(page.locator("#status")).to_contain_text(text, timeout=patience_ms)


def downloaded_labels(
    page: Page, frame: np.ndarray, patience_ms: float = PATIENCE_MS
) -> np.ndarray:
    """What the page says of a picture that is chosen, as it is downloaded."""
    page.evaluate("document.getElementById('status').textContent = ''")
    file = io.BytesIO()
    Image.fromarray(frame).save(file, format="PNG")
    picture = {"name": "frame.png", "mimeType": "image/png", "buffer": file.getvalue()}
    page.set_input_files("#file", picture)  # pyright: ignore[reportArgumentType]  # a TypedDict
    until(page, "Done", patience_ms)
    with page.expect_download() as download:
        page.click("#save-labels")
    image = Image.open(download.value.path())
    assert image.mode == "P"
    return np.asarray(image)
