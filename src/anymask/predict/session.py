"""Session: one picture worked on click by click, every step undoable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import InputError
from anymask.core.images import Picture
from anymask.core.masks import inside_point
from anymask.core.prediction import Candidate, Prediction
from anymask.core.prompt import Prompt
from anymask.core.record import MaskRecord
from anymask.predict.corrections import correct_locally
from anymask.predict.provenance import provenance

if TYPE_CHECKING:
    from anymask.predict.model import Model


@dataclass(frozen=True, eq=False)
class Step:
    """Everything that a session knows at one moment. Steps never change; undo goes back to an earlier one.

    prompt: what has been given for the object at hand, None before its first prompt. prediction: its answer.
    chosen: which candidate of it counts. records: the objects accepted so far.
    """

    prompt: Prompt | None = None
    prediction: Prediction | None = None
    chosen: int = 0
    records: tuple[MaskRecord, ...] = ()


class Session:
    """Clicks with memory on one embedded picture, made by `Model.session`.

    Every prompt joins those before it, and the chosen mask is fed back with it, as Segment Anything was
    trained (arXiv 2304.02643, appendix A). `accept` keeps the object and starts the next one. All coordinates
    are pixels of the picture, x first. Methods that take a prompt raise PromptError for one that cannot be
    meant, and the session stays as it was.

    A session is for one thread; several sessions may share a model.
    """

    def __init__(
        self,
        model: Model,
        embedding: ImageEmbedding,
        *,
        local_corrections: bool | None = None,
        picture: Picture | None = None,
    ) -> None:
        """picture: what was embedded, for `find`.

        local_corrections: whether a click on a mask changes it only near the click; None: as the model's
        manifest says (`lite`: yes; Segment Anything's networks: no).
        """
        self._model = model
        self._local = model.spec.local_corrections if local_corrections is None else local_corrections
        self._embedding = embedding
        self._picture = picture
        self._steps: list[Step] = [Step()]
        self._now = 0

    @property
    def embedding(self) -> ImageEmbedding:
        """The picture's embedding."""
        return self._embedding

    @property
    def prediction(self) -> Prediction | None:
        """The answer to what has been given so far for the object at hand; None before its first prompt."""
        return self._step.prediction

    @property
    def candidate(self) -> Candidate | None:
        """The candidate of `prediction` that counts: the best one unless `choose` said otherwise."""
        step = self._step
        return None if step.prediction is None else step.prediction[step.chosen]

    @property
    def prompt(self) -> Prompt | None:
        """What has been given so far for the object at hand."""
        return self._step.prompt

    @property
    def records(self) -> tuple[MaskRecord, ...]:
        """The accepted objects, in order."""
        return self._step.records

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return self._now > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to repeat."""
        return self._now + 1 < len(self._steps)

    def click(self, x: float, y: float, *, label: int = 1) -> Prediction:
        """Say that the object is here (label 1) or not here (label 0)."""
        return self._answer(Prompt.of(self._embedding.image_hw, points=[(x, y, label)]), feed_back=True)

    def exclude(self, x: float, y: float) -> Prediction:
        """Say that the object is not here."""
        return self.click(x, y, label=0)

    def scribble(self, line_xy: npt.ArrayLike) -> Prediction:
        """Brush over the object: (N, 2) vertices of the stroke, or a list of strokes."""
        return self._answer(Prompt.of(self._embedding.image_hw, scribble=line_xy), feed_back=True)

    def box(self, x0: float, y0: float, x1: float, y1: float) -> Prediction:
        """Put a box round the object; it replaces an earlier box, and an earlier mask is not fed back."""
        return self._answer(Prompt.of(self._embedding.image_hw, box=(x0, y0, x1, y1)), feed_back=False)

    def polygon(self, line_xy: npt.ArrayLike) -> Prediction:
        """Draw a lasso round the object, (N, 2) vertices; it replaces the mask so far."""
        return self._answer(Prompt.of(self._embedding.image_hw, polygon=line_xy), feed_back=False)

    def mask(self, mask: npt.ArrayLike) -> Prediction:
        """Go on from a mask, (H, W): what a file or `find` gave. It replaces what was given so far."""
        x, y = inside_point(mask)  # with it the mask is an object's, not a hint at one
        prompt = Prompt.of(self._embedding.image_hw, mask=mask, points=[(x + 0.5, y + 0.5)])
        return self._start(prompt)

    def find(self, texts: str | Sequence[str], **options: Any) -> list[MaskRecord]:
        """Look for what texts name; the best hit becomes the object at hand, to be clicked on or accepted.

        Options, result and errors are those of `anymask.text.find`; without a hit nothing changes. Raises
        InputError if the session was opened on an embedding: that is not enough to see with.
        """
        if self._picture is None:
            raise InputError("the session was opened on an embedding; to find things, open it on the picture")
        hits = self._model.find(self._picture, texts, embedding=self._embedding, **options)
        if hits:
            self.mask(hits[0].mask)
        return hits

    def choose(self, index: int) -> Candidate:
        """Let another candidate of `prediction` count, 0 the best one. Raises InputError if there is none."""
        prediction = self._need_prediction("choose")
        if not 0 <= index < len(prediction):
            raise InputError(f"there is no candidate {index}; give 0 to {len(prediction) - 1}")
        self._push(replace(self._step, chosen=int(index)))
        return prediction[index]

    def accept(self, label: str | None = None, *, attributes: Mapping[str, Any] | None = None) -> MaskRecord:
        """Keep the chosen candidate as a record and start the next object.

        Raises InputError if nothing has been predicted, or the mask is empty.
        """
        self._need_prediction("accept")
        step, candidate = self._step, self.candidate
        assert candidate is not None
        assert step.prompt is not None
        if candidate.area == 0:
            raise InputError("the mask is empty, so there is nothing to accept; click on the object first")
        record = candidate.to_record(
            label=label,
            point_xy=first_click(step.prompt),
            attributes=attributes,
            provenance=provenance(self._embedding, step.prompt),
        )
        self._push(Step(records=(*step.records, record)))
        return record

    def undo(self) -> Prediction | None:
        """Take the last step back and return the prediction of before. Raises InputError if there is none."""
        if not self.can_undo:
            raise InputError("there is nothing to undo")
        self._now -= 1
        return self.prediction

    def redo(self) -> Prediction | None:
        """Repeat the step that was undone last. Raises InputError if there is none."""
        if not self.can_redo:
            raise InputError("there is nothing to redo")
        self._now += 1
        return self.prediction

    @property
    def _step(self) -> Step:
        return self._steps[self._now]

    def _push(self, step: Step) -> None:
        """Go on from here; what was undone before can no longer be repeated."""
        self._steps[self._now + 1 :] = [step]
        self._now += 1

    def _answer(self, given: Prompt, *, feed_back: bool) -> Prediction:
        prompt = _joined(self._step.prompt, given)
        if feed_back and self.candidate is not None:
            prompt = prompt.with_previous(self.candidate)
        prediction = self._model.predict_many(self._embedding, [prompt])[0]
        if self._local and feed_back and self.candidate is not None and len(given.labels) == 1:
            (click,), (label,) = given.points_xy.tolist(), given.labels.tolist()
            prediction = correct_locally(self.candidate, prediction, (click[0], click[1]), include=label == 1)
        self._push(replace(self._step, prompt=prompt, prediction=prediction, chosen=0))
        return prediction

    def _start(self, prompt: Prompt) -> Prediction:
        """Begin the object at hand anew; as a step, so that it can be undone."""
        prediction = self._model.predict_many(self._embedding, [prompt])[0]
        self._push(replace(self._step, prompt=prompt, prediction=prediction, chosen=0))
        return prediction

    def _need_prediction(self, what: str) -> Prediction:
        if self.prediction is None:
            raise InputError(f"there is nothing to {what} yet; give a click, box, scribble or polygon first")
        return self.prediction


def first_click(prompt: Prompt) -> tuple[float, float] | None:
    """The first point on the object, x and y; None if there is none."""
    for (x, y), label in zip(prompt.points_xy.tolist(), prompt.labels.tolist(), strict=True):
        if label == 1:
            return x, y
    return None


def _joined(before: Prompt | None, given: Prompt) -> Prompt:
    """Points add up, a new box replaces the old one; an old mask goes: the caller feeds back a newer one."""
    if before is None:
        return given
    return Prompt(
        points_xy=np.concatenate([before.points_xy, given.points_xy]),
        labels=np.concatenate([before.labels, given.labels]),
        boxes_xyxy=given.boxes_xyxy if len(given.boxes_xyxy) else before.boxes_xyxy,
        mask=given.mask,
    )
