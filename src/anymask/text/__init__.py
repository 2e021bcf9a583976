"""Text prompts: find things by words, name masks."""

from anymask.text.encoder import Calibration, TextImageEncoder
from anymask.text.finding import find
from anymask.text.known import encoder_of
from anymask.text.scoring import TextScorer

__all__ = ["Calibration", "TextImageEncoder", "TextScorer", "encoder_of", "find"]
