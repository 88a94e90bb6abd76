"""HTML and SVG written by functions: text is escaped unless it is markup already."""

from html import escape

VOID_TAGS = ("img", "meta", "br")  # those of HTML that have no end


class Markup(str):
    """Text that is HTML already; everything else is escaped on its way into a tag."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """Writes an element.

    Args:
        name: Such as `td`.
        children: `Markup` as it stands, other text escaped.
        attributes: Underscores become hyphens and one at the end is dropped, so that `class_` and
            `stroke_width` can be written; numbers are rounded to a hundredth, None is left out.
    """
    written = "".join(
        f' {_attribute_name(key)}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID_TAGS:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*parts: str) -> Markup:
    """Puts parts one behind the other, escaping those that are no markup."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def percent(share: float | None) -> str:
    """Writes a share as percent; what is undefined as a dash."""
    return "–" if share is None or share != share else f"{100 * share:.2f} %"  # noqa: RUF001


def _attribute_name(key: str) -> str:
    return key.removesuffix("_").replace("_", "-")


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
