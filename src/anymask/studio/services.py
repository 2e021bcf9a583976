"""What the routes of one studio share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from anymask.predict.model import Model
from anymask.server.problems import Problem
from anymask.server.runs import Runs
from anymask.server.services import Services
from anymask.store import Image, NewPrompt, Project, Store, User
from anymask.studio.accounts.doorkeeper import Doorkeeper
from anymask.studio.accounts.entry import Entry
from anymask.studio.accounts.setup import Setup
from anymask.studio.ahead import Ahead
from anymask.studio.assist.assistant import Assistant
from anymask.studio.config import StudioConfig
from anymask.studio.decoders import Decoders
from anymask.studio.live.hub import Hub
from anymask.studio.open_models import OpenModels
from anymask.studio.pictures import Pictures
from anymask.studio.prompting.kept import KeptAnswers
from anymask.studio.prompting.recorder import Recorder
from anymask.studio.renditions import Renditions
from anymask.studio.run_images import RunImages
from anymask.studio.scanning import Scanner
from anymask.studio.uploads import Uploads
from anymask.studio.workspace import Workspace


@dataclass(frozen=True)
class StudioServices:
    """Made once per studio; routes get it as a dependency.

    served: what `anymask serve` has: models, lanes, turns, kept predictions. runs: of everything mode, on the
    workspace's pictures. hub: who looks, and is told. answers: predictions that may be refined. recorder:
    writes prompts down.
    """

    config: StudioConfig
    store: Store
    workspace: Workspace
    served: Services
    pictures: Pictures
    ahead: Ahead
    renditions: Renditions
    decoders: Decoders
    runs: Runs
    run_images: RunImages
    entry: Entry
    scanner: Scanner
    uploads: Uploads
    setup: Setup
    doorkeeper: Doorkeeper
    hub: Hub
    answers: KeptAnswers
    recorder: Recorder[NewPrompt]
    models: OpenModels
    assistant: Assistant

    @classmethod
    def of(
        cls, models: list[Model], store: Store, workspace: Workspace, config: StudioConfig
    ) -> StudioServices:
        """Everything that a studio needs, idle. Raises InputError, OutputError."""
        served = Services.of(models, config)
        pictures = Pictures(config, workspace, served.lanes.images, store.images.get)
        hub, decoders = Hub(), Decoders(config.model_folders)
        opened = OpenModels(served.shelf, decoders.open)
        runs = Runs(pictures, served.lanes.everything, config.run_bytes)
        return cls(
            config=config,
            store=store,
            workspace=workspace,
            served=served,
            pictures=pictures,
            ahead=Ahead(pictures.embedding),
            renditions=Renditions(workspace, config.max_pixels),
            decoders=decoders,
            runs=runs,
            entry=Entry(config, store, workspace.secret()),
            scanner=Scanner(store, workspace, config),
            uploads=Uploads(workspace, config),
            setup=Setup(config, store),
            doorkeeper=Doorkeeper(store),
            hub=hub,
            answers=KeptAnswers(),
            recorder=Recorder(store.prompts.record_many),
            models=opened,
            run_images=RunImages(),
            assistant=Assistant(store, runs, served.lanes.files, hub, opened.of_project),
        )

    def begin(self) -> None:
        """Make the first project, where there is none, and look for new pictures in the folders of all."""
        self.store.people.sweep()
        if not self.store.projects.list():
            self.store.projects.create(self.workspace.root.name or "pictures", root="")
        for project in self.store.projects.list():
            self.models.open_for(project)
            if project.root is not None:
                self.scanner.start(project)

    def close(self) -> None:
        """Let the threads end."""
        self.hub.close()
        self.ahead.close()
        self.scanner.close()
        self.doorkeeper.close()
        self.served.lanes.close()
        self.recorder.close()

    def purge(self, image: Image) -> None:
        """Remove a picture, its rows, and what was made of its pixels; for a thread. Raises NotFound."""
        self.store.images.purge(image.id)
        self.renditions.forget(image)
        self.pictures.forget_on_disk(image)
        projects = self.store.projects.list()
        if not any(self.store.images.of_path(project.id, image.path) for project in projects):
            self.uploads.remove(image)

    def model_of(self, project: Project) -> Model:
        """The model that answers in a project: its own where it is open, the default one otherwise."""
        return self.models.of_project(project)

    def model_by_sha256(self, sha256: str) -> Model:
        """An open model. Raises Problem (404)."""
        for model in self.models:
            if model.sha256 == sha256:
                return model
        raise Problem(404, "unknown_model", "there is no such model here, or no longer")

    def next_images(self, image: Image, user: User) -> list[str]:
        """Ids of the pictures that a person will be given next in the image's project, to be prepared."""
        if not self.config.ahead:
            return []
        waiting = self.store.tasks.upcoming(image.project_id, user.id, "label", self.config.ahead + 1)
        return [id for id in waiting if id != image.id][: self.config.ahead]


async def _services(request: Request) -> StudioServices:
    services = request.app.state.studio
    assert isinstance(services, StudioServices)
    return services


Studio = Annotated[StudioServices, Depends(_services)]
"""The type of a route's parameter that gets the services."""
