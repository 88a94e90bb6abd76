"""How much memory does `swiftseg predict` take, and how large is what it needs on disk?

    python benchmarks/board_memory.py            to results/board_memory.json, and the table
    python benchmarks/board_memory.py install    the install alone; the other rows stay
    python benchmarks/board_memory.py predict    the memory alone

Each shipped model segments one drawn picture of each size in a process of its own, with one thread;
told is the most memory the process held at once, as Linux counts it (its shared libraries
included). The install is the base package's in a fresh virtual environment, by what pip brings.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from peak_memory import measured
from PIL import Image

from swiftseg.data.toy_street import ToyStreet
from swiftseg.weights import shipped_models

RESULT = Path(__file__).parent / "results/board_memory.json"
ROOT = Path(__file__).parents[1]
SIZES_HW = ((360, 480), (1024, 2048))
LEAST_NAMED_MB = 5


def install_megabytes() -> dict[str, float]:
    """Install the base package into a fresh environment; return what it adds, by what it is.

    Bytecode, which Python can do without, counts by itself; "least" lacks also what a board does
    not run: the page for browsers and the weights to train on from.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        [packages] = Path(folder).glob("lib/python*/site-packages")
        own = {path.name for path in packages.iterdir()}
        python = f"{folder}/bin/python"
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-compile", ROOT], check=True)
        added = [path for path in packages.iterdir() if path.name not in own]
        sizes = {path.name: disk_megabytes(path) for path in added}
        package = packages / "swiftseg"
        parts = {f"swiftseg/{name}": package / name for name in ("web", "weights")}
        sizes |= {name: disk_megabytes(path) for name, path in parts.items()}
        spare = [package / "web/page", *package.glob("weights/*.safetensors")]
        spared = sum(disk_megabytes(path) for path in spare)
        subprocess.run([python, "-m", "compileall", "-q", *added], check=False)
        total = sum(disk_megabytes(path) for path in added)
        without = sum(sizes[path.name] for path in added)
    large = {name: round(size, 1) for name, size in sizes.items() if size >= LEAST_NAMED_MB}
    largest = dict(sorted(large.items(), key=lambda item: -item[1]))
    totals = {"total": total, "without bytecode": without, "least": without - spared}
    return {name: round(size, 1) for name, size in totals.items()} | largest


def disk_megabytes(folder: Path) -> float:
    inside = [folder] if folder.is_file() else folder.rglob("*")
    files = [path for path in inside if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_size for path in files) / 1e6


def memory_rows() -> list[dict[str, object]]:
    """Measure every shipped model at every size."""
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for size_hw in SIZES_HW:
            picture = Path(folder) / f"{size_hw[0]}x{size_hw[1]}.png"
            Image.fromarray(ToyStreet("test", 1, size_hw)[0].image).save(picture)
            for model in sorted(shipped_models()):
                options = ("--model", model, "--threads", "1", "--out", model)
                found = measured(("predict", picture.name, *options), Path(folder))
                if found["exit_code"]:
                    raise SystemExit(f"{found['command']} ended with {found['exit_code']}")
                rows.append({"model": model, "size_hw": size_hw, "peak_mb": found["peak_mb"]})
                print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=("install", "predict"))
    part: str | None = parser.parse_args().part
    known = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    result = {
        "command": "python benchmarks/board_memory.py",
        "machine": platform.machine(),
        "versions": {name: version(name) for name in ("swiftseg", "onnxruntime", "numpy")},
        "threads": 1,
        "install_mb": known.get("install_mb", {}) if part == "predict" else install_megabytes(),
        "rows": known.get("rows", []) if part == "install" else memory_rows(),
    }
    print(result["install_mb"])
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
