"""Data set readers: plain sequences of `Sample`, made of numpy and pillow."""

from swiftseg.data.dataset import Dataset
from swiftseg.data.open_dataset import open_dataset

__all__ = ["Dataset", "open_dataset"]
