"""Data sets with true masks, one file per layout; all of them become samples."""

from anymask.evaluate.datasets.dataset import DataSet
from anymask.evaluate.datasets.layouts import LAYOUTS, open_samples

__all__ = ["LAYOUTS", "DataSet", "open_samples"]
