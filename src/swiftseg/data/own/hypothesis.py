"""One way that a tree's images and masks may belong together."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from swiftseg.data.own.families import Family, Member
from swiftseg.data.own.forms import Form
from swiftseg.data.own.patterns import Parts

Place = Callable[[Member], object]


@dataclass
class Hypothesis:
    """One way that images and masks may belong together.

    Attributes:
        picture_form: How the key is taken from an image's path.
        mask_form: How it is taken from a mask's.
        parts: Whether an image has one mask, or one for each instance or class.
        same: Further images with the key of one that is paired.
        quality: How much the pixels, names and sizes speak for it, 0 to 1.
        num_values: Distinct values of the masks looked at, the mean.
        class_place: Where a path names the class of a mask of its own: `after`, what the stem ends
            with; `stem`; `tail`, the folders at its end; `slot0` and so on, one of the variable
            folders; or `slots`, these. Empty where it does not.
        endings: What the stems of the classes' masks end with, where each class has its own.
        has_copies: Whether the same images lie in other folders, too.
        numbered: The sign before the number of further masks of an image, as in `a_mask_1`; empty
            where there is none, as in `a_mask1`. None where masks are not numbered so.
        counted: What the stems of an image's masks end with, as in `a_1` and `a_2`: an expression
            of signs and digits. Empty where they do not count.
    """

    pictures: Family
    masks: Family
    picture_form: Form
    mask_form: Form
    parts: Parts = "one"
    pairs: list[tuple[Member, list[Member]]] = field(
        default_factory=list[tuple[Member, list[Member]]]
    )
    same: list[Member] = field(default_factory=list[Member])
    quality: float = 0.0
    num_values: float = 0.0
    class_place: str = ""
    endings: tuple[str, ...] = ()
    numbered: str | None = None
    counted: str = ""
    has_copies: bool = False

    @property
    def score(self) -> float:
        return len(self.pairs) * self.quality

    @property
    def richness(self) -> float:
        """How many classes the masks of an image tell apart."""
        if self.parts != "classes":
            return self.num_values
        return 1 + max((len(masks) for _, masks in self.pairs), default=0)


def places_of(form: Form, members: Sequence[Member]) -> dict[str, Place]:
    """Return what may tell files apart that have one key: folders that it goes without, and more.

    Numbers in a stem count instances.
    """
    num_slots = len(members[0].slots)
    free = [at for at in form.free if at < num_slots] or list(range(num_slots))
    places: dict[str, Place] = {"tail": lambda member: member.tail}
    places |= {f"slot{at}": partial(_slot_of, at=at) for at in free}
    places["slots"] = lambda member: tuple(member.slots[at] for at in free)
    places["suffix"] = lambda member: member.item.file.suffix
    counts = Counter(member.item.stem for member in members)
    places["stem"] = lambda member: _telling_stem(member.item.stem, counts)
    return places


def _telling_stem(stem: str, counts: Mapping[str, int]) -> str:
    """Return a stem that may name what a file shows; nothing for one that counts or is a hash."""
    is_word = not re.search(r"\d", stem)
    return stem if is_word or (counts[stem] > 1 and stem[-1].isalpha()) else ""


def _slot_of(member: Member, *, at: int) -> str:
    return member.slots[at]
