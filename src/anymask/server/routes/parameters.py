"""Parameters and answers that several routes share."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from anymask.server.schemas import ProblemAnswer

ImageId = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="id of an uploaded image")]
ModelQuery = Annotated[
    str | None, Query(min_length=1, max_length=100, description="name or name@version of a served model")
]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: these statuses are answered with a problem; 400 to 429 always can be."""
    return {
        status: {
            "model": ProblemAnswer,
            "content": {"application/problem+json": {}},
            "description": "the detail says what was wrong",
        }
        for status in (400, 401, 403, 408, 413, 422, 429, *statuses)
    }
