"""CLIP (Radford et al., arXiv 2103.00020) as a model folder: sizes, weights' names, vocabulary, import."""

from anymask.models.clip.config import ClipConfig, Tower
from anymask.models.clip.importer import import_clip, is_clip

__all__ = ["ClipConfig", "Tower", "import_clip", "is_clip"]
