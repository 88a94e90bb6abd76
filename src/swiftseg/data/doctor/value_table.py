"""The distinct values of masks, and what becomes of each."""

from collections import Counter
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
    counts: Counter[int] = (
        as_colors(totals, totals.counts) if in_color else sum(totals.counts.values(), Counter())
    )
    all_pixels = max(counts.total(), 1)
    ordered = counts.most_common()
    meanings = _meanings([code for code, _ in ordered], rules, labels)
    return [
        ValueRow(str(to_rgb(code)) if in_color else str(code), pixels / all_pixels, meaning)
        for (code, pixels), meaning in zip(ordered, meanings, strict=True)
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
