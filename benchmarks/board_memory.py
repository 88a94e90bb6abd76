"""How much memory does `swiftseg predict` take, and how large is what it needs on disk?

    python benchmarks/board_memory.py            to results/board_memory.json, and the table

Each shipped model segments one drawn picture of each size in a process of its own, with one thread;
told is the most memory the process held at once, as Linux counts it (its shared libraries
included). The install is the base package's in a fresh virtual environment, by what pip brings.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from PIL import Image

from swiftseg.data.toy_street import ToyStreet
from swiftseg.weights import shipped_models

RESULT = Path(__file__).parent / "results/board_memory.json"
ROOT = Path(__file__).parents[1]
SIZES_HW = ((360, 480), (1024, 2048))


def peak_megabytes(model: str, picture: Path) -> float:
    """Run predict on a picture; return the largest resident size of its process."""
    command = [sys.executable, "-m", "swiftseg", "predict", str(picture), "--model", model]
    with tempfile.TemporaryDirectory() as out:
        process = subprocess.Popen(
            [*command, "--threads", "1", "--out", out], stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"predict ended with {status} on {picture} with {model}")
    return usage.ru_maxrss / 1024


def installed_megabytes() -> float:
    """Install the base package into a fresh environment; return what that adds to it on disk."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        before = disk_megabytes(Path(folder))
        pip = [f"{folder}/bin/python", "-m", "pip", "install", "-q", "--no-compile", str(ROOT)]
        subprocess.run(pip, check=True)
        return disk_megabytes(Path(folder)) - before


def disk_megabytes(folder: Path) -> float:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_size for path in files) / 1e6


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size_hw in SIZES_HW:
            picture = Path(folder) / f"{size_hw[0]}x{size_hw[1]}.png"
            Image.fromarray(ToyStreet("test", 1, size_hw)[0].image).save(picture)
            for model in sorted(shipped_models()):
                peak = round(peak_megabytes(model, picture))
                rows.append({"model": model, "size_hw": size_hw, "peak_mb": peak})
                print(f"{model:20} {size_hw[0]:5}x{size_hw[1]:<5} {peak:6} MiB", flush=True)
    result = {
        "command": "python benchmarks/board_memory.py",
        "machine": platform.machine(),
        "versions": {name: version(name) for name in ("swiftseg", "onnxruntime", "numpy")},
        "threads": 1,
        "install_mb": round(installed_megabytes()),
        "rows": rows,
    }
    print(f"the base install: {result['install_mb']} MB")
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
