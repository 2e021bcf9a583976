"""The application: routes, what they share, and the gate in front of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from anymask._version import __version__
from anymask.predict.model import Model
from anymask.server.config import ServerConfig
from anymask.server.gate import Gate
from anymask.server.label_studio import routes as label_studio
from anymask.server.problems import add_handlers
from anymask.server.routes import conversions, everything, find, health, images, models, prompts
from anymask.server.services import Services
from anymask.server.x_anylabeling import routes as x_anylabeling

_ROUTERS = (
    health.router,
    models.router,
    images.router,
    prompts.router,
    everything.router,
    find.router,
    conversions.router,
    label_studio.router,
    x_anylabeling.router,
)


def create_app(loaded: Iterable[Model], config: ServerConfig | None = None) -> FastAPI:
    """An ASGI application that answers with these models, the first one by default.

    Raises InputError for models with the same name or settings that do not fit, OutputError if the cache
    folder cannot be made.
    """
    config = config or ServerConfig()
    app = create_api(Services.of(list(loaded), config))
    app.add_middleware(Gate, config=config)
    return app


def create_api(services: Services) -> FastAPI:
    """The routes alone, for an application that has its own gate in front of them."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        services.lanes.close()

    app = FastAPI(
        title="anymask",
        version=__version__,
        summary="Segment Anything: embed an image once, answer any prompt at once.",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # the pages would load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    for router in _ROUTERS:
        app.include_router(router)
    add_handlers(app)
    return app
