"""GET /v1/health: whether the server is there."""

from __future__ import annotations

from fastapi import APIRouter

from anymask._version import __version__
from anymask.server.schemas import HealthAnswer

router = APIRouter(prefix="/v1", tags=["server"])


@router.get("/health", operation_id="health")
async def health() -> HealthAnswer:
    """Say that the server is there; no token needed."""
    return HealthAnswer(status="ok", version=__version__)
