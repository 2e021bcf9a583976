"""What every protocol measures on: a picture with its true masks, whatever layout it was read from."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from anymask.core.arrays import BoolArray
from anymask.core.errors import FormatError, InputError
from anymask.core.images import Picture

OnError = Literal["skip", "refuse"]


@dataclass(frozen=True, eq=False)
class TrueMask:
    """One object as people drew it.

    mask: (H, W) bool at the picture's size, at least one pixel set.
    label: its class, if the data names one.
    ignore: (H, W) bool, pixels that are not scored (borders that nobody decided about); None if all are.
    crowd: whether it stands for several objects that nobody told apart (COCO's `iscrowd`).
    area: pixels, as the data states it (COCO's is that of the polygon); None if it does not.

    Raises FormatError if `mask` is not (H, W) bool or empty, or `ignore` has another shape.
    """

    mask: BoolArray
    label: str | None = None
    ignore: BoolArray | None = None
    crowd: bool = False
    area: float | None = None

    def __post_init__(self) -> None:
        if self.mask.ndim != 2 or self.mask.dtype != bool:
            raise FormatError(f"the mask is {self.mask.dtype} {self.mask.shape}; expected bool (H, W)")
        if not self.mask.any():
            raise FormatError("the mask is empty; an object has at least one pixel")
        if self.ignore is not None and self.ignore.shape != self.mask.shape:
            raise FormatError(
                f"the pixels to ignore have shape {self.ignore.shape}, the mask {self.mask.shape}; "
                "expected one shape"
            )


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture of a data set with what is known about it.

    key: unique in its data set, and names the file for people.
    masks: the true masks; none for data that has boundaries alone.
    source: the collection it comes from; figures are averaged within a source first.
    kind: what it shows ("photo", "microscopy", ...), if the data says so.
    zero_shot: no picture of this source was trained on.
    exhaustive: the masks are (almost) a partition of the picture: what none of them covers is no object.
    boundaries: (H, W) bool each, one person's boundary map each (BSDS500).
    attributes: what else the data says of the picture as a whole ("video_id", "patient"): words and numbers.

    Raises FormatError if a mask or boundary map is not of the picture's size.
    """

    key: str
    picture: Picture
    masks: tuple[TrueMask, ...]
    source: str = "unknown"
    kind: str | None = None
    zero_shot: bool = False
    exhaustive: bool = False
    boundaries: tuple[BoolArray, ...] = ()
    attributes: Mapping[str, str | int | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes = {true.mask.shape for true in self.masks} | {drawn.shape for drawn in self.boundaries}
        for shape in shapes - {self.picture.image_hw}:
            raise FormatError(f"a mask has size {shape}, the picture {self.picture.image_hw} (height, width)")


class Problems:
    """What could not be used, one line "file name: what is wrong" each.

    lines: in the order in which they were met.
    """

    def __init__(self, on_error: OnError = "skip") -> None:
        """on_error: "skip" collects the lines and goes on, "refuse" raises the first one.

        Raises InputError for another word.
        """
        if on_error not in get_args(OnError):
            raise InputError(f"on_error is {on_error!r}; give one of {', '.join(get_args(OnError))}")
        self.on_error = on_error
        self.lines: list[str] = []

    def add(self, name: str, what: object) -> None:
        """Note that the file `name` cannot be used. Raises FormatError with the line where told to refuse."""
        line = " ".join(f"{name}: {what}".split())
        if self.on_error == "refuse":
            raise FormatError(f"{line} (--on-error skip leaves such files out)")
        self.lines.append(line)


class SampleSource(Protocol):
    """A data set that can be gone through, again and again, in the same order."""

    @property
    def name(self) -> str:
        """The data set's name for people and reports: file or folder names, no absolute paths."""
        ...

    def __len__(self) -> int:
        """How many pictures it has, broken ones included."""
        ...

    def samples(self, problems: Problems, *, every: int = 1, done: Container[str] = ()) -> Iterator[Sample]:
        """Read one picture after the other.

        problems: where unusable files are noted. every: only each `every`-th picture, the first included.
        done: keys that are left out without being decoded (a run that goes on).
        """
        ...
