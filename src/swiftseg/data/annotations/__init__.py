"""Exports of labeling tools: polygons, boxes and bitmaps that become masks as they are read.

Nothing here writes; `convert.py` is the one exception. Each tool has its file, which gives an
`Export`; what they share is how shapes are drawn (`raster.py`), how runs are coded
(`run_lengths.py`) and which class an unlabeled pixel has (`classes.py`).
"""

from swiftseg.data.annotations.open_export import open_annotations, read_export
from swiftseg.data.annotations.recognize import is_annotations, recognize_annotations

__all__ = ["is_annotations", "open_annotations", "read_export", "recognize_annotations"]
