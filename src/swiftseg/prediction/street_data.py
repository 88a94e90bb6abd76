"""Scenes of the toy street as a data set in files, to try everything on."""

from pathlib import Path

from swiftseg.core import SwiftsegError
from swiftseg.core.files import save_picture, write_file
from swiftseg.core.in_threads import in_threads
from swiftseg.core.progress import LateProgress
from swiftseg.data.own.dataset_file import FILE_NAME, dataset_file_text, folder_description
from swiftseg.data.toy_street import ToyStreet
from swiftseg.render import save_label_map

VAL_EVERY = 5


def write_street_data(out: Path, num_scenes: int = 50) -> dict[str, int]:
    """Write rendered scenes with exact masks, and the `dataset.yaml` that describes them.

    They go to `images/SPLIT/NAME.png` and `masks/SPLIT/NAME.png`; every fifth is for validation.

    Returns:
        How many scenes each split has.

    Raises:
        SwiftsegError: The folder holds something, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SwiftsegError(f"{out}: holds something already; give a folder that does not exist")
    num_val = max(1, num_scenes // VAL_EVERY)
    counts = {"train": num_scenes - num_val, "val": num_val}
    with LateProgress("scenes") as progress:
        progress.expect(num_scenes)
        for split, count in counts.items():
            street = ToyStreet(split, count)

            def write(index: int, split: str = split, street: ToyStreet = street) -> None:
                sample = street[index]
                save_picture(out / "images" / split / f"{sample.name}.png", sample.image)
                mask = out / "masks" / split / f"{sample.name}.png"
                save_label_map(mask, sample.mask, street.labels)

            for _ in in_threads(write, range(count)):
                progress.advance()
    labels = ToyStreet("val", 1).labels
    write_file(out / FILE_NAME, dataset_file_text(folder_description(labels, counts)))
    return counts
