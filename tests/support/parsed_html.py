"""HTML taken apart by Python's own parser, for tests that ask what a page holds."""

import base64
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser

from PIL import Image

URL_ATTRIBUTES = ("src", "href", "srcset", "data", "action", "poster", "xlink:href")
EMPTY = ("meta", "img", "br")


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list["Element"] = field(default_factory=list["Element"])
    own_text: list[str] = field(default_factory=list[str])

    def all(self, tag: str, class_: str | None = None) -> list["Element"]:
        """Return the elements below, in their order; `class_` is one of theirs."""
        found: list[Element] = []
        for child in self.children:
            classes = child.attributes.get("class", "").split()
            if child.tag == tag and (class_ is None or class_ in classes):
                found.append(child)
            found += child.all(tag, class_)
        return found

    @property
    def text(self) -> str:
        return "".join(self.own_text) + "".join(child.text for child in self.children)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs})
        self.open[-1].children.append(element)
        if tag not in EMPTY:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.open[-1].own_text.append(data)


def parse_html(text: str) -> Element:
    """Parses a page whose every element is closed in its turn."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    assert builder.open == [builder.root], "elements are left open"
    return builder.root


def urls(element: Element) -> list[str]:
    """Return whatever a browser would fetch below an element, style sheets' too."""
    found = [value for key, value in element.attributes.items() if key in URL_ATTRIBUTES]
    styles = [element.attributes.get("style", "")]
    styles += element.own_text if element.tag == "style" else []
    found += [style for style in styles if "url(" in style or "@import" in style]
    return found + [url for child in element.children for url in urls(child)]


def decode_picture(uri: str) -> Image.Image:
    head, _, encoded = uri.partition(";base64,")
    assert head.startswith("data:image/")
    picture = Image.open(io.BytesIO(base64.b64decode(encoded, validate=True)))
    picture.load()
    return picture
