"""What X-AnyLabeling sends."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from anymask.server.schemas import Number


class _Sent(BaseModel):
    """More may come than is read here."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Mark(_Sent):
    """data: x, y of a point, or x, y, x, y of a rectangle, pixels. label: 1 on the object, 0 off it."""

    type: Literal["point", "rectangle"]
    data: Annotated[list[Number], Field(min_length=2, max_length=4)]
    label: Annotated[int, Field(ge=0, le=1)] = 1


class Params(_Sent):
    """conf_threshold: least score. epsilon_factor: see `shapes_of`."""

    marks: Annotated[list[Mark], Field(max_length=1000)] = []
    conf_threshold: Annotated[float, Field(ge=0, le=1)] = 0.0
    epsilon_factor: Annotated[float, Field(ge=0, le=1)] = 0.001


class PredictRequest(_Sent):
    """image: a data URI, or base64 alone."""

    model: Annotated[str, Field(max_length=100)]
    image: str
    params: Params = Params()
