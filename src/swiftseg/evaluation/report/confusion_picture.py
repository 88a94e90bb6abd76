"""The confusion matrix as a picture: each row the classes' true pixels, shared out in percent."""

import numpy as np

from swiftseg.evaluation.report.markup import Markup, join, percent, tag

MAX_NAME = 26
SHOWN_SHARE = 0.0005  # what would read 0.0 % stays empty: most of 66 x 66 cells
NUMBERED_CLASSES = 24  # up to here a cell is large enough for its number


def confusion_picture(matrix: np.ndarray, names: tuple[str, ...]) -> Markup:
    """Draws the matrix row-normalized; pointing at a cell tells its classes and share.

    Args:
        matrix: int64 (C, C), rows true, columns predicted.
        names: The classes.
    """
    cell = 34 if len(names) <= NUMBERED_CLASSES else 14
    margin = 24 + 6.4 * max(len(_short(name)) for name in names)
    side = cell * len(names)
    width, height = margin + side + 12, margin + side + 12
    rows = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(rows, 1)
    parts = [
        tag("rect", x=margin, y=margin, width=side, height=side, class_="empty"),
        tag("text", "predicted →", x=margin, y=12, class_="tick"),
        tag(
            "text",
            "← true",
            x=0,
            y=0,
            class_="tick end",
            transform=f"translate(12 {margin:.0f}) rotate(-90)",
        ),
        *(_names(names, margin, cell)),
        *(_row(shares[index], index, names, margin, cell) for index in range(len(names))),
    ]
    return tag(
        "svg",
        *parts,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        style=f"width:{width:.0f}px; max-width:100%; min-width:{0.75 * width:.0f}px",
        class_="matrix",
        role="img",
        aria_label="confusion matrix",
    )


def _names(names: tuple[str, ...], margin: float, cell: int) -> list[Markup]:
    parts: list[Markup] = []
    for index, name in enumerate(names):
        middle = margin + cell * (index + 0.5)
        text = (_short(name), tag("title", name))
        parts.append(tag("text", *text, x=margin - 6, y=middle + 4, class_="name end"))
        turn = f"translate({middle + 4:.1f} {margin - 6:.1f}) rotate(-90)"
        parts.append(tag("text", *text, transform=turn, class_="name"))
    return parts


def _row(
    shares: np.ndarray, index: int, names: tuple[str, ...], margin: float, cell: int
) -> Markup:
    parts: list[Markup] = []
    top = margin + cell * index
    for column in np.flatnonzero(shares >= SHOWN_SHARE).tolist():
        share, left = float(shares[column]), margin + cell * column
        told = tag("title", f"{names[index]} taken for {names[column]}: {percent(share)}")
        kind = "right" if column == index else "wrong"
        # A wrong cell is drawn stronger than its share, so that 5 % can be seen at all.
        strength = share if column == index else share**0.6
        parts.append(
            tag(
                "rect",
                told,
                x=left,
                y=top,
                width=cell - 1,
                height=cell - 1,
                fill_opacity=max(strength, 0.05),
                class_=f"cell {kind}",
            )
        )
        if cell > 20 and share >= 0.005:
            class_ = "number strong" if strength > 0.6 else "number"
            number = f"{100 * share:.0f}"
            parts.append(
                tag("text", number, x=left + cell / 2, y=top + cell / 2 + 4, class_=class_)
            )
    return join(*parts)


def _short(name: str) -> str:
    """Keeps the end, which tells Mapillary's `construction--barrier--...` apart."""
    return name if len(name) <= MAX_NAME else f"…{name[1 - MAX_NAME :]}"
