"""What a file of masks is about: one image and its masks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anymask.core.errors import FormatError
from anymask.core.prediction import Candidate, Prediction
from anymask.core.record import MaskRecord
from anymask.formats.losses import Loss

if TYPE_CHECKING:
    from anymask.core.images import Picture


@dataclass(frozen=True)
class Contents:
    """The masks of one image.

    records: in the order in which they are written.
    image_hw: height and width of the image, pixels.
    image_name: its file name, or empty.
    image_sha256: `Picture.sha256`, or None if the image is not at hand.
    left_out: what the file it was read from holds beside masks (points, lines, ...), counted.

    A data set is a sequence of these.
    """

    records: tuple[MaskRecord, ...]
    image_hw: tuple[int, int]
    image_name: str = ""
    image_sha256: str | None = None
    left_out: tuple[Loss, ...] = ()

    def image_json(self) -> dict[str, Any]:
        """The image as a JSON object with COCO's and SA-1B's names."""
        height, width = self.image_hw
        facts = {"file_name": self.image_name, "height": height, "width": width, "sha256": self.image_sha256}
        return {name: value for name, value in facts.items() if value is not None}


def contents_of(records: Any, picture: Picture | None, image_name: str | None) -> Contents:
    """Gather what `write` was given.

    Raises FormatError if something is not a mask, masks belong to images of different sizes, or there is
    neither a mask nor a picture to take the size from.
    """
    listed = tuple(_as_record(item) for item in _listed(records))
    sizes = [record.image_hw for record in listed] + ([picture.image_hw] if picture is not None else [])
    if not sizes:
        raise FormatError(
            "there are no masks and no picture; give the picture, so that the image's size is known"
        )
    for size in sizes:
        if size != sizes[0]:
            raise FormatError(
                f"masks and picture have the sizes {sizes[0]} and {size}; a file is about one image"
            )
    name = image_name if image_name is not None else (picture.name if picture is not None else "")
    return Contents(listed, sizes[0], name, picture.sha256 if picture is not None else None)


def _listed(records: Any) -> Iterable[Any]:
    if isinstance(records, Prediction):
        return [records.best]
    if isinstance(records, (MaskRecord, Candidate)):
        return [records]
    if not isinstance(records, Iterable):
        raise FormatError(
            f"{type(records).__name__} is not a mask; give MaskRecords, a Candidate or a Prediction"
        )
    return records


def _as_record(item: Any) -> MaskRecord:
    if isinstance(item, Prediction):
        return item.best.to_record()
    if isinstance(item, Candidate):
        return item.to_record()
    if not isinstance(item, MaskRecord):
        raise FormatError(f"{type(item).__name__} is not a mask; give MaskRecords, Candidates or Predictions")
    return item
