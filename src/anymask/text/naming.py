"""Names for the masks of everything mode, or only those masks that have one: what commands do with texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from anymask.automatic.naming import with_names
from anymask.core.errors import InputError
from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.text.encoder import TextImageEncoder
from anymask.text.finding import find_among
from anymask.text.scoring import TextScorer


@dataclass(frozen=True, eq=False)
class Words:
    """texts: names, see `encoder.check_texts`. threshold: least score, None for the encoder's own.

    only_hits: leave out masks that none of the texts fits, and keep each thing once, the best first;
    otherwise all masks stay, and those that a text fits are labelled. most: hits per picture at most.
    Raises InputError for a threshold outside 0 to 1.
    """

    texts: tuple[str, ...]
    encoder: TextImageEncoder
    threshold: float | None = None
    only_hits: bool = False
    most: int | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InputError(f"the threshold is {self.threshold}; give a number from 0 to 1")

    def __call__(self, picture: Picture, records: Sequence[MaskRecord]) -> list[MaskRecord]:
        """The records with labels, or the hits."""
        scorer = TextScorer(self.encoder)
        if self.only_hits:
            return find_among(scorer, picture, records, self.texts, self.least)[: self.most]
        return with_names(picture, records, self.texts, scorer, at_least=self.least)

    @property
    def least(self) -> float:
        """The threshold that counts."""
        return self.encoder.calibration.threshold if self.threshold is None else self.threshold

    def about(self) -> dict[str, Any]:
        """What results depend on, in JSON values."""
        return {
            "texts": list(self.texts),
            "encoder": self.encoder.name,
            "threshold": self.least,
            "only_hits": self.only_hits,
            "most": self.most,
        }
