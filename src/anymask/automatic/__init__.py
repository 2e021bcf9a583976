"""Everything mode: all masks of an image, without a prompt."""

from anymask.automatic.generate import generate_masks
from anymask.automatic.settings import AutomaticSettings

__all__ = ["AutomaticSettings", "generate_masks"]
