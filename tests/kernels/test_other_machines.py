"""The kernels on machines that are not here: cross-compiled, and run by qemu's emulation.

The results are held to the last bit against exact arithmetic in numpy and against Pillow.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.kernel_runner import ROOT, compile_runner, run_cases

pytestmark = pytest.mark.slow

# The compiler, the emulator, and what the machine is compiled for beyond its own.
MACHINES = {
    "AArch64, NEON": ("aarch64-linux-gnu-gcc", "qemu-aarch64", ()),
    "AArch64, NEON, as a Raspberry Pi 5 has it": (
        "aarch64-linux-gnu-gcc",
        "qemu-aarch64",
        ("-O3", "-march=armv8.2-a+fp16+dotprod"),
    ),
    "AArch64, plain C": ("aarch64-linux-gnu-gcc", "qemu-aarch64", ("-DSWIFTSEG_SCALAR",)),
    "ARMv7, plain C": ("arm-linux-gnueabihf-gcc", "qemu-arm", ()),
    "ARMv7, plain C, fused multiplication": (
        "arm-linux-gnueabihf-gcc",
        "qemu-arm",
        ("-O3", "-mfpu=neon-vfpv4"),
    ),
    "RISC-V, plain C": ("riscv64-linux-gnu-gcc", "qemu-riscv64", ()),
}
ELF_AARCH64 = 183


def needs(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}")


@pytest.mark.parametrize("machine", MACHINES)
def test_every_result_is_that_of_exact_arithmetic(machine: str, tmp_path: Path):
    compiler, emulator, flags = MACHINES[machine]
    needs(compiler, emulator)
    program = compile_runner(compiler, tmp_path / "run_cases", "-static", *flags)
    assert run_cases(tmp_path, emulator, program).endswith(" 0 others")


def test_neon_is_what_a_64_bit_arm_compiles(tmp_path: Path):
    needs("aarch64-linux-gnu-gcc")
    sources = ROOT / "src/swiftseg/kernels/native"
    for name in ("upsample_argmax.c", "resize.c"):
        command = ["aarch64-linux-gnu-gcc", "-dM", "-E", str(sources / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "#define SWIFTSEG_NEON" in done.stdout


def test_a_wheel_for_64_bit_arm_is_cross_compiled(tmp_path: Path):
    needs("aarch64-linux-gnu-gcc")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    target = {"CC": "aarch64-linux-gnu-gcc", "_PYTHON_HOST_PLATFORM": "linux-aarch64"}
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, env={**os.environ, **target})
    [path] = tmp_path.glob("*-py3-none-linux_aarch64.whl")
    with zipfile.ZipFile(path) as wheel:
        library = wheel.read("swiftseg/kernels/native/libswiftseg.so")
    assert library[:4] == b"\x7fELF"
    assert int.from_bytes(library[18:20], "little") == ELF_AARCH64
