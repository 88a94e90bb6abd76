"""The page at `/`."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What browsers ask before they give a page threads, and what keeps the page to itself.
PAGE_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>swiftseg</title>
<p>The server runs, and its page was not built into this package: node was missing when it was
installed. Install node 20 or newer and swiftseg again, or use the API: POST a picture to
<code>/v1/segment</code>; <a href="/openapi.json">openapi.json</a> describes it.
"""


def add_page(app: FastAPI, folder: Path | None, *, needs_key: bool) -> None:
    """Serve the page's files at `/`, and what it has to know of this server."""
    if folder is None:

        @app.get("/", include_in_schema=False)
        async def not_built() -> Response:
            return HTMLResponse(_NOT_BUILT, headers=PAGE_HEADERS)

        del not_built
        return

    @app.get("/page.json", include_in_schema=False)
    async def about() -> Response:
        return JSONResponse({"engine": "server", "needs_key": needs_key}, headers=PAGE_HEADERS)

    del about
    # Not mounted: a route at `/` would take what another one has under another method.
    app.router.default = _PageFiles(folder, otherwise=app.router.default)


class _PageFiles:
    """The files of a folder with the page's headers; no name leads out of the folder."""

    def __init__(self, directory: Path, *, otherwise: ASGIApp) -> None:
        self._files = StaticFiles(directory=directory, html=True)
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._otherwise(scope, receive, send)
            return

        async def with_headers(message: Message):
            if message["type"] == "http.response.start":
                message["headers"] += [
                    (name.lower().encode(), value.encode()) for name, value in PAGE_HEADERS.items()
                ]
            await send(message)

        await self._files(scope, receive, with_headers)
