"""Answers that may still be refined, by a number that only their client knows."""

from __future__ import annotations

import dataclasses
import secrets

from anymask.server.byte_cache import ByteCache
from anymask.server.config import MIB
from anymask.server.problems import Problem
from anymask.server.schemas import Previous
from anymask.studio.prompting.answering import Earlier, KeptAnswer

_BYTES = 128 * MIB


class KeptAnswers:
    """For one event loop. budget: bytes of logits; answers unused for longest go first."""

    def __init__(self, budget: int = _BYTES) -> None:
        self._answers: ByteCache[str, KeptAnswer] = ByteCache(budget, lambda kept: kept.nbytes)

    def keep(self, answer: KeptAnswer) -> str:
        """Keep an answer and return its number."""
        number = secrets.token_hex(16)
        self._answers.put(number, answer)
        return number

    def earlier(self, asked: Previous, image_sha256: str, model_sha256: str) -> Earlier:
        """The candidate that a request names. Raises Problem (404) if it is not, or no longer, here, or of
        another image or model; 422 if the answer has no such candidate.
        """
        kept = self._answers.get(asked.prediction)
        if kept is None or (kept.image_sha256, kept.model_sha256) != (image_sha256, model_sha256):
            raise Problem(
                404,
                "unknown_prediction",
                "there is no such prediction on this image, or no longer; send the mask itself in its place",
            )
        if asked.candidate >= len(kept.prediction):
            raise Problem(
                422,
                "unusable",
                f"there is no candidate {asked.candidate}; the prediction has {len(kept.prediction)}",
            )
        # A copy: what is worked out of it (masks of the image's size) must not stay with what is kept.
        candidate = dataclasses.replace(kept.prediction[asked.candidate])
        return Earlier(candidate, kept.points, kept.drawn if asked.candidate == 0 else None)
