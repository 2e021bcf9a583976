"""The names of torchvision that segment_anything, mobile_sam and timm import, and no more."""

from . import datasets, ops, transforms

__version__ = "0.0"
__all__ = ["datasets", "ops", "transforms"]
