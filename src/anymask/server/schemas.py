"""What requests hold and answers give; the OpenAPI document is made of these.

Requests are strict: no unknown field, no text where a number belongs, nothing without a limit. Coordinates
are pixels of the image, x from the left and y from the top.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Coordinate = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Pixels = Annotated[float, Field(ge=0, le=1e9)]
Vertex = Annotated[list[Coordinate], Field(min_length=2, max_length=2, description="x, y")]
Id = Annotated[int, Field(ge=-(2**53), le=2**53)] | Annotated[str, Field(max_length=200)]
FormatName = Annotated[str, Field(min_length=1, max_length=40, description="a name of /v1/formats")]
ModelName = Annotated[str, Field(min_length=1, max_length=100, description="name or name@version")]


def _labelled(point: list[float]) -> list[float]:
    if len(point) == 3 and point[2] not in (0, 1):
        raise ValueError("a point's label is 1 (on the object) or 0 (off it)")
    return point


Point = Annotated[
    list[Coordinate],
    Field(min_length=2, max_length=3, description="x, y, or x, y, label; label 1 on the object, 0 off it"),
    AfterValidator(_labelled),
]


class Request(BaseModel):
    """Base of everything that is sent to the server."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Answer(BaseModel):
    """Base of everything that the server sends."""

    model_config = ConfigDict(extra="forbid")


class RleMask(Request):
    """A mask as COCO compressed RLE, of the image's size."""

    size: Annotated[
        list[Annotated[int, Field(ge=1, le=100_000)]],
        Field(min_length=2, max_length=2, description="height, width"),
    ]
    counts: Annotated[str, Field(min_length=1, max_length=8_000_000)]


class Previous(Request):
    """An earlier answer to refine: `prediction` of that answer, and which of its candidates."""

    prediction: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    candidate: Annotated[int, Field(ge=0, le=3)] = 0


class Hover(Request):
    """Marks a request that a later one of the same client makes pointless."""

    client: Annotated[str, Field(min_length=1, max_length=64, description="any text, new for every page")]
    sequence: Annotated[int, Field(ge=0, le=2**53, description="rises with every request of the client")]


class PromptRequest(Request):
    """One object, pointed at; every mixture of points, box, mask, scribble and polygon is legal."""

    model: ModelName | None = None
    points: Annotated[list[Point], Field(max_length=1000)] | None = None
    box: Annotated[list[Number], Field(min_length=4, max_length=4, description="x0, y0, x1, y1")] | None = (
        None
    )
    mask: RleMask | None = None
    scribble: (
        Annotated[
            list[Annotated[list[Vertex], Field(min_length=1, max_length=10_000)]],
            Field(max_length=100, description="brush strokes on the object"),
        ]
        | None
    ) = None
    polygon: (
        Annotated[list[Vertex], Field(max_length=10_000, description="a lasso round the object")] | None
    ) = None
    previous: Previous | None = None
    multimask: Annotated[
        bool | None, Field(description="true: three candidates, false: one, null: three for a single click")
    ] = None
    only_best: Annotated[bool, Field(description="answer with the best candidate alone")] = False
    encoding: Literal["rle", "png"] = "rle"
    stability: Annotated[bool, Field(description="work out stability scores, too; takes longer")] = False
    label: Annotated[str, Field(max_length=200)] | None = None
    keep: Annotated[bool, Field(description="keep the answer, to be named as `previous`")] = True
    hover: Hover | None = None


class Record(Request):
    """One mask and what is known of it: the JSON form of a mask record, with the names of COCO and SA-1B.

    What /prompt and /everything give can be sent to /v1/export as it is. bbox: x, y, width, height.
    predicted_iou: the model's own guess, about 0 to 1.
    """

    segmentation: RleMask
    bbox: Annotated[list[Number], Field(min_length=4, max_length=4)]
    area: Annotated[int, Field(ge=0)]
    predicted_iou: Number | None = None
    stability_score: Number | None = None
    point_coords: Annotated[list[Vertex], Field(max_length=1)] | None = None
    crop_box: Annotated[list[Number], Field(min_length=4, max_length=4)] | None = None
    category: Annotated[str, Field(max_length=200)] | None = None
    id: Id | None = None
    parent: Id | None = None
    attributes: dict[str, Any] | None = None
    provenance: dict[str, Any] | None = None


class Candidate(Record):
    """A mask record. png: if asked for, base64 of a grey PNG of the image's size, 255 on the object."""

    png: str | None = None


class PromptAnswer(Answer):
    """Candidates, best first. prediction: names this answer as `previous`; null if it was not kept."""

    image: str
    model: str
    prediction: str | None
    candidates: list[Candidate]


class Filters(Request):
    """Which decoded masks to keep; what is not given stays as it was. docs/everything.md explains each."""

    pred_iou_thresh: Share | None = None
    stability_score_thresh: Share | None = None
    stability_score_offset: Annotated[float, Field(ge=0, le=100)] | None = None
    box_nms_thresh: Share | None = None
    crop_nms_thresh: Share | None = None
    min_mask_region_area: Pixels | None = None
    tidy_share: Share | None = None
    min_area: Pixels | None = None
    max_area_share: PositiveShare | None = None
    mask_nms_thresh: PositiveShare | None = None
    nested: Literal["keep", "whole", "part"] | None = None
    containment_thresh: PositiveShare | None = None

    def given(self) -> dict[str, Any]:
        """The settings that were sent, by name."""
        return {name: value for name, value in self if value is not None}


class Settings(Filters):
    """Where to click, and which masks to keep. crop_n_layers: "auto" goes by the image's size."""

    points_per_side: Annotated[int, Field(ge=1, le=128)] | None = None
    points_per_batch: Annotated[int, Field(ge=1, le=256)] | None = None
    crop_n_layers: Annotated[int, Field(ge=0, le=3)] | Literal["auto"] | None = None
    crop_overlap_ratio: Annotated[float, Field(ge=0, le=0.9)] | None = None
    crop_n_points_downscale_factor: Annotated[int, Field(ge=1, le=16)] | None = None
    sampling: Literal["full", "coarse-to-fine"] | None = None


class EverythingRequest(Request):
    """A run of everything mode. keep_above: masks with a lower score are not even kept for other filters."""

    model: ModelName | None = None
    preset: Literal["demo", "paper", "objects", "parts", "dense"] | None = None
    settings: Settings = Settings()
    keep_above: Share = 0.0


class EverythingAnswer(Answer):
    """run: names the decoded masks for other filters. decoded: how many there are. settings: all in force."""

    run: str
    image: str
    model: str
    settings: dict[str, Any]
    decoded: int
    records: list[Record]


class FindRequest(Request):
    """What is looked for among all masks of an image. threshold: least score; the encoder's own if not given.

    most: masks at most. preset, settings: how masks are looked for, as for everything mode.
    """

    texts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=500)]], Field(min_length=1, max_length=100)
    ]
    threshold: Share | None = None
    most: Annotated[int, Field(ge=1, le=10_000)] | None = None
    model: ModelName | None = None
    preset: Literal["demo", "paper", "objects", "parts", "dense"] | None = None
    settings: Settings = Settings()


class FindAnswer(Answer):
    """records: masks labelled with the text that fits them best, the best first. threshold: the one in force.

    encoder: what knew the words. run: of everything mode, for other filters.
    """

    run: str
    image: str
    model: str
    encoder: str
    threshold: float
    records: list[Record]


class ImageMasks(Request):
    """The masks of one image. name: its file name, relative and without `..`."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    width: Annotated[int, Field(ge=1, le=100_000)]
    height: Annotated[int, Field(ge=1, le=100_000)]
    records: Annotated[list[Record], Field(max_length=100_000)]


class ExportRequest(Request):
    """Masks to be written as a file."""

    format: FormatName
    images: Annotated[list[ImageMasks], Field(min_length=1, max_length=10_000)]


class ImportAnswer(Answer):
    """The masks of a file. left_out: what it holds beside masks, counted, in words."""

    images: list[ImageMasks]
    left_out: list[str]


class FormatAnswer(Answer):
    """One format of files. is_folder: several files that belong together, exchanged as a zip."""

    name: str
    title: str
    suffix: str
    is_folder: bool


class FormatsAnswer(Answer):
    """All formats."""

    formats: list[FormatAnswer]


class ImageAnswer(Answer):
    """An uploaded image. id: SHA-256 of its size and pixels. embedded: models that are ready for prompts."""

    id: str
    width: int
    height: int
    media_type: str
    bytes: int
    embedded: list[str]


class EmbeddingAnswer(Answer):
    """An embedding that is ready. bytes: what it takes in memory."""

    image: str
    model: str
    model_sha256: str
    input_size: int
    bytes: int


class ModelAnswer(Answer):
    """One served model."""

    name: str
    version: str
    sha256: str
    architecture: str
    input_size: int
    prompts: list[str]
    licence: str
    default: bool


class ModelsAnswer(Answer):
    """The served models, the default one first."""

    models: list[ModelAnswer]


class HealthAnswer(Answer):
    """The server is there."""

    status: Literal["ok"]
    version: str


class ProblemAnswer(Answer):
    """An error (RFC 9457). code: one word for programs. detail: one line for people."""

    title: str
    status: int
    code: str
    detail: str
