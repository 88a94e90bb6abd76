"""The YAML file that describes a user's own data.

    path: .                    # what the rest is relative to; the file's own folder if left out
    image: "{split}/photos/{name}.jpg"   # patterns of paths; see swiftseg.data.own.patterns
    mask: "{split}/labels/{name}_l.png"  # a band a file: "{band:red|green|nir}/{name}.tif"
    masks_per_image: one       # or instances or classes: a file for each, united
    resize_masks: false        # true where masks have their images' proportions, not their size
    names: [soil, crop, weed]  # in the order of the classes' indices
    ignore_index: 255
    palette: [[90, 60, 30], [0, 160, 0], [200, 0, 0]]
    mask_encoding: index       # index, rgb, palette or binary
    label_mapping: {0: soil, 85: crop, 170: weed, 255: ignore}
    tolerance: 0

Only `names` is asked for. As other programs write it, `masks_dir` is `masks`, and `nc` the number
of names, or stands for names that say nothing.

In place of the patterns or beside them, `train`, `val` and `test` name lists of pairs, or of the
images that patterns have found; or folders of images, whose masks are in the folder `masks`, or in
one a split: `masks: {train: FOLDER, val: FOLDER}`. Where all of it is left out, the folder is
looked through.

Labels may be coarser than the classes that a model is to learn:

    names: {drivable: road, vehicles: [car, bicyclist], sky: sky, rest: any}   # in order, too
    classes: [sky, road, car, bicyclist]   # their order; as they are named first if left out
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swiftseg.core import LabelSet, SwiftsegError, unknown_name
from swiftseg.core.labels import RGB
from swiftseg.core.yaml_text import parse_yaml
from swiftseg.data.own.mask_rules import Encoding, MaskRules, to_code
from swiftseg.data.own.patterns import Parts, Pattern
from swiftseg.data.own.words import whole_number
from swiftseg.data.views.mixture import (
    ANY,
    Classes,
    classes_named,
    mixed_labels,
    value_of_labels,
)
from swiftseg.data.voc_colors import voc_colors

FILE_NAME = "dataset.yaml"
IGNORE = "ignore"
IGNORED = 255

# What the values of keys are to be, in the words of who writes them.
EXPECTED = {
    "names": "names as text, in quotes where YAML reads something else (yes, 1), "
    "such as [soil, crop] or {0: soil, 1: crop}, or {vehicles: [car, bicyclist]}",
    "palette": "a color a class as red, green and blue, such as [[90, 60, 30], [0, 160, 0]]",
    "masks": "a folder, or one a split, such as {train: FOLDER, val: FOLDER}",
    "ignore_index": "a whole number up to 255 or null",
    "label_mapping": "a class for each value or color, such as {0: soil, 85: crop, 255: ignore}",
}

MASKS_DIR, NUM_CLASSES = "masks_dir", "nc"  # as other programs call masks, and count names

EXAMPLE = "names: [background, crop, weed]; ignore_index: 255 (optional); palette (optional)"


class DatasetFile(BaseModel):
    """What the file says; see the module.

    `names` may be a list or `{0: soil, 1: crop}`, or labels with the class, or the classes of which
    any may be right, that each stands for; `any` is ignored. `palette` gives one RGB color a class.
    `label_mapping` gives a name, an index or `ignore` for each value of a mask, or for each color
    written as "128,64,128"; values that it does not list are refused.
    """

    model_config = ConfigDict(extra="forbid")

    path: str | None = None
    train: str | None = None
    val: str | None = None
    test: str | None = None
    masks: str | dict[str, str] | None = None
    image: str | tuple[str, ...] | None = None
    mask: str | tuple[str, ...] | None = None
    masks_per_image: Parts = "one"
    resize_masks: bool = False
    names: tuple[str, ...] | dict[int, str] | dict[str, str | tuple[str, ...]]
    classes: tuple[str, ...] | None = None
    ignore_index: int | None = Field(default=255, le=255)
    palette: tuple[RGB, ...] | None = None
    mask_encoding: Encoding = "index"
    label_mapping: dict[int | str, int | str] | None = None
    tolerance: int = Field(default=0, ge=0, le=255)

    @property
    def patterns(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The patterns of images and of masks, or None; raises SwiftsegError for one alone."""
        if (self.image is None) != (self.mask is None):
            raise SwiftsegError("image and mask are patterns that need each other; one is missing")
        if self.image is None or self.mask is None:
            return None
        image, mask = self.image, self.mask
        return (
            (image,) if isinstance(image, str) else image,
            (mask,) if isinstance(mask, str) else mask,
        )

    def labels(self) -> LabelSet:
        """Return the classes; raise SwiftsegError where names, colors and indices do not fit."""
        meanings = self._meanings()
        if meanings is not None:
            return mixed_labels(self._classes(), [meanings])
        if self.classes is not None:
            raise SwiftsegError(
                "classes are for names that say which of them a label may be, such as "
                "{vehicles: [car, bicyclist]}; leave classes out"
            )
        names = self.names
        if isinstance(names, dict):
            if sorted(names) != list(range(len(names))):
                raise SwiftsegError(
                    f"expected names for the indices 0 to {len(names) - 1}, got {sorted(names)}"
                )
            by_index = cast(dict[int, str], names)
            names = tuple(by_index[index] for index in range(len(by_index)))
        return LabelSet(names, self.palette or voc_colors(len(names)), self._ignored)

    @property
    def _targets(self) -> dict[str, str | tuple[str, ...]]:
        """What each label stands for, where names says so."""
        if not isinstance(self.names, dict):
            return {}
        return {k: target for k, target in self.names.items() if isinstance(k, str)}

    def _classes(self) -> LabelSet:
        """Return the classes that labels stand for, without the sets of them."""
        named = self.classes
        if named is None:
            targets = ([t] if isinstance(t, str) else t for t in self._targets.values())
            every = (name for target in targets for name in target if name != ANY)
            named = tuple(dict.fromkeys(every))
        return LabelSet(named, self.palette or voc_colors(len(named)), self._ignored)

    def _meanings(self) -> dict[str, Classes] | None:
        """Return the classes that each label may be; None where labels are the classes."""
        if not self._targets:
            return None
        classes = self._classes()
        return {label: classes_named(label, t, classes) for label, t in self._targets.items()}

    @property
    def _ignored(self) -> int | None:
        """What ignored pixels become; 255 for the negative numbers that no 8-bit mask can hold."""
        is_negative = self.ignore_index is not None and self.ignore_index < 0
        return IGNORED if is_negative else self.ignore_index

    def rules(self) -> MaskRules:
        """Return how masks are read; raise SwiftsegError where the keys contradict each other."""
        labels = self.labels()
        if self.tolerance and self.ignore_index is None:
            raise SwiftsegError(
                "a tolerance needs an ignore_index, for values that are near no class"
            )
        meanings = self._meanings()
        if meanings is None:
            class_of = self._class_of(labels)
        else:
            class_of = self._value_of_labels(value_of_labels(meanings, labels), labels)
        return MaskRules(self.mask_encoding, class_of, labels.ignore_index, self.tolerance)

    def _value_of_labels(self, value_of: dict[str, int], labels: LabelSet) -> dict[int, int]:
        """Return what each value of a mask becomes, where labels may stand for several classes."""
        if self.label_mapping is not None:
            return {
                _parse_key(key, self.mask_encoding): _value_of(target, value_of, labels)
                for key, target in self.label_mapping.items()
            }
        if self.mask_encoding not in ("index", "palette"):
            raise SwiftsegError(
                f"mask_encoding {self.mask_encoding} needs a label_mapping to names such as "
                f"{next(iter(value_of))!r}"
            )
        values = dict(enumerate(value_of.values()))
        if self._ignored is not None:
            values.setdefault(self._ignored, self._ignored)
        return values

    def _class_of(self, labels: LabelSet) -> dict[int, int]:
        if self.label_mapping is not None:
            return {
                _parse_key(key, self.mask_encoding): _parse_class(target, labels)
                for key, target in self.label_mapping.items()
            }
        if self.mask_encoding == "rgb":
            if self.palette is None:
                raise SwiftsegError("mask_encoding rgb needs a palette or a label_mapping")
            return {to_code(color): index for index, color in enumerate(self.palette)}
        if self.mask_encoding == "binary":
            if self.masks_per_image == "classes":
                return {0: 0, 1: 1, 255: 1}
            if len(labels) != 2:
                raise SwiftsegError(f"mask_encoding binary needs 2 names, got {len(labels)}")
            return {0: 0, 1: 1, 255: 1}
        values = {value: value for value in range(len(labels))}
        if labels.ignore_index is not None:
            values[labels.ignore_index] = labels.ignore_index
        return values


def read_dataset_file(path: Path) -> DatasetFile:
    """Read the description of a user's data.

    Raises:
        SwiftsegError: The file is no such YAML, or contradicts itself; the message shows one.
    """
    try:
        fields: Any = parse_yaml(path.read_text(encoding="utf-8"))
        if not isinstance(fields, dict):
            raise SwiftsegError(f"expected keys and their values, got {_short(fields)}")
        fields = in_our_words(cast(dict[Any, Any], fields))
        for key in fields:
            if key not in DatasetFile.model_fields:
                raise unknown_name("key", str(key), DatasetFile.model_fields)
        parsed = DatasetFile.model_validate(fields)
        parsed.rules()
        for text in (pattern for side in parsed.patterns or () for pattern in side):
            Pattern(text)
    except ValidationError as error:
        problem = _first_problem(error)
        hint = f"; expected {EXAMPLE}" if "expected" not in problem else ""
        raise SwiftsegError(f"{path}: {problem}{hint}") from error
    except FileNotFoundError as error:
        raise SwiftsegError(f"{path}: no such file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SwiftsegError(f"{path}: expected {EXAMPLE}; {reason}") from error
    except SwiftsegError as error:
        raise SwiftsegError(f"{path}: {error}") from error
    return parsed


def in_our_words(fields: dict[Any, Any]) -> dict[Any, Any]:
    """Return the keys of other programs under our names.

    Raises:
        SwiftsegError: Two keys contradict each other, or `nc` is no number of classes.
    """
    fields = dict(fields)
    if MASKS_DIR in fields:
        if "masks" in fields:
            raise SwiftsegError(f"masks and {MASKS_DIR} say the same; leave one of them out")
        fields["masks"] = fields.pop(MASKS_DIR)
    if NUM_CLASSES in fields:
        count = fields.pop(NUM_CLASSES)
        if not isinstance(count, int) or not 1 <= count <= 255:
            raise SwiftsegError(f"{NUM_CLASSES}: expected 1 to 255 classes, got {_short(count)}")
        names = fields.setdefault("names", [f"class_{index}" for index in range(count)])
        if isinstance(names, list | dict) and len(cast(list[Any], names)) != count:
            raise SwiftsegError(f"{NUM_CLASSES} is {count}, and there are {len(names)} names")
    return fields


def _first_problem(error: ValidationError) -> str:
    """Return one line that says which key is wrong, and what came."""
    problem = error.errors(include_url=False)[0]
    key = str(problem["loc"][0])
    if problem["type"] == "missing":
        return f"{key} is missing"
    if key in EXPECTED:
        return f"{key}: expected {EXPECTED[key]}, got {_short(problem['input'])}"
    return f"{key}: {problem['msg']}, got {_short(problem['input'])}"


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:60] + "..."


def _parse_key(key: int | str, encoding: Encoding) -> int:
    """Read a mask's value, or a color such as "128,64,128" as its code."""
    if encoding == "rgb":
        values = [whole_number(part) for part in str(key).split(",")]
        color = [value for value in values if value is not None and value <= 255]
        if len(values) == len(color) == 3:
            return to_code((color[0], color[1], color[2]))
        raise SwiftsegError(f'label_mapping: expected a color such as "128,64,128", got {key!r}')
    if isinstance(key, int) and 0 <= key <= 65535:
        return key
    raise SwiftsegError(f"label_mapping: expected values of 0 to 65535, got {key!r}")


def _value_of(target: int | str, value_of: dict[str, int], labels: LabelSet) -> int:
    if target == IGNORE and labels.ignore_index is not None:
        return labels.ignore_index
    if target not in value_of:
        raise unknown_name("label", str(target), (*value_of, IGNORE))
    return value_of[str(target)]


def _parse_class(target: int | str, labels: LabelSet) -> int:
    if target == IGNORE:
        if labels.ignore_index is None:
            raise SwiftsegError(f"label_mapping: {IGNORE} needs an ignore_index")
        return labels.ignore_index
    if isinstance(target, int):
        if 0 <= target < len(labels) or target == labels.ignore_index:
            return target
        raise SwiftsegError(
            f"label_mapping: expected a class of 0 to {len(labels) - 1}, got {target}"
        )
    if target not in labels.names:
        raise unknown_name("class", target, (*labels.names, IGNORE))
    return labels.names.index(target)


def folder_description(labels: LabelSet, splits: Iterable[str]) -> DatasetFile:
    """Return the description of images in `images/SPLIT` and index masks in `masks/SPLIT`."""
    file = DatasetFile(names=labels.names, palette=labels.palette, ignore_index=labels.ignore_index)
    return file.model_copy(update={split: f"images/{split}" for split in splits})


def dataset_file_text(file: DatasetFile) -> str:
    """Return the YAML text that `read_dataset_file` reads as the same description."""
    header = "# swiftseg train, evaluate and data check read this file. Edit names and all else.\n"
    fields = file.model_dump(exclude_defaults=True)
    return header + yaml.safe_dump(fields, sort_keys=False, default_flow_style=None, width=100)
