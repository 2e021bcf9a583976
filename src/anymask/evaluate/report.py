"""What a run leaves behind: a report (JSON), and beside it one line per picture and predictor."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from anymask.core.errors import FormatError
from anymask.core.files import write_atomically

FORMAT = 1
OUTCOMES_SUFFIX = ".outcomes.jsonl"


@dataclass(frozen=True)
class PredictorInfo:
    """Who was measured. name: unique in its report. sha256: of a model's weights, empty for a method."""

    name: str
    sha256: str = ""


@dataclass(frozen=True)
class DataInfo:
    """What was measured on. name: of files or folders, no paths. pictures: how many the run looked at."""

    name: str
    pictures: int


@dataclass(frozen=True)
class Report:
    """One run of one protocol over one data set, for one predictor or several.

    protocol: "interactive", "boxes", "edges", "proposals" or "speed".
    settings: what the figures depend on, JSON values.
    skipped: what could not be used, "file name: what is wrong", sorted.
    summary: predictor name -> its figures, JSON values; what they are is the protocol's matter.
    versions: package -> version. machine: what the run ran on.
    """

    protocol: str
    settings: Mapping[str, Any]
    predictors: tuple[PredictorInfo, ...]
    data: DataInfo
    summary: Mapping[str, Mapping[str, Any]]
    skipped: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        found = {"anymask_report": FORMAT, **asdict(self)}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in found.items()}

    @classmethod
    def from_json(cls, value: Any) -> Report:
        """From JSON values. Raises FormatError if they are no report of this format."""
        if not isinstance(value, Mapping) or value.get("anymask_report") != FORMAT:
            raise FormatError(f"not a report of format {FORMAT}; expected what `anymask evaluate -o` writes")
        try:
            return cls(
                protocol=str(value["protocol"]),
                settings=dict(value["settings"]),
                predictors=tuple(PredictorInfo(**about) for about in value["predictors"]),
                data=DataInfo(**value["data"]),
                summary=dict(value["summary"]),
                skipped=tuple(value["skipped"]),
                versions=dict(value["versions"]),
                machine=dict(value["machine"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"the report is damaged ({error!r}); run the evaluation again") from error

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the report as JSON, atomically. Raises OutputError."""
        return write_atomically(path, (json.dumps(self.to_json(), indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Report:
        """Read a report. Raises FormatError, naming the file, if it is missing or no report."""
        try:
            return cls.from_json(json.loads(Path(path).read_bytes()))
        except OSError as error:
            raise FormatError(f"cannot read the report '{path}': {error.strerror}") from error
        except (FormatError, ValueError) as error:
            raise FormatError(f"'{path}': {error}") from error


@dataclass(frozen=True)
class Outcome:
    """What happened to one true mask under the interactive protocol.

    key: of the sample. number: of the mask in its sample, from 0. predictor: its name.
    source, kind, label, zero_shot: as in the sample.
    image_hw: the picture's size. area: pixels of the true mask. size: "small", "medium" or "large", as COCO.
    figures: name -> value in [0, 1] (IoU and the like, see `evaluate.interactive`), or clicks for "noc..".
    predicted: the IoU that the predictor expected of its first mask; None if it makes no guess.
    extra_clicks, worse: how many clicks came after the first, and how many of them lowered the IoU by more
        than 0.05.
    point_xy: the first click. box_xyxy: the box given. Pixels of the picture.
    click_rle, box_rle: COCO-compressed counts of the mask after one click and of the mask for the box.
    """

    key: str
    number: int
    predictor: str
    source: str
    kind: str | None
    label: str | None
    zero_shot: bool
    image_hw: tuple[int, int]
    area: int
    size: str
    figures: Mapping[str, float]
    predicted: float | None = None
    extra_clicks: int = 0
    worse: int = 0
    point_xy: tuple[float, float] | None = None
    box_xyxy: tuple[float, float, float, float] | None = None
    click_rle: str | None = None
    box_rle: str | None = None

    @property
    def area_share(self) -> float:
        """The mask's share of the picture's area."""
        return self.area / (self.image_hw[0] * self.image_hw[1])

    def to_json(self) -> dict[str, Any]:
        """As JSON values; tuples become lists."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, value: Any) -> Outcome:
        """From JSON values. Raises FormatError if something is missing or unknown."""
        try:
            given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
            return cls(**given)
        except (AttributeError, TypeError) as error:
            expected = ", ".join(f.name for f in fields(cls))
            raise FormatError(f"not an outcome ({error}); expected the fields {expected}") from error


def outcomes_path(report: str | os.PathLike[str]) -> Path:
    """Where the outcomes of a report lie: `report.json` -> `report.outcomes.jsonl`."""
    path = Path(report)
    return path.with_name(path.name.removesuffix(".json") + OUTCOMES_SUFFIX)
