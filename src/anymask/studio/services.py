"""What the routes of one studio share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from anymask.predict.model import Model
from anymask.server.runs import Runs
from anymask.server.services import Services
from anymask.store import Project, Store
from anymask.studio.accounts.entry import Entry
from anymask.studio.config import StudioConfig
from anymask.studio.live.hub import Hub
from anymask.studio.pictures import Pictures
from anymask.studio.renditions import Renditions
from anymask.studio.scanning import Scanner
from anymask.studio.workspace import Workspace


@dataclass(frozen=True)
class StudioServices:
    """Made once per studio; routes get it as a dependency.

    served: what `anymask serve` has: models, lanes, turns, kept predictions. runs: of everything mode, on the
    workspace's pictures. hub: who looks, and is told.
    """

    config: StudioConfig
    store: Store
    workspace: Workspace
    served: Services
    pictures: Pictures
    renditions: Renditions
    runs: Runs
    entry: Entry
    scanner: Scanner
    hub: Hub

    @classmethod
    def of(
        cls, models: list[Model], store: Store, workspace: Workspace, config: StudioConfig
    ) -> StudioServices:
        """Everything that a studio needs, idle. Raises InputError, OutputError."""
        served = Services.of(models, config)
        pictures = Pictures(config, workspace, served.lanes.images, store.images.get)
        hub = Hub()
        return cls(
            config=config,
            store=store,
            workspace=workspace,
            served=served,
            pictures=pictures,
            renditions=Renditions(workspace, config.max_pixels),
            runs=Runs(pictures, served.lanes.everything, config.run_bytes),
            entry=Entry(config, store, workspace.secret()),
            scanner=Scanner(store, workspace, config),
            hub=hub,
        )

    def close(self) -> None:
        """Let the threads end."""
        self.scanner.close()
        self.served.lanes.close()

    def model_of(self, project: Project) -> Model:
        """The model that answers in a project: its own where it is served, the default one otherwise."""
        for model in self.served.shelf:
            if project.model in (model.spec.name, model.spec.full_name, model.sha256):
                return model
        return self.served.shelf.default


def _services(request: Request) -> StudioServices:
    services = request.app.state.studio
    assert isinstance(services, StudioServices)
    return services


Studio = Annotated[StudioServices, Depends(_services)]
"""The type of a route's parameter that gets the services."""
