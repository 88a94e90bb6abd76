"""The classes of an export, and what becomes of pixels that nobody labeled.

The rule for all tools: a pixel that no shape covers is of the class `background`, which comes
first. A class that the export itself calls background is that class. A class that is named for
what is to be ignored becomes the void, 255; so an export says that something does not count.
"""

from collections.abc import Iterable

from swiftseg.core import LabelSet, SwiftsegError
from swiftseg.core.labels import RGB
from swiftseg.data.voc_colors import voc_colors

BACKGROUND = "background"
BACKGROUND_NAMES = (BACKGROUND, "_background_", "__background__")
VOID_NAMES = ("__ignore__", "ignore", "ignored", "void")
VOID = 255
MAX_CLASSES = 255


def classes_of(
    found: Iterable[tuple[str, RGB | None]], *, has_background: bool = True
) -> tuple[LabelSet, dict[str, int]]:
    """Return the class set of an export, and the mask's value for each name in it.

    Args:
        found: The names in the tool's order, with their colors where it has them. A name may occur
            several times; its first color counts.
        has_background: Whether unlabeled pixels are the class `background`, and no void.

    Raises:
        SwiftsegError: There is no class, or there are more than 255.
    """
    colors: dict[str, RGB | None] = {BACKGROUND: None} if has_background else {}
    value_of: dict[str, int] = {}
    for name, color in found:
        if name.lower() in VOID_NAMES:
            value_of[name] = VOID
            continue
        class_name = BACKGROUND if name.lower() in BACKGROUND_NAMES else name
        colors[class_name] = colors.get(class_name) or color
        value_of[name] = list(colors).index(class_name) if name not in value_of else value_of[name]
    if len(colors) == has_background:
        raise SwiftsegError("the export has no class beside the background")
    if len(colors) > MAX_CLASSES:
        raise SwiftsegError(
            f"the export has {len(colors)} classes{' with the background' * has_background}; "
            f"expected at most {MAX_CLASSES}"
        )
    usual = voc_colors(len(colors))
    palette = tuple(color or usual[index] for index, color in enumerate(colors.values()))
    return LabelSet(tuple(colors), palette, VOID), value_of
