"""After a better model: its own masks where nobody has touched any, and the most informative pictures
first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from anymask.automatic import everything
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import AnymaskError
from anymask.learn.order import Look, look_at, most_informative
from anymask.predict.model import Model
from anymask.server.problems import Problem
from anymask.store import FINISHED, Conflict, Image, Mask, NewMask, Store
from anymask.studio.assist.confident import confident, rows_of
from anymask.studio.workspace import Workspace

CONFIDENCE = 0.0  # masks at the model's own thresholds replace masks that were made so
LOOKED_AT = 100  # labelled pictures that the order is to be unlike; more change little
Say = Callable[[str], None]


@dataclass(frozen=True)
class Renewed:
    """images: predicted anew. masks: made there. ordered: pictures in the queue, by how informative they
    are.
    """

    images: int = 0
    masks: int = 0
    ordered: int = 0


def renew(
    store: Store, workspace: Workspace, project_id: str, model: Model, say: Say = lambda line: None
) -> Renewed:
    """Predict pictures anew whose masks a model alone has made, and order the queue of unlabelled ones.

    A picture that somebody begins meanwhile is left alone. What cannot be read is said and left out.
    """
    images = store.images.all(project_id)
    heads = store.masks.heads_of_project(project_id)
    looks: dict[str, Look] = {}
    renewed = masks = 0
    for image in images:
        if image.state in FINISHED:
            continue
        try:
            embedding = model.embed(workspace.picture(image))
        except (AnymaskError, Problem) as error:
            say(f"left out {image.path}: {getattr(error, 'detail', error)}")
            continue
        looks[image.id] = look_at(model, embedding)
        old = heads.get(image.id, [])
        if old and is_untouched(old):
            made = predict_anew(store, image, old, model, embedding)
            renewed, masks = renewed + (made is not None), masks + (made or 0)
    ordered = order_queue(store, workspace, model, images, looks)
    return Renewed(renewed, masks, ordered)


def is_untouched(heads: Sequence[Mask]) -> bool:
    """Whether a model alone made all of these masks: no author, no correction."""
    return all(
        mask.author_id is None and mask.parent_id is None and mask.source == "everything" for mask in heads
    )


def predict_anew(
    store: Store, image: Image, old: Sequence[Mask], model: Model, embedding: ImageEmbedding
) -> int | None:
    """Replace a model's masks of a picture in one step; the old rows stay in the history.

    Returns how many masks there are now; None if somebody was faster.
    """
    records = confident(everything(model, embedding), CONFIDENCE)
    gone = [removal(mask) for mask in old]
    label = old[0].label_id if len({mask.label_id for mask in old}) == 1 else None
    new = rows_of(records, image.id, label, model.sha256)
    try:
        store.masks.save_many([*gone, *new])
    except Conflict:
        return None
    return len(new)


def removal(mask: Mask) -> NewMask:
    """The row that ends an object."""
    return NewMask(
        id=uuid4().hex,
        image_id=mask.image_id,
        object_id=mask.object_id,
        parent_id=mask.id,
        rle=mask.rle,
        score=mask.score,
        stability=mask.stability,
        label_id=mask.label_id,
        position=mask.position,
        deleted=True,
        source=mask.source,
        model_sha256=mask.model_sha256,
    )


def order_queue(
    store: Store, workspace: Workspace, model: Model, images: Sequence[Image], looks: dict[str, Look]
) -> int:
    """Give the open label tasks of these pictures their places; returns how many tasks that is."""
    if not looks:
        return 0
    labelled: list[Look] = []
    for image in [one for one in images if one.state in FINISHED][-LOOKED_AT:]:
        try:
            labelled.append(look_at(model, workspace.picture(image)))
        except (AnymaskError, Problem):
            continue  # said before, or of no use to the order
    ids = list(looks)
    order = most_informative([looks[id] for id in ids], labelled)
    return sum(store.tasks.prioritise([ids[index]], len(order) - place) for place, index in enumerate(order))
