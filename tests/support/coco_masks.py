"""COCO's segmentations as masks, by pycocotools."""

import warnings
from typing import Any

import numpy as np
from pycocotools import mask as coco


def decoded(segmentation: Any, size_hw: tuple[int, ...]) -> np.ndarray:
    """Makes a mask bool (H, W) of run lengths or polygons."""
    if isinstance(segmentation, list):
        segmentation = coco.merge(coco.frPyObjects(segmentation, *size_hw))
    with warnings.catch_warnings():  # its arrays know nothing of numpy 2's copy argument
        warnings.simplefilter("ignore", DeprecationWarning)
        return coco.decode(segmentation).astype(bool)
