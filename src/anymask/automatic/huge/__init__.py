"""Everything mode on images of any size: windows with a halo, masks joined across seams, results on disk."""

from anymask.automatic.huge.job import HugeMasks, HugeSettings, everything_huge
from anymask.automatic.huge.masks import HugeRecord
from anymask.automatic.huge.outputs import write_huge

__all__ = ["HugeMasks", "HugeRecord", "HugeSettings", "everything_huge", "write_huge"]
