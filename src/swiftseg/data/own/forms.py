"""The ways to take a key out of a file's path: what an image and its mask may have in common."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from swiftseg.data.own.families import SAME, VARIABLE, Family, Member
from swiftseg.data.own.words import tokens_of

Kind = Literal["name", "number", "file", "folder"]
Tail = Literal["joined", "free"]

MAX_STRIPPED_BOTH = 2  # at both ends
MAX_STRIPPED = 5  # words of a name that are taken off at its end


class Form(NamedTuple):
    """A way to make a key.

    Attributes:
        kind: What of the file's name is the key: what is left of the stem, its number, the whole
            name with its suffix, or nothing, where folders alone are the key.
        before: What the stem begins with and the key is without.
        inside: A word within the stem, before its last number, that the key is without.
        after: What the stem ends with and the key is without.
        with_slots: Whether variable folders belong to the key.
        tail: Whether folders at the path's end do.
    """

    kind: Kind
    before: str = ""
    inside: str = ""
    after: str = ""
    with_slots: bool = True
    tail: Tail = "joined"

    @property
    def cost(self) -> int:
        """How much is taken off or left out: of forms that pair the same files, the least."""
        stripped = sum(len(tokens_of(part)) for part in (self.before, self.inside, self.after))
        kinds = {"name": 0, "number": 2, "file": 1, "folder": 3}
        return stripped + kinds[self.kind] + (not self.with_slots) + (self.tail == "free")


def key_of(member: Member, form: Form) -> str | None:
    """Return the key of a file by a form, or None where the file's name is not like that."""
    core = _core(member, form)
    if core is None:
        return None
    folders = member.slots if form.with_slots else ()
    if form.tail == "joined":
        folders += member.tail
    if form.kind == "folder":
        return "/".join(folders) or None
    return "/".join((*folders, core))


def _core(member: Member, form: Form) -> str | None:
    stem = member.item.stem
    if form.kind == "folder":
        return ""
    if form.kind == "file":
        return member.item.file.path.rpartition("/")[2]
    if len(stem) <= len(form.before) + len(form.after):
        return None
    if not (stem.startswith(form.before) and stem.endswith(form.after)):
        return None
    core = stem[len(form.before) : len(stem) - len(form.after)]
    if form.inside:
        begin, inside, number = core.rpartition(form.inside)
        return begin + number if inside and begin and number.isdigit() else None
    if form.kind == "number":
        return str(int(core)) if core.isdecimal() and core.isascii() else None
    return core


def forms_of(member: Member, *, is_picture: bool) -> Iterator[Form]:
    """List the forms that fit a file."""
    places: list[tuple[bool, Tail]] = [(True, "joined")]
    if member.tail:
        places.append((True, "free"))
    if member.slots:
        places.append((False, "joined"))
        if member.tail:
            places.append((False, "free"))
    stems = list(_stem_forms(member.item.stem))
    if is_picture and member.item.file.suffix:
        stems.append(Form("file"))
    for with_slots, tail in places:
        for form in stems:
            yield form._replace(with_slots=with_slots, tail=tail)
    if member.slots or member.tail:
        yield Form("folder")


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
    if len(tokens) >= 5 and tokens[-1].isdigit() and tokens[-3].isalpha():
        yield Form("name", inside="".join(tokens[-3:-1]))


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
    return not token[0].isalnum() and token not in ("{split}", ")", "]")


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
        class_place: `tail` or `slots` where the free folders name the class that a mask shows.
    """
    folders, names = _folder_texts(family, form, members)
    if form.kind == "folder" and partner.kind != "folder" and len(names) == 1:
        folders = [text.replace(f"{{{names[0]}}}", "{name}") for text in folders]
        names = ["name"]
    deep = ""
    tails = {member.tail for member in members}
    if form.kind == "folder":
        deep = "{name}/" if any(tails) else ""
        names = ["name"] if any(tails) else names
    elif len(tails) == 1:  # all in one folder
        deep = "".join(f"{name}/" for name in next(iter(tails)))
    elif form.tail == "free":
        above = "".join(f"{name}/" for name in min(tails)[:-1])
        deep = above + "{class}/" if class_place == "tail" else "**/"
    elif not spans:
        deep = "{path}/"
    stem = _same_stem(members, names) if stem is None else stem
    if class_place == "slots":
        folders = [text.replace(VARIABLE, "{class}") for text in folders]
    suffixes = sorted({member.item.file.suffix for member in members})
    if form.kind == "file":
        suffixes = [""]
    return ["".join(f"{folder}/" for folder in folders) + deep + stem + s for s in suffixes]


def stem_texts(picture: Form, mask: Form) -> tuple[str | None, str | None]:
    """Write the stems of an image and of its mask with the fields that they share."""
    if picture.inside or mask.inside:
        return (
            f"{{name}}{picture.inside}{{number}}" if picture.kind == "name" else None,
            f"{{name}}{mask.inside}{{number}}" if mask.kind == "name" else None,
        )
    kinds = {picture.kind, mask.kind}
    field = "number" if "number" in kinds else "file" if "file" in kinds else "name"
    texts = [
        None if form.kind == "folder" else f"{form.before}{{{field}}}{form.after}"
        for form in (picture, mask)
    ]
    return texts[0], texts[1]


def _folder_texts(
    family: Family, form: Form, members: Sequence[Member]
) -> tuple[list[str], list[str]]:
    """Write the folders' names, and name their fields."""
    texts: list[str] = []
    fields: list[str] = []
    slot = 0
    for mark in family.template:
        if VARIABLE in mark:
            values = {member.slots[slot] for member in members}
            slot += 1
            if len(values) == 1:
                texts.append(mark.replace(VARIABLE, next(iter(values))))
                fields.append("")
            elif form.with_slots or form.kind == "folder":
                fields.append("folder" if slot == 1 else f"folder{slot}")
                texts.append(mark.replace(VARIABLE, f"{{{fields[-1]}}}"))
            else:
                fields.append("")
                texts.append(mark)
        elif SAME in mark:
            field = fields[-1] if fields else ""
            texts.append(mark.replace(SAME, f"{{{field}}}" if field else VARIABLE))
        else:
            texts.append(mark)
    return texts, [name for name in fields if name]


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
