"""Everything mode: all masks of an image, without a prompt."""

from anymask.automatic.generate import generate_masks
from anymask.automatic.partition import Partition, partition
from anymask.automatic.presets import PRESETS, preset_settings
from anymask.automatic.settings import AutomaticSettings
from anymask.automatic.state import AutomaticState, everything
from anymask.automatic.tree import with_parents

__all__ = [
    "PRESETS",
    "AutomaticSettings",
    "AutomaticState",
    "Partition",
    "everything",
    "generate_masks",
    "partition",
    "preset_settings",
    "with_parents",
]
