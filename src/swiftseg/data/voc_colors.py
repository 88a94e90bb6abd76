"""PASCAL VOC's color map, which tells any number of classes apart."""

from swiftseg.core.labels import RGB


def voc_colors(count: int) -> tuple[RGB, ...]:
    """Return the first colors of PASCAL VOC's map.

    The bits of the index, from the lowest, go to red, green and blue in turn, and each channel
    fills from its highest bit (VOC2012 development kit, `VOClabelcolormap`).
    """
    return tuple(
        (_channel(index), _channel(index >> 1), _channel(index >> 2)) for index in range(count)
    )


def _channel(bits: int) -> int:
    return sum((bits >> 3 * place & 1) << (7 - place) for place in range(3))
