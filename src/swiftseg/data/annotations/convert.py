"""Writing an export as pictures and index masks, for those who want files."""

import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from swiftseg.core import LabelSet, SwiftsegError, unknown_name
from swiftseg.core.files import replacing, write_file
from swiftseg.core.in_threads import in_threads
from swiftseg.core.progress import LateProgress
from swiftseg.data.annotations.annotated_images import AnnotatedImages
from swiftseg.data.annotations.bitmaps import open_bitmap
from swiftseg.data.annotations.labelme import embedded_picture
from swiftseg.data.annotations.open_export import open_images, read_export
from swiftseg.data.annotations.tool_export import AnnotatedImage, Export
from swiftseg.data.own.dataset_file import FILE_NAME, dataset_file_text, folder_description
from swiftseg.data.own.finding import Finding
from swiftseg.data.own.own_data import SPLITS
from swiftseg.data.own.tree_reading import UNSPLIT


@dataclass
class Conversion:
    """What a conversion has done.

    Attributes:
        written: How many images of each split were written.
        findings: What was left out when the export was read, and what else is worth knowing.
        failed: Why images could not be written, a line each.
    """

    out: Path
    labels: LabelSet
    written: dict[str, int] = field(default_factory=dict[str, int])
    findings: tuple[Finding, ...] = ()
    failed: list[str] = field(default_factory=list[str])


def convert_annotations(
    source: Path,
    out: Path,
    splits: Collection[str] = (),
    progress: LateProgress | None = None,
) -> Conversion:
    """Write an export's pictures, index masks and `dataset.yaml`.

    Pictures and masks are in `images/SPLIT` and `masks/SPLIT`, or in `images` and `masks` where
    the tool knows no splits. Pictures are hard links where the file system has them, else copies.
    A picture that cannot be read does not stop the others.

    Args:
        source: The export's folder, or one file of annotations in it.
        out: A folder that is empty or does not exist.
        splits: The splits to write; all of them if it is empty.
        progress: Told of each image.

    Raises:
        SwiftsegError: The export is broken, `out` holds something, or cannot be written.
        UsageError: There is no such split.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SwiftsegError(f"{out}: holds something already; give a folder that does not exist")
    export = read_export(source)
    for split in splits:
        if split not in export.splits:
            raise unknown_name("split", split, export.splits)
    chosen = {split: export.splits[split] for split in splits or export.splits}
    conversion = Conversion(out, export.labels, findings=export.findings)
    if progress:
        progress.expect(sum(map(len, chosen.values())))
    for split, images in chosen.items():
        _write_split(conversion, export, split, images, progress)
    if not any(conversion.written.values()):
        raise SwiftsegError(conversion.failed[0])
    file = folder_description(export.labels, set(SPLITS) & set(conversion.written))
    write_file(out / FILE_NAME, dataset_file_text(file))
    return conversion


def _write_split(
    conversion: Conversion,
    export: Export,
    split: str,
    images: list[AnnotatedImage],
    progress: LateProgress | None,
) -> None:
    dataset = open_images(export, images)
    part = "" if split == UNSPLIT else split
    palette = _palette_bytes(export.labels)

    def write(index: int) -> str | None:
        try:
            _write_pair(dataset, index, conversion.out, part, palette)
        except SwiftsegError as error:
            return str(error)
        return None

    for failure in in_threads(write, range(len(images))):
        if failure is None:
            conversion.written[split] = conversion.written.get(split, 0) + 1
        else:
            conversion.failed.append(failure)
        if progress:
            progress.advance()


def _write_pair(dataset: AnnotatedImages, index: int, out: Path, part: str, palette: bytes) -> None:
    image = dataset.images[index]
    mask = dataset.mask(index)
    with replacing(out / "masks" / part / f"{image.name}.png") as temporary:
        picture = Image.fromarray(mask)
        picture.putpalette(palette)
        picture.save(temporary, format="PNG")
    if image.is_embedded:
        held = embedded_picture(image.picture)
        with open_bitmap(held) as opened:
            suffix = f".{str(opened.format).lower()}"
        write_file(out / "images" / part / f"{image.name}{suffix}", held)
        return
    _link(image.picture, out / "images" / part / f"{image.name}{image.picture.suffix}")


def _link(picture: Path, target: Path) -> None:
    """Make a hard link to a picture, or a copy where there can be none."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(picture.resolve(), target)
    except OSError:
        with replacing(target) as temporary:
            shutil.copyfile(picture, temporary)


def _palette_bytes(labels: LabelSet) -> bytes:
    """Return a PNG's palette: the classes' colors, then black, and white for the void."""
    colors = labels.value_colors
    if labels.ignore_index is not None:
        colors[labels.ignore_index] = 255
    return colors.tobytes()


def summary_lines(conversion: Conversion) -> Iterator[str]:
    """Yield what was written, in lines for people."""
    counts = ", ".join(f"{split} {count}" for split, count in conversion.written.items())
    yield f"{conversion.out}: {counts}; {len(conversion.labels)} classes"
    yield f"classes: {', '.join(conversion.labels.names)}"
