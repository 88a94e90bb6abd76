"""Writes docs/shipped-models.md from the cards beside the shipped weights, each with a picture.

    python benchmarks/card_page.py

The picture is the page's sample, a rendered street that may be handed on, beside what the model
sees in it.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from swiftseg.core.files import replacing
from swiftseg.inference import Segmenter
from swiftseg.render import with_legend
from swiftseg.weights import DEFAULT_MODEL

ROOT = Path(__file__).parents[1]
CARDS = ROOT / "src/swiftseg/weights"
SAMPLE = ROOT / "web/public/sample.webp"
PAGE = ROOT / "docs/shipped-models.md"
PICTURES = ROOT / "docs/images/cards"
WEBP_QUALITY = 80

HEAD = """# Shipped models

<!-- Written by benchmarks/card_page.py from the cards in src/swiftseg/weights; not by hand. -->

Each model below comes with the package; `swiftseg models` lists them, and `--model NAME` chooses
one. Its card tells what it has learned from, what it was measured on, and where it fails. The
pictures show the rendered sample street of the page for browsers. Only `enet-toystreet` has learned
from rendered streets; the others know real ones, so the picture shows what a model makes of a scene
unlike its training data.
"""


def card(name: str) -> str:
    """Return a model's card with its picture under the title."""
    title, _, text = (CARDS / f"{name}.md").read_text("utf-8").partition("\n")
    picture = f"![The sample street, and its classes by {name}](images/cards/{name}.webp)"
    return f"#{title}\n\n{picture}\n{text}"


def draw(name: str) -> None:
    """Write the sample beside its overlay and the legend."""
    result = Segmenter.load(name)(SAMPLE)
    picture = with_legend(np.hstack((result.image, result.overlay())), result.labels)
    with replacing(PICTURES / f"{name}.webp") as temporary:
        Image.fromarray(picture).save(temporary, format="WEBP", quality=WEBP_QUALITY, method=6)


def page() -> str:
    """Return the page: the default model's card first, then the others by name."""
    return "\n".join([HEAD, *map(card, names())])


def names() -> list[str]:
    """Return the shipped models' names in the page's order."""
    cards = (path.stem for path in CARDS.glob("*.md"))
    return sorted(cards, key=lambda name: (name != DEFAULT_MODEL, name))


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for name in names():
        draw(name)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}: {', '.join(names())}")


if __name__ == "__main__":
    main()
