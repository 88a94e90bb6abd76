"""Hypotheses of how a tree's files belong together: made from names, judged by files and pixels."""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from swiftseg.data.own.class_endings import class_hypotheses
from swiftseg.data.own.families import Family
from swiftseg.data.own.forms import Form, forms_of, key_of
from swiftseg.data.own.hypothesis import Hypothesis
from swiftseg.data.own.instances import counted_instances, take_in_numbered
from swiftseg.data.own.judging import Looker, judge
from swiftseg.data.own.variants import variants
from swiftseg.data.own.words import tokens_of

MAX_VOTING = 6000  # files a family that are asked for their keys
MAX_SHARED = 48  # of a key that more files have than this, nothing follows
TRIED = 60  # hypotheses that are tried on all files
MAX_SAME = 12
AS_GOOD = 0.95  # of the best score
RARE = 0.2  # of a family's names


def find_hypotheses(families: Sequence[Family], looker: Looker) -> list[Hypothesis]:
    """Return the hypotheses that pair at least some files, the best first."""
    tried: list[Hypothesis] = []
    seen: set[tuple[object, ...]] = set()
    for (pictures, masks), forms in _voted(families):
        if any(map(tears_names, (pictures, masks), forms)):
            continue
        found = variants(Hypothesis(pictures, masks, *forms), looker)
        counted = [more for variant in found for more in counted_instances(variant, looker)]
        for variant in (*counted, *found):
            if not variant.pairs:
                continue
            first = variant.pairs[0][0].item.file.path
            outcome = (
                first,
                variant.parts,
                frozenset(m[0].item.file.path for _, m in variant.pairs),
            )
            if outcome not in seen:
                seen.add(outcome)
                take_in_numbered(variant, looker)
                judge(variant, looker)
                tried.append(variant)
    tried += class_hypotheses(tried, looker)
    return _ranked(tried)


def tears_names(family: Family, form: Form) -> bool:
    """Whether a form takes apart names such as hashes: few have what it takes off, amid a word."""
    ends = ((form.before, form.before[-1:]), (form.after, form.after[:1]))
    if not any(re.search(r"\d", text) and cut.isalnum() for text, cut in ends):
        return False
    stems = [member.item.stem for member in family.members]
    alike = sum(stem.startswith(form.before) and stem.endswith(form.after) for stem in stems)
    return alike < RARE * len(stems)


def _ranked(tried: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Order by what is explained; of those that are as good, richer masks and simpler names win."""

    def order(hypothesis: Hypothesis) -> tuple[bool, float, float, int, int]:
        is_near = hypothesis.score >= AS_GOOD * best
        richness = min(hypothesis.richness, 64)
        cost = hypothesis.picture_form.cost + hypothesis.mask_form.cost
        score = round(hypothesis.score, 1)
        best_of_two = (richness, score) if is_near else (score, richness)
        length = len("/".join(hypothesis.masks.template)) + sum(
            map(len, _first_folders(hypothesis))
        )
        return is_near, *best_of_two, -cost, -length

    best = max((hypothesis.score for hypothesis in tried), default=0.0)
    return sorted(tried, key=order, reverse=True)


def _first_folders(hypothesis: Hypothesis) -> tuple[str, ...]:
    """Return the variable folders of the first mask."""
    first = hypothesis.pairs[0][1][0]
    return (*first.slots, *first.tail)


def _voted(
    families: Sequence[Family],
) -> list[tuple[tuple[Family, Family], tuple[Form, Form]]]:
    """Let samples of files vote for the pairs of forms by which they have keys in common."""
    owners: tuple[dict[str, set[tuple[int, Form]]], ...] = (defaultdict(set), defaultdict(set))
    counts: tuple[Counter[tuple[str, int, Form]], ...] = (Counter(), Counter())
    sparse = max(1, max((len(family.members) for family in families), default=0) // MAX_VOTING)
    for number, family in enumerate(families):
        side = int(family.role == "mask")
        for member in family.members:
            if sparse > 1 and _number_hash(member.item.file.path) % sparse:
                continue
            for form in forms_of(member, is_picture=not side):
                key = key_of(member, form)
                for known in () if key is None else (key, f"{member.item.split} {key}"):
                    owners[side][known].add((number, form))
                    counts[side][known, number, form] += 1
    votes: Counter[tuple[int, Form, int, Form]] = Counter()
    for key, pictures in owners[0].items():
        masks = owners[1].get(key)
        if not masks or len(pictures) > MAX_SHARED or len(masks) > MAX_SHARED:
            continue
        for one, form in pictures:
            if counts[0][key, one, form] > MAX_SAME:
                continue  # images that the key does not tell apart
            for other, mask_form in masks:
                votes[one, form, other, mask_form] += 1
    ranked = sorted(
        votes.items(), key=lambda vote: (-vote[1], vote[0][1].cost + vote[0][3].cost, vote[0])
    )
    chosen = _spread(ranked)
    return [((families[a], families[b]), (form, mask_form)) for a, form, b, mask_form in chosen]


def _spread(
    ranked: Sequence[tuple[tuple[int, Form, int, Form], int]],
) -> list[tuple[int, Form, int, Form]]:
    """Take the first hypotheses, but few of each pair of families and kind of mask's name."""
    taken: Counter[tuple[int, int, str, str]] = Counter()
    chosen: list[tuple[int, Form, int, Form]] = []
    for (one, form, other, mask_form), _ in ranked:
        kind = (one, other, mask_form.before + "*" + mask_form.after, mask_form.inside)
        taken[kind] += 1
        if taken[kind] <= 3 and len(chosen) < TRIED:
            chosen.append((one, form, other, mask_form))
    return chosen


def _number_hash(path: str) -> int:
    """Hash the longest number in a path, which an image and its mask are likely to share."""
    numbers = [token for token in tokens_of(path) if token.isdigit()]
    return zlib.crc32(max(numbers, key=len).lstrip("0").encode()) if numbers else 0
