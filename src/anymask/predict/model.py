"""Model: embed a picture once, answer any prompt on it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import EmbeddingError, PromptError
from anymask.core.images import ImageSource, Picture, load_image
from anymask.core.prediction import Prediction
from anymask.core.prompt import Previous, Prompt
from anymask.predict.prompts import prompt_batches
from anymask.predict.runtime import Runtime

if TYPE_CHECKING:
    from anymask.automatic import AutomaticState
    from anymask.core.record import MaskRecord
    from anymask.models.spec import ModelSpec
    from anymask.predict.session import Session

Multimask = bool | Literal["auto"]

SINGLE_MASK = slice(0, 1)
"""The token that answers an unambiguous prompt (SAM, appendix A: used when there is more than one prompt)."""
AMBIGUITY_MASKS = slice(1, 4)
"""The tokens for a single click: whole, part, part of a part."""


class Model:
    """A model ready to answer, made by `anymask.load`.

    It holds no picture: embeddings are values of the caller. Safe to share between threads.
    """

    def __init__(self, runtime: Runtime, *, sha256: str, threads: int = 1) -> None:
        """runtime: what computes. sha256: of the model's weights; embeddings and records carry it.

        threads: of the CPU, for the work on masks that the runtime does not do.
        """
        self._runtime = runtime
        self._threads = threads
        self._sha256 = sha256

    def __repr__(self) -> str:
        return f"<anymask.Model {self.spec.full_name}>"

    @property
    def spec(self) -> ModelSpec:
        """Name, version, input geometry, licence."""
        return self._runtime.spec

    @property
    def runtime(self) -> Runtime:
        """The seam below: what encodes and decodes, for callers that batch prompts themselves."""
        return self._runtime

    @property
    def threads(self) -> int:
        """CPU threads that work on this model's masks may take; the runtime's are of the same number."""
        return self._threads

    @property
    def sha256(self) -> str:
        """SHA-256 of the weights, 64 hexadecimal digits."""
        return self._sha256

    def embed(self, source: ImageSource | Picture) -> ImageEmbedding:
        """Run the image encoder: the expensive step, once per picture.

        source: a path, bytes, a binary file, a PIL image, an array (H, W[, C]) or a `Picture`.
        Raises ImageError if it cannot be read.
        """
        picture = load_image(source)
        return ImageEmbedding(
            features=self._runtime.encode(picture),
            model=self.spec.full_name,
            model_sha256=self._sha256,
            image_sha256=picture.sha256,
            image_hw=picture.image_hw,
            input_size=self.spec.input_size,
        )

    @overload
    def predict(
        self,
        embedding: ImageEmbedding,
        points: Any = None,
        labels: Any = None,
        box: Any = None,
        boxes: None = None,
        mask: Any = None,
        scribble: Any = None,
        polygon: Any = None,
        previous: Previous | None = None,
        multimask: Multimask = "auto",
    ) -> Prediction: ...

    @overload
    def predict(
        self, embedding: ImageEmbedding, *, boxes: Any, multimask: Multimask = "auto"
    ) -> list[Prediction]: ...

    def predict(
        self,
        embedding: ImageEmbedding,
        points: Any = None,
        labels: Any = None,
        box: Any = None,
        boxes: Any = None,
        mask: Any = None,
        scribble: Any = None,
        polygon: Any = None,
        previous: Previous | None = None,
        multimask: Multimask = "auto",
    ) -> Prediction | list[Prediction]:
        """Answer a prompt on an embedded picture. All coordinates are pixels of the picture, x first.

        points: one or several (x, y) or (x, y, label). labels: one per point, 1 include, 0 exclude.
        box: x0, y0, x1, y1 of one object; goes with points.
        boxes: (M, 4), one object each; nothing else goes with them.
        mask: (H, W) bool, 0/1 or 0/255, or low-resolution logits.
        scribble: (N, 2) brush stroke on the object. polygon: (N, 2) lasso round it.
        previous: an earlier Prediction or Candidate, or its logits, to refine.
        multimask: True for three candidates, False for one; "auto" gives three for a single click without
            `previous` (it may mean a thing or a part of it) and one otherwise.

        Returns a Prediction, its candidates best first; for `boxes` a list of them, one per box.
        Raises PromptError for a prompt that cannot be meant, EmbeddingError for another model's embedding.
        """
        if boxes is None:
            _check_same_picture(previous, embedding)
            prompt = Prompt.of(
                embedding.image_hw,
                points=points,
                labels=labels,
                box=box,
                mask=mask,
                scribble=scribble,
                polygon=polygon,
                previous=previous,
            )
            return self.predict_many(embedding, [prompt], multimask=multimask)[0]
        others = (points, labels, box, mask, scribble, polygon, previous)
        if any(other is not None for other in others):
            raise PromptError(
                "boxes mean one object each, so nothing else can go with them; give box= for one object, "
                "or one Prompt per object to predict_many"
            )
        every = Prompt.of(embedding.image_hw, boxes=boxes).boxes_xyxy
        return self.predict_many(
            embedding, [Prompt.box(*map(float, one)) for one in every], multimask=multimask
        )

    def predict_many(
        self, embedding: ImageEmbedding, prompts: Sequence[Prompt], *, multimask: Multimask = "auto"
    ) -> list[Prediction]:
        """Answer many prompts on one picture, decoded together; equal to answering them one by one.

        prompts: one per object, any mixture of kinds. multimask: as in `predict`, "auto" decides per prompt.
        Returns one Prediction per prompt, in order. Raises PromptError, EmbeddingError.
        """
        self._check_embedding(embedding)
        answers: dict[int, Prediction] = {}
        for tokens, numbers in _by_tokens(prompts, multimask):
            chosen = [prompts[number] for number in numbers]
            for prompt in chosen:
                prompt.check_inside(embedding.image_hw)
            for members, batch in prompt_batches(chosen, embedding.frame, self.spec.mask_size):
                masks = self._runtime.decode(embedding.features, batch, tokens=tokens)
                for member, logits, scores in zip(members, masks.logits, masks.scores, strict=True):
                    answers[numbers[member]] = Prediction.of(logits, scores, embedding.frame)
        return [answers[number] for number in range(len(prompts))]

    def session(
        self, source: ImageSource | Picture | ImageEmbedding, *, local_corrections: bool | None = None
    ) -> Session:
        """Work on one picture click by click, with undo.

        source: as in `embed`, or an embedding of this model. local_corrections: whether a click on a mask
        changes it only near the click; None: as the model's manifest says. Raises ImageError, EmbeddingError.
        """
        from anymask.predict.session import Session

        if isinstance(source, ImageEmbedding):
            picture, embedding = None, source
        else:
            picture = load_image(source)
            embedding = self.embed(picture)
        self._check_embedding(embedding)
        return Session(self, embedding, local_corrections=local_corrections, picture=picture)

    def everything(
        self,
        source: ImageSource | Picture | ImageEmbedding,
        preset: str | None = None,
        *,
        keep_above: float = 0.0,
        **overrides: Any,
    ) -> AutomaticState:
        """All masks of a picture, kept so that `.records(pred_iou_thresh=...)` filters again at once.

        Arguments and errors are those of `anymask.automatic.everything`: a preset ("demo", "paper",
        "objects", "parts", "dense") or None for the published defaults, and single settings by name.
        """
        from anymask.automatic import everything  # the one import upwards, see docs/architecture.md

        return everything(self, source, preset, keep_above=keep_above, **overrides)

    def find(
        self, source: ImageSource | Picture, texts: str | Sequence[str], **options: Any
    ) -> list[MaskRecord]:
        """What a picture shows of what texts name, the best fit first; empty if it shows none of it.

        texts: "a red bicycle", or many. Options, results and errors are those of `anymask.text.find`:
        encoder, threshold, most, records, embedding, and the settings of everything mode.
        """
        from anymask.text import find  # the other import upwards, see docs/architecture.md

        return find(self, source, texts, **options)

    def _check_embedding(self, embedding: ImageEmbedding) -> None:
        if embedding.model_sha256 != self._sha256:
            raise EmbeddingError(
                f"the embedding was made by {embedding.model} ({embedding.model_sha256[:12]}), this model is "
                f"{self.spec.full_name} ({self._sha256[:12]}); embed the image again with this model"
            )


def _by_tokens(prompts: Sequence[Prompt], multimask: Multimask) -> list[tuple[slice, list[int]]]:
    """Which mask tokens to ask for, and the indices of the prompts that get them."""
    if multimask not in (True, False, "auto"):
        raise PromptError(f'multimask is {multimask!r}; give True, False or "auto"')
    three = [_is_ambiguous(prompt) if multimask == "auto" else bool(multimask) for prompt in prompts]
    groups = ((AMBIGUITY_MASKS, True), (SINGLE_MASK, False))
    return [
        (tokens, [i for i, t in enumerate(three) if t == wanted])
        for tokens, wanted in groups
        if wanted in three
    ]


def _is_ambiguous(prompt: Prompt) -> bool:
    """A single click and nothing else: it may mean a thing, a part of it, or a part of that."""
    has_mask = prompt.mask is not None or prompt.mask_logits is not None
    return len(prompt.points_xy) == 1 and len(prompt.boxes_xyxy) == 0 and not has_mask


def _check_same_picture(previous: object, embedding: ImageEmbedding) -> None:
    frame = getattr(previous, "frame", None)  # plain logits do not say which picture they belong to
    if frame is not None and frame != embedding.frame:
        raise PromptError(
            f"previous belongs to a picture of {frame.image_hw[1]} x {frame.image_hw[0]} pixels at input "
            f"size {frame.input_size}, the embedding to {embedding.image_hw[1]} x {embedding.image_hw[0]} at "
            f"{embedding.input_size}; give a prediction on this embedding"
        )
