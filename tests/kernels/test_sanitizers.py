"""The kernels under the compiler's sanitizers, in every instruction set of this machine."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.kernel_runner import compile_runner, run_cases

pytestmark = pytest.mark.slow

SANITIZERS = {"address and undefined behavior": "address,undefined", "threads": "thread"}


@pytest.mark.parametrize("vectors", [True, False])
@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_nothing_is_found(sanitizer: str, vectors: bool, tmp_path: Path):
    flag = f"-fsanitize={SANITIZERS[sanitizer]}"
    if not can_compile(flag, tmp_path):
        pytest.skip(f"needs a compiler with {flag}")
    own = [] if vectors else ["-DSWIFTSEG_SCALAR"]
    program = compile_runner(
        "cc", tmp_path / "run_cases", "-O1", flag, "-fno-sanitize-recover=all", *own
    )
    assert run_cases(tmp_path, program).endswith(" 0 others")


def can_compile(flag: str, folder: Path) -> bool:
    if shutil.which("cc") is None:
        return False
    source = folder / "empty.c"
    source.write_text("int main(void) { return 0; }\n")
    command = ["cc", flag, "-o", str(folder / "empty"), str(source)]
    return subprocess.run(command, capture_output=True).returncode == 0
