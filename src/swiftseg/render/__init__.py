"""Label maps made visible."""

from swiftseg.core.fonts import without_font
from swiftseg.render.colors import colorize, label_map_png, overlay, save_label_map
from swiftseg.render.legend import with_legend

__all__ = [
    "colorize",
    "label_map_png",
    "overlay",
    "save_label_map",
    "with_legend",
    "without_font",
]
