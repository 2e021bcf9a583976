"""From a prompt request to candidates; what computes here belongs into a lane."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from anymask.core.arrays import BoolArray
from anymask.core.embedding import ImageEmbedding
from anymask.core.mask_prompt import mask_to_logits
from anymask.core.prediction import Candidate, Prediction
from anymask.core.prompt import Prompt
from anymask.core.rle import Rle, decode, decode_window, encode
from anymask.predict.corrections import correct_locally
from anymask.predict.model import Model, Multimask
from anymask.server.schemas import Point
from anymask.studio.prompting.schemas import StudioPrompt
from anymask.studio.prompting.windows import candidate_json, pixels_of, window_json
from anymask.studio.prompting.worse import is_much_worse

Points = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, eq=False)
class KeptAnswer:
    """An answer that may be refined.

    image_sha256, model_sha256: what it was about. points: those of its prompt, as they were sent. drawn: the
    mask as it was answered, where that is finer than its logits: a corrected drawing.
    """

    image_sha256: str
    model_sha256: str
    prediction: Prediction
    points: Points
    drawn: Rle | None = None

    @property
    def nbytes(self) -> int:
        """What its logits take, and its drawing."""
        drawn = 0 if self.drawn is None else len(self.drawn.counts)
        return drawn + sum(candidate.low_res_logits.nbytes for candidate in self.prediction)


@dataclass(frozen=True, eq=False)
class Earlier:
    """What a request refines: the chosen candidate, the points that led to it, its drawing where there is
    one.
    """

    candidate: Candidate
    points: Points
    drawn: Rle | None = None


@dataclass(frozen=True, eq=False)
class _Correction:
    """A mask, the one new click that corrects it, and the mask as it was drawn where that is finer."""

    before: Candidate
    click_xy: tuple[float, float]
    include: bool
    drawn: BoolArray | None


@dataclass(frozen=True, eq=False)
class Answered:
    """candidates: as JSON, best first. milliseconds: all of it took. worse: see `worse.is_much_worse`.

    drawn: as in `KeptAnswer`.
    """

    prediction: Prediction
    drawn: Rle | None
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
    drawn, worse = None, False
    correction = _correction(asked, prompt, earlier, model, embedding)
    if correction is not None:
        before, click_xy, include = correction.before, correction.click_xy, correction.include
        if model.spec.local_corrections:
            prediction = correct_locally(before, prediction, click_xy, include=include)
            drawn = _drawn_on(correction, prediction.best)
        worse = is_much_worse(before, prediction.best, click_xy, include=include)
    with_stability = asked.hover is None
    shown = prediction if with_stability else prediction[:1]
    candidates = [candidate_json(one, with_stability=with_stability) for one in shown]
    if drawn is not None:
        candidates[0] |= window_json(decode_window(drawn))
    milliseconds = 1000 * (time.perf_counter() - start)
    return Answered(prediction, drawn, model.sha256, candidates, milliseconds, worse)


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
) -> _Correction | None:
    """None where the request is more, or less, than one click on a mask."""
    if asked.scribble or asked.polygon or asked.multimask:
        return None
    points = points_of(asked.points)
    known = () if earlier is None else earlier.points
    if len(points) != len(known) + 1 or points[:-1] != known:
        return None
    x, y, label = points[-1]
    if earlier is not None:
        drawn = None if earlier.drawn is None else decode(earlier.drawn)
        return _Correction(earlier.candidate, (x, y), label == 1, drawn)
    if prompt.mask is None:
        return None
    logits = mask_to_logits(prompt.mask, embedding.frame, model.spec.mask_size)
    return _Correction(Candidate(logits, 1.0, embedding.frame), (x, y), label == 1, prompt.mask)


def _drawn_on(correction: _Correction, after: Candidate) -> Rle | None:
    """The drawing with what the correction changed; every other pixel stays as it was drawn.

    The logits alone would round a brushed or imported mask to their coarse cells all over.
    """
    import cv2

    if correction.drawn is None:
        return None
    before = correction.before
    near = (before.low_res_logits > before.threshold) != (after.low_res_logits > after.threshold)
    reach = cv2.dilate(near.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    touched = Candidate(np.where(reach, 1, -1).astype(np.float32), after.score, after.frame).mask
    changed = (before.mask != after.mask) & touched
    return encode(np.where(changed, after.mask, correction.drawn))
