"""The ways to take a key out of a file's path: what an image and its mask may have in common."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from swiftseg.data.own.families import Family, Member
from swiftseg.data.own.items import SAME, VARIABLE
from swiftseg.data.own.words import tokens_of

Kind = Literal["name", "number", "file", "folder"]
Tail = Literal["joined", "free"]

MAX_STRIPPED_BOTH = 2  # at both ends
MAX_STRIPPED = 6  # words of a name that are taken off at its end


class Form(NamedTuple):
    """A way to make a key.

    Attributes:
        kind: What of the file's name is the key: what is left of the stem, its number, the whole
            name with its suffix, or nothing, where folders alone are the key.
        before: What the stem begins with and the key is without.
        inside: A word within the stem that the key is without.
        after: What the stem ends with and the key is without.
        free: The variable folders, by their number, that do not belong to the key.
        tail: Whether folders at the path's end do.
    """

    kind: Kind
    before: str = ""
    inside: str = ""
    after: str = ""
    free: tuple[int, ...] = ()
    tail: Tail = "joined"

    @property
    def cost(self) -> int:
        """How much is taken off or left out: of forms that pair the same files, the least."""
        stripped = sum(len(tokens_of(part)) for part in (self.before, self.inside, self.after))
        kinds = {"name": 0, "number": 2, "file": 1, "folder": 3}
        return stripped + kinds[self.kind] + len(self.free) + (self.tail == "free")

    def kept(self, member: Member) -> tuple[str, ...]:
        """Return the folders of a file that belong to its key."""
        slots = tuple(name for at, name in enumerate(member.slots) if at not in self.free)
        return slots + member.tail if self.tail == "joined" else slots

    def freed(self, member: Member) -> tuple[str, ...]:
        """Return the others."""
        slots = tuple(name for at, name in enumerate(member.slots) if at in self.free)
        return slots + member.tail if self.tail == "free" else slots


def key_of(member: Member, form: Form) -> str | None:
    """Return the key of a file by a form, or None where the file's name is not like that."""
    core = _core(member, form)
    if core is None:
        return None
    folders = form.kept(member)
    if form.kind == "folder":
        text = "/".join(folders)
        is_named = text.endswith(form.after) and text != form.after
        return text.removesuffix(form.after) or None if is_named else None
    return "/".join((*folders, core))


def _core(member: Member, form: Form) -> str | None:
    stem = member.item.stem
    if form.kind == "folder":
        return ""
    if form.kind == "file":
        return member.item.file.path.rpartition("/")[2]
    if form.before.startswith(SAME):
        begun = _begun_by(member)
        if begun is None:
            return None
        stem = SAME + begun[1]
    if len(stem) <= len(form.before) + len(form.after):
        return None
    if not (stem.startswith(form.before) and stem.endswith(form.after)):
        return None
    core = stem[len(form.before) : len(stem) - len(form.after)]
    if form.inside:
        begin, _, end = core.rpartition(form.inside)
        if end.isdigit():
            return begin + end if begin else None
        begin, _, end = core.partition(form.inside)
        return f"{begin}/{end}" if begin and end else None
    if form.kind == "number":
        return str(int(core)) if core.isdecimal() and core.isascii() else None
    return core


def forms_of(member: Member, *, is_picture: bool) -> Iterator[Form]:
    """List the forms that fit a file."""
    tails: tuple[Tail, ...] = ("joined", "free") if member.tail else ("joined",)
    stems = list(_stem_forms(member.item.stem))
    begun = _begun_by(member)
    if begun is not None:
        stems += [form for form in _stem_forms(SAME + begun[1]) if form.before.startswith(SAME)]
    if is_picture and member.item.file.suffix:
        stems.append(Form("file"))
    for free in _freed(len(member.slots)):
        for tail in tails:
            for form in stems:
                yield form._replace(free=free, tail=tail)
    if member.slots or member.tail:
        yield from (Form("folder", free=free) for free in _freed(len(member.slots)))
        yield from _folder_forms(member, is_picture=is_picture)


def _folder_forms(member: Member, *, is_picture: bool) -> Iterator[Form]:
    """Yield forms of masks whose folder is called as the image and more: `a.labels/mask.png`."""
    name = (*member.slots, *member.tail)[-1]
    tokens = tokens_of(name)
    for cut in range(max(1, len(tokens) - 3), len(tokens)) if not is_picture else ():
        if not _is_sign(tokens[cut]) and _is_sign(tokens[cut - 1]):
            yield Form("folder", after="".join(tokens[cut - 1 :]))


def _begun_by(member: Member) -> tuple[int, str] | None:
    """Find the last variable folder whose name a stem begins with; return what follows, too."""
    for at, own in reversed(list(enumerate(member.slots))):
        rest = member.item.stem.removeprefix(own)
        if own and rest and rest != member.item.stem and not rest[0].isalnum():
            return at, rest
    return None


def _freed(num_slots: int) -> list[tuple[int, ...]]:
    """List the sets of variable folders that a key may go without."""
    every = tuple(range(num_slots))
    one = [(at,) for at in every]
    all_but_one = [tuple(a for a in every if a != at) for at in every]
    return list(dict.fromkeys([(), *one, *all_but_one, every]))


def _stem_forms(stem: str) -> Iterator[Form]:
    tokens = tokens_of(stem)
    strips = [("", "")]
    strips += [("", "".join(tokens[cut:])) for cut in _cuts(tokens)]
    strips += [("".join(tokens[:cut]), "") for cut in _cuts_before(tokens)]
    strips += [
        ("".join(tokens[:first]), "".join(tokens[last:]))
        for first in list(_cuts_before(tokens))[:MAX_STRIPPED_BOTH]
        for last in list(_cuts(tokens))[-MAX_STRIPPED_BOTH:]
        if first < last
    ]
    is_split_outside = stem.startswith("{split}") or stem.endswith("{split}")
    for before, after in strips:
        form = Form("name", before=before, after=after)
        core = stem[len(before) : len(stem) - len(after)]
        if is_split_outside and "{split}" in core:
            continue  # the split's word is no part of the name
        yield form
        if core.isdecimal() and core.isascii():
            yield form._replace(kind="number")
    for at in range(2, len(tokens) - 2):
        if tokens[at].isalpha() and _is_sign(tokens[at - 1]) and _is_sign(tokens[at + 1]):
            yield Form("name", inside="".join(tokens[at : at + 2]))


def _cuts(tokens: Sequence[str]) -> Iterator[int]:
    """Yield where the last words of a name may begin, with the sign before them."""
    for cut in range(max(1, len(tokens) - 2 * MAX_STRIPPED), len(tokens)):
        if _is_sign(tokens[cut - 1]):
            continue  # a sign goes with the words behind it
        yield cut


def _cuts_before(tokens: Sequence[str]) -> Iterator[int]:
    """Yield where the first words of a name may end, with the sign behind them."""
    for cut in range(1, min(len(tokens), 2 * MAX_STRIPPED)):
        if _is_sign(tokens[cut]):
            continue
        yield cut


def _is_sign(token: str) -> bool:
    return not token[0].isalnum() and token not in ("{split}", SAME, ")", "]")


def pattern_text(
    family: Family,
    form: Form,
    members: Sequence[Member],
    stem: str | None,
    *,
    spans: bool,
    partner: Form,
    class_place: str = "",
) -> list[str]:
    """Write the patterns of the files that a form makes keys of: one for each suffix there is.

    Args:
        family: Theirs.
        form: The form.
        members: The files that have a partner.
        stem: How the stem is written; None where folders alone are the key.
        spans: Whether the field takes the folders at the path's end in, too.
        partner: The form of the other side.
        class_place: The place in the path that names the class that a mask shows.
    """
    folders, names = _folder_texts(family, form, members, class_place)
    begun = _begun_by(members[0])
    own = VARIABLE if begun is None else names[begun[0]]
    names = [text[1:-1] for text in names if text.startswith("{folder")]
    if form.kind == "folder" and partner.kind != "folder" and names:
        folders = [text.replace(f"{{{names[-1]}}}", "{name}" + form.after) for text in folders]
        names[-1] = "name"
    deep = ""
    tails = {member.tail for member in members}
    if form.kind == "folder":
        deep = f"{{name}}{form.after}/" if any(tails) else ""
        names = ["name"] if any(tails) else names
    elif len(tails) == 1:  # all in one folder
        deep = "".join(f"{name}/" for name in next(iter(tails)))
    elif form.tail == "free":
        above = "".join(f"{name}/" for name in min(tails)[:-1])
        deep = above + "{class}/" if class_place == "tail" else "**/"
    elif not spans:
        deep = "{path}/"
    stem = _same_stem(members, names) if stem is None else stem.replace(SAME, own)
    suffixes = sorted({member.item.file.suffix for member in members})
    if form.kind == "file":
        suffixes = [""]
    return ["".join(f"{folder}/" for folder in folders) + deep + stem + s for s in suffixes]


def stem_texts(picture: Form, mask: Form) -> tuple[str | None, str | None]:
    """Write the stems of an image and of its mask with the fields that they share."""
    if picture.inside or mask.inside:
        end = "{end}" if picture.inside and mask.inside else "{number}"
        texts = [
            f"{{name}}{form.inside}{end}" if form.kind == "name" else None
            for form in (picture, mask)
        ]
        return texts[0], texts[1]
    kinds = {picture.kind, mask.kind}
    field = "number" if "number" in kinds else "file" if "file" in kinds else "name"
    texts = [
        None if form.kind == "folder" else f"{form.before}{{{field}}}{form.after}"
        for form in (picture, mask)
    ]
    return texts[0], texts[1]


def _folder_texts(
    family: Family, form: Form, members: Sequence[Member], class_place: str
) -> tuple[list[str], list[str]]:
    """Write the folders' names, and what stands for each variable one.

    Those of the key are counted, so that both sides give the same folder the same field.
    """
    texts: list[str] = []
    shown: list[str] = []
    num_kept = 0
    for mark in family.template:
        if VARIABLE in mark:
            slot = len(shown)
            values = {member.slots[slot] for member in members}
            num_kept += slot not in form.free
            if len(values) == 1:
                shown.append(next(iter(values)))
            elif class_place == f"slot{slot}" or (class_place == "slots" and slot in form.free):
                shown.append("{class}")
            elif slot in form.free:
                shown.append(VARIABLE)
            else:
                shown.append("{folder}" if num_kept == 1 else f"{{folder{num_kept}}}")
            texts.append(mark.replace(VARIABLE, shown[-1]))
        elif SAME in mark:
            texts.append(mark.replace(SAME, shown[-1] if shown else VARIABLE))
        else:
            texts.append(mark)
    return texts, shown


def _same_stem(members: Sequence[Member], names: Sequence[str]) -> str:
    """Write the name of files that their folder is the key of."""
    stems = {member.item.stem for member in members}
    if len(stems) == 1:
        return next(iter(stems))
    if names:
        folder = [(*member.slots, *member.tail)[-1] for member in members]
        rests = {
            member.item.stem.replace(name, f"{{{names[-1]}}}", 1)
            for member, name in zip(members, folder, strict=True)
        }
        if len(rests) == 1:
            return next(iter(rests))
    return VARIABLE
