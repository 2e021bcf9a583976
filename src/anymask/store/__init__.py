"""What a labelling workspace remembers: images, masks, people and their work, in SQLite or PostgreSQL.

    with Store.open("photos") as store:
        project = store.projects.create("birds", root="")
        ...
        store.masks.save(NewMask(id=..., image_id=..., object_id=..., rle=...))

Masks are append-only. An object is the chain of its masks; its present state is the mask without a successor
(its head). A correction is a new row whose `parent_id` is the head it was made from, deleting is a new row
with `deleted=True`, undoing is a new row with an earlier mask's content.
"""

from anymask.store.agreement import Agreement, Match
from anymask.store.errors import Conflict, LeaseLost, NotFound, StoreError
from anymask.store.schema import FINISHED
from anymask.store.statistics import DayFigures, PersonFigures, Progress
from anymask.store.store import Store
from anymask.store.values import (
    Counts,
    Event,
    FrozenImage,
    GalleryImage,
    Image,
    Job,
    Label,
    Mask,
    NewImage,
    NewMask,
    NewPrompt,
    NewSession,
    Page,
    Project,
    RecordedPrompt,
    RegisteredModel,
    Review,
    Session,
    Snapshot,
    Task,
    User,
)

__all__ = [
    "FINISHED",
    "Agreement",
    "Conflict",
    "Counts",
    "DayFigures",
    "Event",
    "FrozenImage",
    "GalleryImage",
    "Image",
    "Job",
    "Label",
    "LeaseLost",
    "Mask",
    "Match",
    "NewImage",
    "NewMask",
    "NewPrompt",
    "NewSession",
    "NotFound",
    "Page",
    "PersonFigures",
    "Progress",
    "Project",
    "RecordedPrompt",
    "RegisteredModel",
    "Review",
    "Session",
    "Snapshot",
    "Store",
    "StoreError",
    "Task",
    "User",
]
