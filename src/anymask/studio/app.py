"""The studio's application: its routes, the services of `anymask serve` beside them, and the pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from anymask._version import __version__
from anymask.predict.model import Model
from anymask.server.app import create_api
from anymask.server.gate import Gate
from anymask.server.problems import add_handlers
from anymask.store import Store
from anymask.studio.config import StudioConfig
from anymask.studio.limits import BodyLimits
from anymask.studio.problems import add_store_handlers
from anymask.studio.routes import (
    accounts,
    additions,
    assist,
    edits,
    embeddings,
    events,
    everything,
    exchange,
    images,
    jobs,
    labels,
    masks,
    me,
    models,
    projects,
    prompts,
    propagation,
    reviews,
    snapshots,
    statistics,
    tasks,
)
from anymask.studio.services import StudioServices
from anymask.studio.static_files import pages
from anymask.studio.workspace import Workspace

PREFIX = "/api/v1"
ROUTERS: tuple[APIRouter, ...] = (
    me.router,
    accounts.router,
    projects.router,
    images.router,
    additions.router,
    tasks.router,
    jobs.router,
    embeddings.router,
    prompts.router,
    everything.router,
    edits.router,
    masks.router,
    labels.router,
    propagation.router,
    exchange.router,
    events.router,
    reviews.router,
    statistics.router,
    snapshots.router,
    models.router,
    assist.router,
)
"""All routers of the studio; each gives its paths below /api/v1."""


def create_studio(
    models: Iterable[Model], store: Store, workspace: Workspace, config: StudioConfig | None = None
) -> FastAPI:
    """An ASGI application over a workspace; the first model answers by default.

    `/api/v1` is the studio's API, described at `/api/v1/openapi.json`; `/v1` and the protocols of other tools
    are those of `anymask serve`; everything else is the pages. Raises InputError, OutputError.
    """
    config = config or StudioConfig()
    studio = StudioServices.of(list(models), store, workspace, config)
    app = studio_api()
    app.state.studio = studio
    app.router.routes.append(_Beside(create_api(studio.served), ("/v1/", "/label-studio", "/x-anylabeling")))
    app.include_router(pages())
    app.add_middleware(Gate, config=config, guard=studio.entry, body_limit=BodyLimits(config))
    return app


def studio_api() -> FastAPI:
    """The studio's API without anything behind it: enough to describe it (`openapi()`)."""
    app = FastAPI(
        title="anymask studio",
        version=__version__,
        summary="A labelling workspace: pictures, prompts, masks, tasks, review.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # the pages would load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
    )
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    add_handlers(app)
    add_store_handlers(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    studio: StudioServices = app.state.studio
    await asyncio.to_thread(studio.begin)
    studio.assistant.start()
    yield
    await studio.assistant.stop()
    studio.close()


class _Beside(BaseRoute):
    """Hands the addresses below some prefixes to another application, as they are."""

    def __init__(self, app: ASGIApp, prefixes: tuple[str, ...]) -> None:
        self._app, self._prefixes = app, prefixes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_ours = scope["type"] == "http" and scope["path"].startswith(self._prefixes)
        return (Match.FULL if is_ours else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        from starlette.routing import NoMatchFound

        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
