"""From a prompt request to candidates; what computes here belongs into a lane."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from anymask.core.embedding import ImageEmbedding
from anymask.core.mask_prompt import mask_to_logits
from anymask.core.prediction import Candidate, Prediction
from anymask.core.prompt import Prompt
from anymask.predict.corrections import correct_locally
from anymask.predict.model import Model, Multimask
from anymask.server.schemas import Point
from anymask.studio.prompting.schemas import StudioPrompt
from anymask.studio.prompting.windows import candidate_json, pixels_of
from anymask.studio.prompting.worse import is_much_worse

Points = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, eq=False)
class KeptAnswer:
    """An answer that may be refined.

    image_sha256, model_sha256: what it was about. points: those of its prompt, as they were sent.
    """

    image_sha256: str
    model_sha256: str
    prediction: Prediction
    points: Points

    @property
    def nbytes(self) -> int:
        """What its logits take."""
        return sum(candidate.low_res_logits.nbytes for candidate in self.prediction)


@dataclass(frozen=True, eq=False)
class Earlier:
    """What a request refines: the chosen candidate, and the points that led to it."""

    candidate: Candidate
    points: Points


@dataclass(frozen=True, eq=False)
class Answered:
    """candidates: as JSON, best first. milliseconds: all of it took. worse: see `worse.is_much_worse`."""

    prediction: Prediction
    model_sha256: str
    candidates: list[dict[str, Any]]
    milliseconds: float
    worse: bool


def answer(model: Model, embedding: ImageEmbedding, asked: StudioPrompt, earlier: Earlier | None) -> Answered:
    """Predict, keep a correction local where the model wants it, and cut the candidates to their windows.

    Raises PromptError for a prompt that cannot be meant, FormatError for a damaged mask.
    """
    start = time.perf_counter()
    prompt = prompt_of(asked, embedding.image_hw, earlier)
    multimask: Multimask = "auto" if asked.multimask is None else asked.multimask
    prediction = model.predict_many(embedding, [prompt], multimask=multimask)[0]
    worse = False
    before, click = _correction(asked, prompt, earlier, model, embedding)
    if before is not None and click is not None:
        x, y, label = click
        if model.spec.local_corrections:
            prediction = correct_locally(before, prediction, (x, y), include=label == 1)
        worse = is_much_worse(before, prediction.best, (x, y), include=label == 1)
    is_preview = asked.hover is not None
    shown = prediction[:1] if is_preview else prediction
    candidates = [candidate_json(candidate, with_stability=not is_preview) for candidate in shown]
    return Answered(prediction, model.sha256, candidates, 1000 * (time.perf_counter() - start), worse)


def prompt_of(asked: StudioPrompt, image_hw: tuple[int, int], earlier: Earlier | None) -> Prompt:
    """The prompt that a request means. Raises PromptError, FormatError."""
    boxes = [*([asked.box] if asked.box else []), *(asked.boxes or [])]
    return Prompt.of(
        image_hw,
        points=asked.points or None,
        boxes=boxes or None,
        mask=None if asked.mask is None else pixels_of(asked.mask, image_hw),
        scribble=asked.scribble or None,
        polygon=asked.polygon,
        previous=None if earlier is None else earlier.candidate,
    )


def points_of(points: list[Point] | None) -> Points:
    """Points as values that can be compared; one without a label is on the object."""
    return tuple((*point, 1.0)[:3] for point in points or [])


def _correction(
    asked: StudioPrompt, prompt: Prompt, earlier: Earlier | None, model: Model, embedding: ImageEmbedding
) -> tuple[Candidate | None, tuple[float, float, float] | None]:
    """The mask that one new click corrects, and the click; None where the request is no correction."""
    if asked.scribble or asked.polygon or asked.multimask:
        return None, None
    points = points_of(asked.points)
    known = () if earlier is None else earlier.points
    if len(points) != len(known) + 1 or points[:-1] != known:
        return None, None
    x, y, label = points[-1]
    if earlier is not None:
        return earlier.candidate, (x, y, label)
    if prompt.mask is None:
        return None, None
    logits = mask_to_logits(prompt.mask, embedding.frame, model.spec.mask_size)
    return Candidate(logits, 1.0, embedding.frame), (x, y, label)
