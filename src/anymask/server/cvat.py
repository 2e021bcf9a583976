"""Functions for CVAT's agents: `cvat-cli function run-agent --function-module anymask.server.cvat ...`.

The agent runs beside the model and fetches its work from CVAT; nothing has to listen here. CVAT hands in
pixels, keeps what `preprocess_image` gives for ten minutes, and shows masks. Needs the extra `cvat`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from anymask.automatic import AutomaticSettings, preset_settings
from anymask.automatic.generate import generate_masks
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import InputError, MissingExtraError
from anymask.core.polygons import mask_to_polygons
from anymask.core.prediction import Candidate
from anymask.core.prompt import Prompt
from anymask.core.record import MaskRecord
from anymask.predict.load import Backend, Precision, load
from anymask.predict.model import Model

try:
    import cvat_sdk.auto_annotation as cvat
    from cvat_sdk.masks import encode_mask
    from cvat_sdk.models import AttributeValRequest
except ModuleNotFoundError as error:
    raise MissingExtraError("CVAT's functions need its SDK; pip install 'anymask[cvat]'") from error

if TYPE_CHECKING:
    from PIL.Image import Image

_LABEL = 0
"""Id of the only label of `Detector`."""


class Interactor:
    """Answers points and a box on one image with a mask (CVAT's interaction function)."""

    spec = cvat.InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)

    def __init__(self, model: Model) -> None:
        self._model = model

    def preprocess_image(self, context: cvat.InteractionFunctionContext, image: Image) -> ImageEmbedding:
        """Embed the image: what all prompts on it share."""
        return self._model.embed(image)

    def detect(
        self,
        context: cvat.InteractionFunctionContext,
        pp_image: ImageEmbedding,
        prompts: cvat.InteractionPrompts,
    ) -> list[cvat.InteractionResultShape]:
        """The best mask with its confidence; nothing where nothing was pointed at, or the mask is empty.

        Raises PromptError for points outside the image.
        """
        box = prompts.bounding_box
        points = [(*point, 1) for point in prompts.pos_points] + [(*point, 0) for point in prompts.neg_points]
        if not points and box is None:
            return []
        prompt = Prompt.of(
            pp_image.image_hw, points=points or None, box=None if box is None else (*box[0], *box[1])
        )
        best = self._model.predict_many(pp_image, [prompt])[0].best
        return [_shape(best)] if best.area else []


class Detector:
    """All masks of an image, under one label (CVAT's detection function)."""

    def __init__(self, model: Model, settings: AutomaticSettings, label: str) -> None:
        """settings: of everything mode. label: must be one of the CVAT project's."""
        self._model, self._settings = model, settings
        self.spec = cvat.DetectionFunctionSpec(labels=[cvat.label_spec(label, _LABEL)])

    def detect(self, context: cvat.DetectionFunctionContext, image: Image) -> list[Any]:
        """Masks whose score reaches the context's threshold; polygons where it asks for them."""
        least = context.conf_threshold
        found = generate_masks(self._model, image, self._settings)
        kept = [record for record in found if least is None or (record.score or 0.0) >= least]
        if context.conv_mask_to_poly:
            return [polygon for record in kept for polygon in _polygons(record)]
        return [cvat.mask(_LABEL, _points(record)) for record in kept]


def create(
    model: str = "lite",
    kind: Literal["interactor", "detector"] = "interactor",
    preset: str | None = None,
    label: str = "object",
    precision: Precision = "fast",
    backend: Backend = "auto",
    threads: int | None = None,
) -> Interactor | Detector:
    """What `cvat-cli` calls, with the parameters given as `-p name=type:value`.

    kind: "interactor" for clicks, "detector" for everything mode with `preset` under `label`. The others are
    those of `anymask.load`. Raises InputError, ModelError.
    """
    if kind not in ("interactor", "detector"):
        raise InputError(f"kind is {kind!r}; give interactor or detector")
    loaded = load(model, precision=precision, backend=backend, threads=threads)
    if kind == "interactor":
        return Interactor(loaded)
    return Detector(loaded, preset_settings(preset, loaded.spec.automatic), label)


def _shape(candidate: Candidate) -> cvat.InteractionResultShape:
    confidence = AttributeValRequest(
        spec_id=int(cvat.InteractionResultAttributes.CONFIDENCE),
        value=f"{min(max(candidate.score, 0.0), 1.0):.4f}",
    )
    points = encode_mask(candidate.mask, candidate.box)
    return cvat.InteractionResultShape(type="mask", points=points, attributes=[confidence])


def _points(record: MaskRecord) -> list[float]:
    x, y, width, height = record.rle.box_xywh
    points: list[float] = encode_mask(record.mask, (x, y, x + width, y + height))
    return points


def _polygons(record: MaskRecord) -> Iterator[Any]:
    """Each part's outline; CVAT's polygons have no holes."""
    for polygon in mask_to_polygons(record.mask):
        yield cvat.polygon(_LABEL, polygon.exterior.ravel().tolist())
