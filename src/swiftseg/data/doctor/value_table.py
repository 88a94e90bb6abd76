"""The distinct values of masks, and what becomes of each."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from swiftseg.core import LabelSet
from swiftseg.data.own.mask_rules import MaskRules, snap, to_rgb
from swiftseg.data.own.propose import as_colors
from swiftseg.data.own.survey import MaskTotals


class ValueRow(NamedTuple):
    """A value or color, its part of all pixels, and its class: a name, `ignore` or `unknown`."""

    value: str
    share: float
    meaning: str


def value_table(
    totals: MaskTotals, rules: MaskRules | None, labels: LabelSet | None
) -> list[ValueRow]:
    """List the masks' values, the most frequent first."""
    in_color = "rgb" in totals.files if rules is None else rules.encoding == "rgb"
    numbers, colors = Counter[int](), Counter[int]()
    if in_color:
        colors = as_colors(totals, totals.counts)
    else:
        for kind, counts in totals.counts.items():
            (colors if kind == "rgb" else numbers).update(counts)
    found = [
        *_named(numbers, rules, labels, str),
        # Where numbers are expected, a color is no class.
        *_named(colors, rules if in_color else None, labels, lambda code: str(to_rgb(code))),
    ]
    all_pixels = max(numbers.total() + colors.total(), 1)
    found.sort(key=lambda row: -row[1])
    return [ValueRow(value, pixels / all_pixels, meaning) for value, pixels, meaning in found]


def _named(
    counts: Counter[int],
    rules: MaskRules | None,
    labels: LabelSet | None,
    written: Callable[[int], str],
) -> list[tuple[str, int, str]]:
    """Return each value as it is written, its pixels and its class."""
    meanings = _meanings(list(counts), rules, labels)
    return [
        (written(code), pixels, meaning)
        for (code, pixels), meaning in zip(counts.items(), meanings, strict=True)
    ]


def _meanings(codes: list[int], rules: MaskRules | None, labels: LabelSet | None) -> list[str]:
    if rules is None or labels is None:
        return ["unknown"] * len(codes)
    if rules.tolerance and codes:
        classes = snap(np.array(codes, np.uint32), rules).tolist()
    else:
        classes = [rules.class_of.get(code) for code in codes]
    names = dict(enumerate(labels.names))
    names |= {v: s.name for v, s in zip(labels.set_values, labels.sets, strict=True)}
    return ["unknown" if c is None else names.get(c, "ignore") for c in classes]
