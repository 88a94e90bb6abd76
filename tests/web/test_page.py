"""The page in a real browser: alone on a static host, and in front of the server."""

import shutil
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Event

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from swiftseg.data.toy_street import render_clip
from swiftseg.inference import Segmenter
from swiftseg.server.limits import Limits
from swiftseg.web import built_page
from tests.support.browser_page import PATIENCE_MS, downloaded_labels, opened, until
from tests.support.served import GatedSegmenter, serving
from tests.web.conftest import MODEL, hosting

pytestmark = pytest.mark.slow

Host = tuple[str, ThreadingHTTPServer]


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter.load(MODEL, threads=1)


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """Half as large as the network's frames, and of other sizes and shapes."""
    sizes = ((360, 480), (200, 333), (900, 1100), (720, 960))
    return [s.image for number, size in enumerate(sizes) for s in render_clip(number, 5, size)]


def test_labels_in_the_browser_are_pythons(
    page: Page, host: Host, segmenter: Segmenter, frames: list[np.ndarray]
) -> None:
    fetched = _addresses(page)
    opened(page, host[0])
    equal = [np.mean(downloaded_labels(page, f) == segmenter(f).label_map) for f in frames]
    assert len(equal) == 20
    assert np.average(equal, weights=[f.size for f in frames]) >= 0.9999
    assert min(equal) >= 0.999
    assert not any("/ort" in address for address in fetched)  # the page's own kernel computed


def _addresses(page: Page) -> list[str]:
    """What the page and its workers ask for, from now on."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    return addresses


def test_threads_run_and_the_page_opens_offline(
    page: Page, host: Host, frames: list[np.ndarray]
) -> None:
    opened(page, host[0])
    assert "WebAssembly" in page.inner_text("#status")  # there is no WebGPU here
    assert page.evaluate("crossOriginIsolated")
    expect(page.locator("#privacy")).to_contain_text("stays on this machine")
    host[1].shutdown()
    host[1].server_close()
    page.reload()
    until(page, "Ready")
    assert downloaded_labels(page, frames[0]).shape == (360, 480)


def test_onnx_runtime_computes_where_the_pages_kernel_cannot(
    page: Page, static_folder: Path, segmenter: Segmenter, frames: list[np.ndarray], tmp_path: Path
) -> None:
    folder = tmp_path / "web"
    shutil.copytree(static_folder, folder)
    [plan] = folder.glob("*.plan")
    plan.unlink()
    fetched = _addresses(page)
    with hosting(folder) as (address, _):
        opened(page, address)
        assert "WebAssembly" in page.inner_text("#status")
        labels = downloaded_labels(page, frames[0])
    assert any("/ort" in address for address in fetched)
    assert np.mean(labels == segmenter(frames[0]).label_map) >= 0.9999


def test_a_broken_picture_is_told_of(page: Page, host: Host, frames: list[np.ndarray]) -> None:
    opened(page, host[0])
    broken = {"name": "notes.png", "mimeType": "image/png", "buffer": b"these are notes"}
    page.set_input_files("#file", broken)
    until(page, "notes.png is no picture this browser can read")
    film = {"name": "notes.mp4", "mimeType": "video/mp4", "buffer": b"these are notes"}
    page.set_input_files("#file", film)
    until(page, "notes.mp4 is no video this browser can play")
    assert downloaded_labels(page, frames[0]).shape == (360, 480)


_HAND_OVER = """([kind, bytes]) => {
    const data = new DataTransfer();
    if (bytes) data.items.add(new File([new Uint8Array(bytes)], "it.webp", { type: "image/webp" }));
    const options = { bubbles: true, cancelable: true };
    document.body.dispatchEvent(kind === "drop"
        ? new DragEvent("drop", { ...options, dataTransfer: data })
        : new ClipboardEvent("paste", { ...options, clipboardData: data }));
}"""


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted_at_once(
    page: Page, host: Host, static_folder: Path, kind: str
) -> None:
    page.goto(host[0])
    # It is loaded once more to be isolated.
    page.wait_for_function("crossOriginIsolated && document.readyState === 'complete'")
    page.evaluate(_HAND_OVER, [kind, list((static_folder / "sample.webp").read_bytes())])
    until(page, "Done")


def test_what_is_dropped_and_no_file_is_told_of(page: Page, host: Host) -> None:
    opened(page, host[0])
    page.evaluate(_HAND_OVER, ["drop", None])
    until(page, "drop a picture or a video")


def test_the_camera_is_segmented_until_it_is_stopped(page: Page, host: Host) -> None:
    opened(page, host[0])
    page.click("#camera")
    expect(page.locator("#timings")).to_contain_text("frames a second", timeout=PATIENCE_MS)
    page.click("#stop")
    until(page, "Stopped")
    expect(page.locator("#stop")).to_be_hidden()


def test_a_camera_that_stops_is_told_of(page: Page, host: Host) -> None:
    page.add_init_script(
        "const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        "navigator.mediaDevices.getUserMedia = async (wish) => (window.stream = await ask(wish));"
    )
    opened(page, host[0])
    page.click("#camera")
    expect(page.locator("#timings")).to_contain_text("frames a second", timeout=PATIENCE_MS)
    # As the browser tells of a camera that is unplugged.
    page.evaluate("() => stream.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    until(page, "the camera has stopped")
    expect(page.locator("#stop")).to_be_hidden()


def test_a_video_without_pictures_is_told_of(page: Page, host: Host, tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp4"
    _write_sound(sound)
    opened(page, host[0])
    page.set_input_files("#file", sound)
    until(page, "sound.mp4 is no video this browser can play")


def _write_sound(path: Path) -> None:
    import av

    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate = 8000
        container.mux(stream.encode(silence))
        container.mux(stream.encode())


def test_a_video_is_segmented(page: Page, host: Host, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    _write_film(film)
    opened(page, host[0])
    page.set_input_files("#file", film)
    expect(page.locator("#timings")).to_contain_text("frames a second", timeout=PATIENCE_MS)
    assert page.evaluate("document.getElementById('picture').width") == 160


def _write_film(path: Path) -> None:
    import av

    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for sample in render_clip(0, 10, (120, 160)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(sample.image)))
        container.mux(stream.encode())


def test_classes_are_shown_told_and_switched_off(page: Page, host: Host) -> None:
    opened(page, host[0])
    page.click("#sample")
    until(page, "Done")
    shares = page.locator("#legend .share").all_inner_texts()
    assert sum(float(share.removesuffix(" %")) for share in shares) == pytest.approx(100, abs=1)
    page.focus("#picture")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
    expect(page.locator("#cursor")).to_be_visible()
    name = page.inner_text("#pointed")
    assert name in page.locator("#legend .name").all_inner_texts()
    button = page.locator(f"#legend button:has-text('{name}')").first
    before = _opaque(page)
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    assert _opaque(page) < before
    page.fill("#compare", "100")
    assert page.evaluate("getComputedStyle(colors).clipPath") == "inset(0px 0px 0px 100%)"


def _opaque(page: Page) -> int:
    """Pixels that have a color at all."""
    return page.evaluate(
        "() => { const c = document.getElementById('colors');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"
    )


@pytest.fixture
def served(segmenter: Segmenter) -> Iterator[str]:
    if built_page() is None:
        pytest.skip("the package was built without its page")
    with serving(segmenter, page=built_page(), key="geheim") as address:
        yield address


def test_the_server_gives_the_same_labels_and_the_page_says_where_pictures_go(
    page: Page, served: str, segmenter: Segmenter, frames: list[np.ndarray]
) -> None:
    page.goto(served)
    page.fill("#key", "geheim")
    page.keyboard.press("Enter")
    until(page, "Ready")
    expect(page.locator("#privacy")).to_contain_text("is sent to 127.0.0.1")
    assert page.evaluate("crossOriginIsolated")
    for frame in frames[::6]:
        np.testing.assert_array_equal(downloaded_labels(page, frame), segmenter(frame).label_map)


def test_the_page_waits_for_a_server_whose_models_are_loading(
    page: Page, segmenter: Segmenter
) -> None:
    if built_page() is None:
        pytest.skip("the package was built without its page")
    gate = Event()

    def load() -> dict[str, Segmenter]:
        assert gate.wait(60)
        return {"streets": segmenter}

    with serving(load=load, page=built_page()) as address:
        page.goto(address)
        until(page, "asks again in 1 s")
        gate.set()
        until(page, "Ready")


def test_a_video_goes_on_when_a_full_server_has_a_place_again(
    page: Page, segmenter: Segmenter, frames: list[np.ndarray], tmp_path: Path
) -> None:
    if built_page() is None:
        pytest.skip("the package was built without its page")
    picture, film = tmp_path / "frame.png", tmp_path / "film.mp4"
    Image.fromarray(frames[0]).save(picture)
    _write_film(film)
    gated = GatedSegmenter(segmenter)
    limits = Limits(max_queue=1, max_batch=1, max_wait_s=60)
    with (
        serving(gated, limits=limits, workers=1, page=built_page()) as address,
        ThreadPoolExecutor(3) as pool,
    ):
        opened(page, address)
        ask = partial(httpx.post, f"{address}/v1/segment", content=picture.read_bytes(), timeout=60)
        asked = [pool.submit(ask) for _ in range(3)]
        [refused] = wait(asked, return_when=FIRST_COMPLETED).done  # two have a place
        assert refused.result().status_code == 429
        page.set_input_files("#file", film)
        until(page, "asks again in")
        gated.gate.set()
        until(page, "Playing")
        left_out = page.locator("#timings dt:has-text('frames left out') + dd")
        assert int(left_out.inner_text()) > 0
        expect(page.locator("#stop")).to_be_visible()


def test_a_wrong_key_is_asked_for_again(page: Page, served: str) -> None:
    page.goto(served)
    page.fill("#key", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#key-refusal")).to_have_text("This key is wrong.", timeout=PATIENCE_MS)
    page.fill("#key", "geheim")
    page.keyboard.press("Enter")
    until(page, "Ready")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_its_width(page: Page, host: Host, width: int, theme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=theme)
    opened(page, host[0])
    page.click("#sample")
    until(page, "Done")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) < 384) == (theme == "dark")
