"""The page on WebGPU: Chromium's own adapter, in software, computes where there is no other."""

import shutil
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from swiftseg.data.toy_street import render_clip
from swiftseg.exporting.web import export_web
from swiftseg.inference import Segmenter
from swiftseg.web import built_page
from tests.support.browser_page import downloaded_labels, opened, until
from tests.support.exported import write_shade_model
from tests.web.conftest import MODEL, flawless_page, hosting

pytestmark = pytest.mark.slow

PATIENCE_MS = 900_000  # in software a network takes half a minute a frame, and its shaders more
ADAPTER = "navigator.gpu?.requestAdapter().then((adapter) => adapter !== null) ?? false"
SIZE_HW = (48, 64)


@pytest.fixture(scope="module")
def gpu_browser(chromium: Callable[..., Browser]) -> Iterator[Browser]:
    with chromium("--enable-unsafe-webgpu") as browser:
        yield browser


@pytest.fixture(scope="module")
def shades(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose shaders are compiled within seconds."""
    return write_shade_model(tmp_path_factory.mktemp("model") / "m.onnx", size_hw=SIZE_HW)


@pytest.fixture(scope="module")
def shades_folder(shades: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if built_page() is None:
        pytest.skip("the package was built without its page")
    folder = tmp_path_factory.mktemp("export") / "web"
    export_web(shades, folder)
    return folder


@pytest.fixture
def address(shades_folder: Path) -> Iterator[str]:
    with hosting(shades_folder) as (address, _):
        yield address


@pytest.fixture
def page(gpu_browser: Browser, address: str) -> Iterator[Page]:
    with flawless_page(gpu_browser) as page:
        page.goto(f"{address}manifest.json")  # WebGPU is for secure origins alone
        if not page.evaluate(ADAPTER):
            pytest.skip("this Chromium has no WebGPU adapter, not even one in software")
        yield page


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    sizes = ((360, 480), (720, 960))
    return [s.image for number, size in enumerate(sizes) for s in render_clip(number, 3, size)]


def _smallest_share_of_equal_labels(page: Page, model: str, frames: list[np.ndarray]) -> float:
    segmenter = Segmenter.load(model, threads=1)
    labels = [downloaded_labels(page, frame, PATIENCE_MS) for frame in frames]
    assert page.inner_text("#status").endswith("by WebGPU.")
    expected = [segmenter(frame).label_map for frame in frames]
    return min(np.mean(ours == theirs) for ours, theirs in zip(labels, expected, strict=True))


def test_a_small_model_gives_pythons_labels(
    page: Page, address: str, shades: Path, frames: list[np.ndarray]
) -> None:
    opened(page, f"{address}?device=webgpu")
    assert page.inner_text("#status") == "Ready: WebGPU."
    assert _smallest_share_of_equal_labels(page, str(shades), frames) >= 0.9999


def test_a_network_gives_pythons_labels(
    page: Page, host: tuple[str, ThreadingHTTPServer], frames: list[np.ndarray]
) -> None:
    opened(page, f"{host[0]}?device=webgpu", PATIENCE_MS)
    assert _smallest_share_of_equal_labels(page, MODEL, frames[::3]) >= 0.999


def test_an_adapter_in_software_is_taken_only_where_it_is_asked_for(
    page: Page, address: str
) -> None:
    is_software = page.evaluate(
        "navigator.gpu.requestAdapter().then(({ info }) => info.isFallbackAdapter)"
    )
    opened(page, address)
    assert ("WebAssembly" in page.inner_text("#status")) == is_software


def test_webassembly_goes_on_where_the_graphics_processor_is_lost(
    page: Page, address: str, frames: list[np.ndarray]
) -> None:
    opened(page, f"{address}?device=webgpu")
    expected = downloaded_labels(page, frames[0])
    assert page.context.browser is not None
    page.context.browser.new_browser_cdp_session().send("Browser.crashGpuProcess")
    np.testing.assert_array_equal(downloaded_labels(page, frames[0]), expected)
    assert "by WebAssembly" in page.inner_text("#status")
    assert "WebGPU failed" in page.inner_text("#status")


def test_webassembly_computes_where_the_webgpu_runtime_cannot_be_had(
    page: Page, shades_folder: Path, tmp_path: Path, frames: list[np.ndarray]
) -> None:
    folder = tmp_path / "web"
    shutil.copytree(shades_folder, folder)
    [runtime] = folder.glob("ort-*/*.asyncify.wasm")
    runtime.unlink()
    with hosting(folder) as (address, _):
        page.goto(f"{address}?device=webgpu")
        until(page, "WebGPU failed")
        assert "Ready: WebAssembly" in page.inner_text("#status")
        assert downloaded_labels(page, frames[0]).shape == (360, 480)


def test_what_is_asked_for_and_not_there_is_told_of(
    chromium: Callable[..., Browser], address: str
) -> None:
    with chromium("--disable-gpu") as browser, flawless_page(browser) as page:
        opened(page, f"{address}?device=webgpu")
        assert "this browser has no WebGPU" in page.inner_text("#status")
