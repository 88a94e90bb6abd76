"""Fuzz one target: python tests/fuzz/run.py TARGET [libFuzzer's options].

Inputs that fail are kept in tests/fuzz/found/TARGET, where the fast tests replay them.
"""

import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).parent
MOST_BYTES, MOST_SECONDS, MOST_MB = 1 << 16, 10, 1500


def main() -> None:
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["swiftseg", "PIL", "yaml"]):
        from tests.fuzz.targets import TARGETS, run_one

        assert name in TARGETS, f"choose from {', '.join(TARGETS)}"
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    # What a target imports, such as torch, takes longer than one execution may.
    run_one(name, next((HERE / "corpus" / name).iterdir()).read_bytes(), folder)
    (HERE / "found" / name).mkdir(parents=True, exist_ok=True)
    grown = Path(tempfile.gettempdir()) / f"fuzz-corpus-{name}"  # what is found on the way
    grown.mkdir(exist_ok=True)
    words = HERE / "dictionaries" / f"{name}.dict"
    arguments = [
        sys.argv[0],
        f"-timeout={MOST_SECONDS}",
        f"-rss_limit_mb={MOST_MB}",
        f"-max_len={MOST_BYTES}",
        f"-artifact_prefix={HERE / 'found' / name}/",
        *([f"-dict={words}"] if words.exists() else []),
        *options,
        str(grown),
        str(HERE / "corpus" / name),
    ]
    atheris.Setup(arguments, lambda data: run_one(name, data, folder))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
