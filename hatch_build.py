"""Compiles the native kernels and builds the page into the wheel, where their tools are at hand.

Without a C compiler the package is pure Python: the same labels, from numpy and Pillow, in more
time. `CC` names another compiler (on Windows MinGW-w64's gcc is expected), `CC=` none. Without node
and npm the server has no page and `swiftseg export --format web` says so. `NPM` names another npm,
`NPM=` none, and `SWIFTSEG_BUILT_PAGE` a folder in which the page has been built already.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

FOLDER = Path("src/swiftseg/kernels/native")
SOURCES = (FOLDER / "upsample_argmax.c", FOLDER / "resize.c")
LIBRARY = FOLDER / "libswiftseg.so"
PAGE = Path("src/swiftseg/web/page")

# Contracting a product and a sum changes the last bit; the source says where it is wanted.
FLAGS = ["-std=gnu11", "-O3", "-ffp-contract=off", "-fPIC", "-shared", "-pthread"]
if sys.platform == "win32":
    # No MinGW beside the wheel. Windows aligns the stack to 16 bytes, and MinGW's GCC moves vectors
    # of 32 there as if they were aligned.
    FLAGS += ["-static", "-Wa,-muse-unaligned-vector-move"]


class ReadmeHook(MetadataHookInterface):
    """Puts the README into the metadata as other places show it."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds the field `readme`; see hatchling's metadata hooks."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": without_own_links(text)}


def without_own_links(text: str) -> str:
    """Return Markdown without pictures and links that lead to files beside it."""
    text = re.sub(r"!\[[^]]*\]\((?!https?://)[^)]*\)\n*", "", text)
    return re.sub(r"\[([^]]*)\]\((?!https?://|#)[^)]*\)", r"\1", text)


class BuiltFilesHook(BuildHookInterface):
    """Puts what is built beside its sources (editable) or into the wheel alone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the library and the page; see hatchling's build hooks."""
        if self.target_name != "wheel":
            return
        self._build_library(version, build_data)
        self._build_page(version, build_data)

    def _build_page(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        page = root / PAGE
        if version != "editable":
            self._page_folder = tempfile.TemporaryDirectory()
            page = Path(self._page_folder.name) / PAGE.name
        built = os.environ.get("SWIFTSEG_BUILT_PAGE")
        if built:
            shutil.copytree(root / built, page, dirs_exist_ok=True)
        refusal = "" if built else build_page(root / "web", page)
        if refusal:
            self.app.display_warning(f"no page, the server and web exports lack it: {refusal}")
        elif version != "editable":
            build_data["force_include"][str(page)] = str(PAGE.relative_to("src"))

    def _build_library(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version == "editable":
            (root / LIBRARY).unlink(missing_ok=True)  # an older one would answer for these sources
            library = root / LIBRARY
        else:
            self._folder = tempfile.TemporaryDirectory()
            library = Path(self._folder.name) / LIBRARY.name
        refusal = compile_library([root / source for source in SOURCES], library)
        if refusal:
            self.app.display_warning(
                f"no native kernels, numpy and Pillow do their work: {refusal}"
            )
            return
        if version != "editable":
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform_tag()}"  # ctypes loads it: any Python does
            build_data["force_include"][str(library)] = str(LIBRARY.relative_to("src"))


def compile_library(sources: list[Path], library: Path) -> str:
    """Compiles the files into one; gives the reason where that fails, else nothing."""
    compiler = shlex.split(os.environ.get("CC", "gcc" if sys.platform == "win32" else "cc"))
    machine = shlex.split(os.environ.get("ARCHFLAGS", ""))  # of macOS, which compiles for both
    if not compiler:
        return "CC is empty"
    try:
        subprocess.run(
            [*compiler, *FLAGS, *machine, "-o", str(library), *map(str, sources), "-lm"],
            check=True,
            capture_output=True,
            text=True,
        )
    except OSError as error:
        return f"{compiler[0]}: {error.strerror}"
    except subprocess.CalledProcessError as error:
        library.unlink(missing_ok=True)
        return f"{compiler[0]} fails: {error.stderr.strip().partition(chr(10))[0]}"
    return ""


def build_page(sources: Path, page: Path) -> str:
    """Builds the page into a folder; gives the reason where that fails, else nothing."""
    npm = shlex.split(os.environ.get("NPM", "npm"))
    if not npm:
        return "NPM is empty"
    environment = {**os.environ, "SWIFTSEG_PAGE": str(page)}
    try:
        # The lock file pins each package by its hash; no package's own scripts run.
        for step in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run(
                [*npm, *step],
                cwd=sources,
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            )
    except OSError as error:
        return f"{npm[0]}: {error.strerror}"
    except subprocess.CalledProcessError as error:
        return f"npm {error.cmd[len(npm)]} fails: {error.stderr.strip().partition(chr(10))[0]}"
    return ""


def platform_tag() -> str:
    """Return the platform that is built for as wheels name it, such as `linux_x86_64`.

    It is this machine's, unless `_PYTHON_HOST_PLATFORM` names another for a cross compiler.
    """
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if platform == "linux_aarch64" and sys.maxsize < 2**32:  # the kernel's word, not Python's
        return "linux_armv7l"
    return platform
