"""Compiling and running tests/kernels/run_cases.c."""

import subprocess
from pathlib import Path

from tests.support.kernel_cases import write_cases

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / "src/swiftseg/kernels/native"
FLAGS = ("-std=gnu11", "-O2", "-g", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-pthread")


def compile_runner(compiler: str, program: Path, *flags: str) -> Path:
    """Compiles the driver with the kernels; a warning is an error."""
    sources = [ROOT / "tests/kernels/run_cases.c", *sorted(KERNELS.glob("*.c"))]
    folders = f"-I{KERNELS}", f"-I{ROOT / 'include'}"
    command = [compiler, *FLAGS, *flags, *folders, "-o", program, *sources, "-lm"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def run_cases(folder: Path, *command: str | Path) -> str:
    """Runs a compiled driver, by an emulator where that comes first; gives its last line."""
    cases = folder / "cases"
    count = write_cases(cases)
    done = subprocess.run([*map(str, command), str(cases)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{count} cases")
    return done.stdout.strip()
