"""Write the seeds: one small file of each kind, as its own writer makes it."""

import io
import shutil
import tempfile
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from swiftseg.runtimes.model_file import sealed
from tests.fuzz.targets import ANNOTATIONS, MASK_SUFFIXES, RUN, RUN_FILES, _export
from tests.support.exported import shade_spec, write_shade_model

HERE = Path(__file__).parent
FILES = HERE.parent / "files"


def write(name: str, seed: str, content: bytes) -> None:
    path = HERE / "corpus" / name / seed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    held = io.BytesIO()
    image.save(held, format=kind, **options)
    return held.getvalue()


def pictures() -> None:
    values = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    image = Image.fromarray(values)
    for kind in ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP", "TIFF"):
        write("picture", kind.lower(), saved(image, kind))
    write("picture", "progressive", saved(image, "JPEG", progressive=True))
    write("picture", "palette", saved(image.quantize(4), "PNG"))


def masks(folder: Path) -> None:
    values = (np.arange(72) % 3).astype(np.uint8).reshape(8, 9)
    for index, suffix in enumerate(MASK_SUFFIXES):
        path = folder / f"mask{suffix}"
        if suffix == ".mat":
            scipy.io.savemat(path, {"mask": values, "info": {"a": values}}, do_compression=True)
            write("matlab", "compressed", path.read_bytes())
        elif suffix == ".npy":
            np.save(path, values)
        elif suffix == ".npz":
            np.savez_compressed(path, mask=values)
        else:
            Image.fromarray(values).save(path)
        write("mask", suffix[1:], bytes([index]) + path.read_bytes())
    scipy.io.savemat(folder / "plain.mat", {"mask": values})
    write("matlab", "plain", (folder / "plain.mat").read_bytes())


def texts(folder: Path) -> None:
    write(
        "dataset_yaml",
        "all_keys",
        b'path: .\nimage: "{split}/a/{name}.jpg"\nmask: "{split}/b/{name}.png"\n'
        b"names: [soil, crop]\nignore_index: 255\npalette: [[0, 0, 0], [1, 2, 3]]\n"
        b"mask_encoding: rgb\nlabel_mapping: {'1,2,3': crop, '0,0,0': ignore}\ntolerance: 1\n",
    )
    write(
        "dataset_yaml", "folders", b"train: a\nval: b\nmasks: {train: c, val: d}\nnames: {0: x}\n"
    )
    write("recipe", "run", (RUN / "recipe.yaml").read_bytes())
    write("spec", "shades", shade_spec().to_json().encode())
    path = write_shade_model(folder / "m.onnx")
    write("onnx", "shades", path.read_bytes())
    write("onnx", "sealed", sealed(path.read_bytes()))
    for version in (1, 2):
        write("checkpoint", f"v{version}", (FILES / f"checkpoint_v{version}.pt").read_bytes())
    for index, name in enumerate(RUN_FILES):
        write("run_folder", name, bytes([index]) + (RUN / name).read_bytes())
    write("argv", "predict", b"\0image.png\0--save\0labels\0--threads\x001")
    write("argv", "models", b"\x04--json")
    write("argv", "data", b"\x05check\0.\0--reading\x002")
    write("argv", "export", b"\x06enet-camvid\0--out\0m.onnx\0--size\x00720x96x0")


def annotations(folder: Path) -> None:
    for index, tool in enumerate(ANNOTATIONS):
        _, _, content = _export(tool, folder)
        write("annotations", tool, bytes([index]) + content)


def main() -> None:
    shutil.rmtree(HERE / "corpus", ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures()
        masks(folder)
        texts(folder)
        annotations(folder)


if __name__ == "__main__":
    main()
