"""Whatever segments: models and classical methods behind one seam, so that one protocol measures them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from anymask.core.arrays import BoolArray, Float64Array
from anymask.core.errors import InputError
from anymask.core.images import Picture
from anymask.core.prediction import Prediction
from anymask.core.prompt import Prompt
from anymask.predict import load as loading
from anymask.predict.corrections import correct_locally

if TYPE_CHECKING:
    from anymask.core.embedding import ImageEmbedding
    from anymask.predict.load import Backend, Precision
    from anymask.predict.model import Model

Point = tuple[float, float, int]
"""x, y in pixels of the picture, and 1 (on the object) or 0 (off it)."""
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the picture."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a predictor gives for one request.

    masks: (H, W) bool each, at least one, the one it believes in most first.
    scores: its own guess of each mask's IoU, in [0, 1] and falling; empty if it makes no guess.
    state: whatever it wants back in the next request on the same object.
    """

    masks: tuple[BoolArray, ...]
    scores: tuple[float, ...] = ()
    state: object = None


@dataclass(frozen=True, eq=False)
class Request:
    """One object, pointed at: at least one of points, box and scribble.

    points: clicks in the order in which they were made. box: round the object.
    scribble: (N, 2) x, y of a brush stroke on the object. previous: the last answer on this object.

    Raises InputError if nothing is pointed at.
    """

    points: tuple[Point, ...] = ()
    box: Box | None = None
    scribble: Float64Array | None = None
    previous: Answer | None = None

    def __post_init__(self) -> None:
        if not self.points and self.box is None and self.scribble is None:
            raise InputError("the request points at nothing; give points, a box or a scribble")


class Scene(Protocol):
    """A predictor looking at one picture."""

    def predict_many(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer per request, in order; each as if it were alone."""
        ...


class Predictor(Protocol):
    """A model or a method under test."""

    @property
    def name(self) -> str:
        """For reports: a model's full name or a method's."""
        ...

    @property
    def sha256(self) -> str:
        """Of a model's weights; empty for a method without any."""
        ...

    def open(self, picture: Picture) -> Scene:
        """Look at a picture: the work that all its prompts share."""
        ...


class ModelPredictor:
    """A model of anymask."""

    def __init__(self, model: Model, *, local_corrections: bool | None = None) -> None:
        """local_corrections: as in `Model.session`."""
        self.model = model
        self.local = model.spec.local_corrections if local_corrections is None else local_corrections

    @property
    def name(self) -> str:
        """Name and version of the model."""
        return self.model.spec.full_name

    @property
    def sha256(self) -> str:
        """SHA-256 of its weights."""
        return self.model.sha256

    def open(self, picture: Picture) -> ModelScene:
        """Embed the picture."""
        return ModelScene(self.model, self.model.embed(picture), local_corrections=self.local)


class ModelScene:
    """A picture embedded by a model; `Answer.state` is the Prediction."""

    def __init__(self, model: Model, embedding: ImageEmbedding, *, local_corrections: bool = False) -> None:
        self._model, self._embedding, self._local = model, embedding, local_corrections

    def predict_many(self, requests: Sequence[Request]) -> list[Answer]:
        """All requests decoded together. Raises PromptError."""
        predictions = self._model.predict_many(self._embedding, [self._prompt(r) for r in requests])
        answers = []
        for request, answer in zip(requests, predictions, strict=True):
            found = self._corrected(request, answer) if self._local else answer
            answers.append(Answer(tuple(c.mask for c in found), tuple(c.score for c in found), found))
        return answers

    def _corrected(self, request: Request, found: Prediction) -> Prediction:
        """What a session makes of a click on its last answer."""
        if request.previous is None or not request.points:
            return found
        before = request.previous.state
        assert isinstance(before, Prediction)
        x, y, label = request.points[-1]
        return correct_locally(before.best, found, (x, y), include=label == 1)

    def _prompt(self, request: Request) -> Prompt:
        previous: Any = request.previous.state if request.previous is not None else None
        return Prompt.of(
            self._embedding.image_hw,
            points=request.points or None,
            box=request.box,
            scribble=request.scribble,
            previous=previous,
        )


def open_predictor(
    name: str,
    *,
    precision: Precision = "fast",
    backend: Backend = "auto",
    threads: int | None = None,
    local_corrections: bool | None = None,
) -> Predictor:
    """Open what is to be measured.

    name: a model's name ("lite", "vit_b@1.0"), the path of a model folder or of a checkpoint (.pth, .pt,
        .safetensors; it is imported into the cache), or a classical method: "grabcut", "watershed",
        "random-walker".
    precision, backend, threads: as in `anymask.load`; local_corrections: as in `Model.session`. Methods
        do not use them.

    Raises what `anymask.load` and the importer raise, MissingExtraError if a method's package is missing.
    """
    from anymask.evaluate.baselines import BASELINES, open_baseline

    if name in BASELINES:
        return open_baseline(name)
    where = _imported(name) if Path(name).suffix in (".pth", ".pt", ".safetensors") else name
    model = loading.load(where, precision=precision, backend=backend, threads=threads)
    return ModelPredictor(model, local_corrections=local_corrections)


def _imported(checkpoint: str) -> str:
    from anymask.models.importer import import_checkpoint

    return str(import_checkpoint(checkpoint).path)
