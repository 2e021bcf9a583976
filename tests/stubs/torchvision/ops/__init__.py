from . import boxes, misc

__all__ = ["boxes", "misc"]
