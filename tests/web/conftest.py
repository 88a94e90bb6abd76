import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from swiftseg.exporting.web import export_web
from swiftseg.inference import find_model
from swiftseg.web import built_page

CHROMIUM = Path("/usr/bin/chromium")
MODEL = "fast_scnn-camvid"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable[..., Browser]]:
    """Starts Chromium with options."""
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as playwright:
        launch = playwright.chromium.launch
        yield lambda *options: launch(executable_path=CHROMIUM, args=["--no-sandbox", *options])


@pytest.fixture(scope="session")
def browser(chromium: Callable[..., Browser]) -> Iterator[Browser]:
    """Chromium with a camera that shows a test picture."""
    camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with chromium(*camera) as browser:
        yield browser


def page_file(pattern: str) -> Path:
    """Return the page's one file of such a name, for node; skip where there is none."""
    page = built_page()
    if page is None or shutil.which("node") is None:
        pytest.skip("needs node and a package that was built with its page")
    [path] = page.glob(pattern)
    return path


@pytest.fixture(scope="session")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if built_page() is None:
        pytest.skip("the package was built without its page")
    folder = tmp_path_factory.mktemp("export") / "web"
    export_web(find_model(MODEL).path, folder)
    return folder


@pytest.fixture
def host(static_folder: Path) -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """Any static host: it sends no headers of its own. Yields its address."""
    with hosting(static_folder) as hosted:
        yield hosted


@contextmanager
def hosting(folder: Path) -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """Yields the address of a static host of a folder."""
    handler = partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must raise no error."""
    with flawless_page(browser) as page:
        yield page


@contextmanager
def flawless_page(browser: Browser) -> Iterator[Page]:
    """Yields a page that must raise no error."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []
