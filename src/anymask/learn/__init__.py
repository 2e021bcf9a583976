"""Models that improve from a studio's corrections: which picture next, and the round from corrections to
model.
"""

from anymask.learn.order import Look, look_at, most_informative
from anymask.learn.round import LearnSettings, Round, learn

__all__ = ["LearnSettings", "Look", "Round", "learn", "look_at", "most_informative"]
