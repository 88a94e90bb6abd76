"""The page in headless Chromium beside ONNX Runtime itself, with the same model and frames.

    python benchmarks/browser_speed.py [--model NAME] [--frames N] [--chromium FILE]

WebAssembly and ONNX Runtime take two threads each and label frames of 480x360 in turn; the network
takes frames of its own size, and in a second case of 480x360. The page computes by its own kernel
and then by ONNX Runtime's WebAssembly. First label: from opening the page, its files in no cache,
until the first picture is labeled; goal 2 s. Network: the medians' quotient, the upsampling
included; goal 3. Needs playwright, torch and the built page.

Writes results/browser_speed.json.
"""

import argparse
import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from swiftseg.benchmarking.machine import describe_machine
from swiftseg.data.toy_street import render_clip
from swiftseg.exporting import export
from swiftseg.exporting.web import export_web
from swiftseg.inference import Segmenter, find_model
from swiftseg.runtimes.model_file import read_spec
from swiftseg.weights import DEFAULT_MODEL

RESULT = Path(__file__).parent / "results/browser_speed.json"
SIZE_HW = (360, 480)
THREADS = 2
RUNTIMES = ("own", "onnxruntime")  # what the page computes by
GOALS = {"first_label_s": 2.0, "network_ratio": 3.0}
PATIENCE_MS = 120_000
WARMUP = 3


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """Yields the address of a static host."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/?device=wasm"
    server.shutdown()
    server.server_close()


def ask(page: Page, frame: np.ndarray) -> dict[str, float]:
    """Has the page label a frame; gives its milliseconds by stage."""
    file = io.BytesIO()
    Image.fromarray(frame).save(file, format="PNG", compress_level=1)
    page.evaluate("document.getElementById('status').textContent = ''")
    picture = {"name": "frame.png", "mimeType": "image/png", "buffer": file.getvalue()}
    page.set_input_files("#file", picture)
    page.wait_for_function(
        "document.getElementById('status').textContent.startsWith('Done')", timeout=PATIENCE_MS
    )
    names = page.locator("#timings dt").all_inner_texts()
    values = page.locator("#timings dd").all_inner_texts()
    return {n: float(v.removesuffix(" ms")) for n, v in zip(names, values, strict=True)}


def measure(page: Page, address: str, segmenter: Segmenter, count: int) -> dict[str, Any]:
    """Opens the page and labels frames by it and by Python in turn."""
    frames = [sample.image for sample in render_clip(0, count + WARMUP, SIZE_HW)]
    begin = perf_counter()
    page.goto(address)
    page.wait_for_selector("#sample:enabled", timeout=PATIENCE_MS)
    ask(page, frames[0])
    first_label_s = perf_counter() - begin
    pairs = [(ask(page, frame), segmenter(frame).timings_ms) for frame in frames][WARMUP:]
    in_page = {stage: median(page[stage] for page, _ in pairs) for stage in pairs[0][0]}
    native = {stage: median(own[stage] for _, own in pairs) for stage in pairs[0][1]}
    return {
        "device": page.inner_text("#status"),
        "first_label_s": first_label_s,
        "browser_ms": in_page,
        "native_ms": native,
        "network_ratio": (in_page["network"] + in_page["labels"]) / native["network"],
    }


def without_plan(folder: Path) -> None:
    """Leaves the page ONNX Runtime alone."""
    manifest = folder / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(content | {"plan": None}), encoding="utf-8")


def measure_case(model: Path, browser: Browser, count: int) -> dict[str, Any]:
    """Measures a model by each of the page's runtimes, a page of its own each."""
    segmenter = Segmenter.load(model, threads=THREADS)
    results: dict[str, Any] = {}
    for runtime in RUNTIMES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "web"
            export_web(model, folder)
            if runtime == "onnxruntime":
                without_plan(folder)
            with hosted(folder) as address, browser.new_context() as context:
                results[runtime] = measure(context.new_page(), address, segmenter, count)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    machine = describe_machine()
    cases: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        small = Path(name) / "small.onnx"
        export(options.model, small, size_hw=SIZE_HW)
        browser = playwright.chromium.launch(
            executable_path=options.chromium, args=["--no-sandbox"]
        )
        for model in (find_model(options.model).path, small):
            height, width = read_spec(model).input.size_hw
            cases[f"{width}x{height}"] = measure_case(model, browser, options.frames)
        browser.close()
    written = {
        "command": "python benchmarks/browser_speed.py",
        "model": options.model,
        "frames": options.frames,
        "goals": GOALS,
        "machine": machine.model_dump(),
        "cases": cases,
    }
    options.out.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(cases, indent=2))


if __name__ == "__main__":
    main()
