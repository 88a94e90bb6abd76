"""The classes of masks, described by the values or colors that show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from swiftseg.core.labels import RGB
from swiftseg.data.own.class_files import ClassTable
from swiftseg.data.own.dataset_file import IGNORE, IGNORED, DatasetFile
from swiftseg.data.own.finding import Finding
from swiftseg.data.own.mask_rules import Encoding, to_code, to_rgb
from swiftseg.data.own.naming import Hints, Named, name_colors, name_values
from swiftseg.data.own.patterns import Parts
from swiftseg.data.own.survey import MaskTotals

# Parts of one image hardly overlap, so that the mean of two or more covers at most half of it.
MAX_SHARE_OF_PARTS = 0.4
MAX_VALUES_A_CLASS = 16


def are_united_values(main: Sequence[int], parts: Parts) -> bool:
    """Whether masks of one instance each tell several classes apart within it."""
    return parts == "instances" and len(main) > 2 and 0 in main


def part_names(hints: Hints, parts: Parts) -> tuple[str, ...] | None:
    """Return the classes of masks that show one instance or class each; None for other masks."""
    if parts == "one":
        return None
    return ("background", *(hints.part_names or (hints.word or "foreground",)))


def are_black(values: Sequence[int], counts: Mapping[int, int]) -> bool:
    """Whether masks of one part each show it by the first of two values, amid the second.

    What surrounds the parts of an image is most of each mask.
    """
    first, second = values
    return counts[first] < MAX_SHARE_OF_PARTS * (counts[first] + counts[second])


def shown_by_parts(main: Sequence[int], counts: Mapping[int, int]) -> tuple[list[int], list[int]]:
    """Return which values of masks of one part each show nothing, and which show the part."""
    background = [value for value in main if value == 0]
    if background and len(main) == 2 and are_black(main, counts):
        background = [main[1]]
    return background, [value for value in main if value not in background]


def describe_parts(
    shown: tuple[list[int], list[int]],
    tolerance: int,
    encoding: Encoding,
    hints: Hints,
    parts: Parts,
) -> tuple[DatasetFile | None, tuple[Finding, ...]]:
    """Describe masks of one instance or class each: `shown` are background and what is not."""
    names = part_names(hints, parts)
    background, values = shown
    is_one_class = len(values) == 1 or (parts == "classes" and len(values) <= MAX_VALUES_A_CLASS)
    if names is None or len(background) != 1 or not values or not is_one_class:
        message = (
            f"masks of one instance or class each hold the values {sorted(background + values)[:5]}"
            "; expected 0 and one other"
        )
        return None, (Finding("broken", "not_binary", message),)
    mapping: dict[int | str, int | str] = {_key_text(background[0], encoding): names[0]}
    mapping |= {_key_text(value, encoding): names[1] for value in values}
    file = DatasetFile(
        names=names,
        mask_encoding="rgb" if encoding == "rgb" else "binary",
        label_mapping=mapping,
        tolerance=tolerance,
    )
    findings: list[Finding] = []
    if len(values) > 1:
        message = (
            f"masks of one class each hold the values {sorted(background + values)[:8]}; all but "
            f"{background[0]} show the class that the file is of"
        )
        findings.append(Finding("warning", "values_within_classes", message))
    if background[0]:
        message = f"masks of one part each are mostly {background[0]}: the parts are black"
        findings.append(Finding("note", "black_parts", message))
    return file, tuple(findings)


def _key_text(value: int, encoding: Encoding) -> int | str:
    return ",".join(map(str, to_rgb(value))) if encoding == "rgb" else value


def describe_colors(
    main: Sequence[int], tolerance: int, totals: MaskTotals, hints: Hints
) -> tuple[DatasetFile, tuple[Finding, ...]]:
    colors = [to_rgb(code) for code in main]
    named = name_colors(colors, hints.tables)
    if named is not None:
        mapping: dict[int | str, int | str] = {
            ",".join(map(str, color)): name
            for color, name in named.class_of.items()
            if not isinstance(color, int)
        }
        exact = len(mapping) == len(named.names)
        file = DatasetFile(
            names=named.names,
            palette=named.palette,
            mask_encoding="rgb",
            label_mapping=None if exact else mapping,
            tolerance=tolerance,
        )
        return file, named.findings
    if totals.number_objects and 0 in main:
        return _numbered_objects(main, "rgb", hints)
    names = tuple("background" if not code else f"class_{i}" for i, code in enumerate(main))
    if len(main) == 2 and not main[0]:
        names = ("background", hints.word or "foreground")
    if all(red == green == blue for red, green, blue in colors):  # indices that look like colors
        mapping = {",".join(map(str, c)): name for c, name in zip(colors, names, strict=True)}
        return DatasetFile(
            names=names, mask_encoding="rgb", label_mapping=mapping, tolerance=tolerance
        ), ()
    return DatasetFile(
        names=names, palette=tuple(colors), mask_encoding="rgb", tolerance=tolerance
    ), ()


def describe_values(
    main: Sequence[int], tolerance: int, encoding: Encoding, totals: MaskTotals, hints: Hints
) -> tuple[DatasetFile, tuple[Finding, ...]]:
    if encoding == "palette":
        hints = replace(hints, tables=_shown_first(main, totals, hints))
    named = name_values(main, hints)
    without_void = [value for value in main if value != IGNORED]
    if named is None and len(without_void) > 1:  # 0 and 255 alone are two classes
        named = name_values(without_void, hints)
    if named is None and encoding == "palette":
        named = _named_by_palette(main, totals, hints)
    if named is not None:
        return _named_values(named, tolerance, encoding), named.findings
    may_count = totals.count_from_one or totals.are_pieces
    are_counted = totals.number_objects or (hints.says_instances and may_count)
    if are_counted and encoding != "rgb":
        return _numbered_objects(main, encoding, hints)
    if _is_binary(main, tolerance):
        return _two_values(main, tolerance, "binary", totals, hints)
    if list(main) == [0, 1]:
        return _two_values(main, tolerance, encoding, totals, hints)
    classes = [value for value in main if value != IGNORED]
    if not tolerance and classes[0] == 0 and 2 * len(classes) > max(classes):
        names = tuple(f"class_{value}" for value in range(max(classes) + 1))
        palette = _palette_of(names, totals) if encoding == "palette" else None
        return DatasetFile(names=names, mask_encoding=encoding, palette=palette), ()
    # Numbers that lie close are indices, and 255 beside them is void; 0, 100, 255 are gray levels.
    few = len(classes) > 1 and max(classes) < 4 * len(classes) + 4
    names = tuple(f"class_{value}" for value in (classes if few else main))
    mapping: dict[int | str, int | str] = dict(zip(classes if few else main, names, strict=True))
    if few and len(classes) < len(main):
        mapping[IGNORED] = IGNORE
    return DatasetFile(
        names=names, mask_encoding=encoding, label_mapping=mapping, tolerance=tolerance
    ), ()


def _two_values(
    main: Sequence[int], tolerance: int, encoding: Encoding, totals: MaskTotals, hints: Hints
) -> tuple[DatasetFile, tuple[Finding, ...]]:
    """Describe masks of something and what surrounds it, by the lower and the higher value."""
    names = binary_names(hints)
    nothing, thing, findings = order_of_two(main, totals, hints)
    mapping: dict[int | str, int | str] | None = {nothing: names[0], thing: names[1]}
    if nothing < thing <= IGNORED and not tolerance:  # as they are read without a mapping
        mapping = None
    file = DatasetFile(
        names=names, mask_encoding=encoding, label_mapping=mapping, tolerance=tolerance
    )
    return file, findings


def order_of_two(
    values: Sequence[int], totals: MaskTotals, hints: Hints
) -> tuple[int, int, tuple[Finding, ...]]:
    """Return which of two values surrounds things and which shows them, where no file names them.

    Drawings on white have black things: what all edges of nearly all masks show is no thing.
    """
    low, high = values
    if not totals.are_black_on_white or _named_two(hints) is not None:
        return low, high, ()
    message = (
        f"the masks are {high} at their edges: {low} is read as what they show, and {high} as the "
        "background. Where it is not so, give names and label_mapping in dataset.yaml"
    )
    return high, low, (Finding("note", "black_on_white", message),)


def _numbered_objects(
    main: Sequence[int], encoding: Encoding, hints: Hints
) -> tuple[DatasetFile, tuple[Finding, ...]]:
    """Describe masks whose values count objects of one class."""
    names = ("background", hints.word or "foreground")
    counted = "colors" if encoding == "rgb" else f"values 1 to {max(main)}"
    message = (
        f"the {counted} seem to number objects, as each mask counts its own; they are read as the "
        f"one class {names[1]}. Where they are classes, give names in dataset.yaml"
    )
    mapping: dict[int | str, int | str] = {
        _key_text(value, encoding): names[value > 0] for value in main
    }
    file = DatasetFile(names=names, mask_encoding=encoding, label_mapping=mapping)
    return file, (Finding("warning", "numbered_objects", message),)


def _shown_first(main: Sequence[int], totals: MaskTotals, hints: Hints) -> tuple[ClassTable, ...]:
    """Order tables by how many of the masks' values show the color that a table has for them."""

    def shown(table: ClassTable) -> int:
        values = table.values or range(len(table.names))
        colors = dict(zip(values, table.colors or (), strict=False))
        pairs = ((colors.get(value), totals.palette.get(value, set[int]())) for value in main)
        return sum(color is not None and to_code(color) in seen for color, seen in pairs)

    return tuple(sorted(hints.tables, key=shown, reverse=True))


def _named_by_palette(main: Sequence[int], totals: MaskTotals, hints: Hints) -> Named | None:
    """Name the indices of a palette by the colors that they show."""
    shown = {value: to_rgb(min(totals.palette.get(value, {0}))) for value in main}
    named = name_colors(list(shown.values()), hints.tables)
    if named is None:
        return None
    class_of: dict[int | RGB, str] = {v: named.class_of[color] for v, color in shown.items()}
    return Named(named.names, class_of, named.palette, named.findings)


def _named_values(named: Named, tolerance: int, encoding: Encoding) -> DatasetFile:
    """Describe values that have names; plain where they are the classes' indices."""
    order = {name: index for index, name in enumerate(named.names)}
    is_plain = all(order[name] == value for value, name in named.class_of.items())
    mapping: dict[int | str, int | str] = {
        value: name for value, name in named.class_of.items() if isinstance(value, int)
    }
    if not is_plain and IGNORED not in mapping:
        mapping[IGNORED] = IGNORE
    return DatasetFile(
        names=named.names,
        palette=named.palette,
        mask_encoding=encoding,
        label_mapping=None if is_plain and not tolerance else mapping,
        tolerance=tolerance,
    )


def binary_names(hints: Hints) -> tuple[str, ...]:
    """Return the classes of masks of two values: of files that list them, or of a README."""
    return _named_two(hints) or ("background", hints.word or "foreground")


def _named_two(hints: Hints) -> tuple[str, ...] | None:
    named = name_values((0, IGNORED), hints) or name_values((0, 1), replace(hints, tables=()))
    return named.names if named is not None and len(named.names) == 2 else None


def _is_binary(main: Sequence[int], tolerance: int) -> bool:
    return len(main) == 2 and main[0] <= tolerance and main[1] >= IGNORED - tolerance


def _palette_of(
    names: Iterable[str], totals: MaskTotals
) -> tuple[tuple[int, int, int], ...] | None:
    """Take the classes' colors from the masks' palette where all of them occur."""
    if not all(value in totals.palette for value, _ in enumerate(names)):
        return None
    return tuple(to_rgb(min(totals.palette[value])) for value, _ in enumerate(names))
