"""The worker that prefills images, one after the other, whenever a job asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from anymask.automatic import AutomaticState
from anymask.core.errors import InputError
from anymask.core.record import MaskRecord
from anymask.predict.model import Model
from anymask.server.lanes import Lane
from anymask.server.problems import Problem, one_line
from anymask.server.runs import Runs
from anymask.server.schemas import EverythingRequest
from anymask.store import Image, Job, LeaseLost, Project, Store
from anymask.studio.assist.confident import confident, gap_of, rows_of
from anymask.studio.assist.schemas import AssistRequest
from anymask.studio.live.hub import Hub

KIND = "assist"
_POLL_SECONDS = 20.0  # jobs of another process's worker that died are found this late
_RENEW_SECONDS = 30.0
_BUSY = 503
log = logging.getLogger("anymask.studio")


@dataclass
class _Tally:
    """What a job has done so far."""

    images: int = 0
    masks: int = 0
    gap: float = 0.0
    failed: int = 0

    def __str__(self) -> str:
        words = f"{self.masks} masks on {self.images} images"
        if self.images:
            words += f", {self.gap / self.images:.0%} of their area left"
        return words + (f"; {self.failed} images could not be read" if self.failed else "")


class Assistant:
    """For one event loop. A job that was cut off goes on where it stopped: images that have masks are
    passed by.
    """

    def __init__(
        self, store: Store, runs: Runs, lane: Lane, hub: Hub, model_of: Callable[[Project], Model]
    ) -> None:
        """runs: of everything mode, by image id. lane: for work on masks. model_of: a project's model."""
        self._store, self._runs, self._lane, self._hub = store, runs, lane, hub
        self._model_of = model_of
        self._worker = f"assist-{secrets.token_hex(8)}"
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work off jobs."""
        self._task = asyncio.create_task(self._work())

    def wake(self) -> None:
        """There is a new job."""
        self._wanted.set()

    async def stop(self) -> None:
        """Drop what is at hand; it is taken up again later."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        while True:
            self._wanted.clear()
            for job in await self._claimed():
                await self._do(job)
                self._wanted.set()  # there may be more
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wanted.wait()

    async def _claimed(self) -> list[Job]:
        try:
            return await asyncio.to_thread(self._store.jobs.claim, self._worker, [KIND])
        except Exception:  # a database that does not answer now may do so the next time
            log.exception("the assistant cannot ask for jobs")
            return []

    async def _do(self, job: Job) -> None:
        tally = _Tally()
        try:
            asked = AssistRequest.model_validate(dict(job.arguments))
            images = await asyncio.to_thread(self._images, job, asked)
            for number, image in enumerate(images):
                async with self._holding(job, number / len(images), tally):
                    await self._prefill(image, asked, tally)
            await asyncio.to_thread(self._store.jobs.finish, job.id, self._worker, str(tally))
        except LeaseLost:
            return  # stopped, or another worker has it
        except Exception as error:
            log.exception("the assistant's job %s failed", job.id)
            reason = (
                one_line(str(error)) if isinstance(error, (InputError, Problem)) else "something went wrong"
            )
            with contextlib.suppress(LeaseLost):
                await asyncio.to_thread(self._store.jobs.fail, job.id, self._worker, f"{reason}; {tally}")
        self._hub.tell(job.project_id or "", "job", {"id": job.id})

    @contextlib.asynccontextmanager
    async def _holding(self, job: Job, fraction: float, tally: _Tally) -> AsyncIterator[None]:
        """Say how far the job is, and keep its lease while an image takes long. Raises LeaseLost if
        stopped.
        """

        def renew() -> None:
            self._store.jobs.progress(job.id, self._worker, fraction, str(tally))

        async def keep() -> None:
            while True:
                await asyncio.sleep(_RENEW_SECONDS)
                await asyncio.to_thread(renew)

        await asyncio.to_thread(renew)
        self._hub.tell(job.project_id or "", "job", {"id": job.id})
        keeper = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError, LeaseLost):
                await keeper

    def _images(self, job: Job, asked: AssistRequest) -> list[Image]:
        """The project's images that are to be prefilled and have no mask yet, also no deleted one."""
        assert job.project_id is not None
        chosen = None if asked.images is None else set(asked.images)
        return [
            image
            for image in self._store.images.all(job.project_id)
            if image.state == "new" and (chosen is None or image.id in chosen)
        ]

    async def _prefill(self, image: Image, asked: AssistRequest, tally: _Tally) -> None:
        project = await asyncio.to_thread(self._store.projects.get, image.project_id, with_counts=False)
        model = self._model_of(project)
        try:
            state = await self._decoded(image, model, asked)
        except (Problem, InputError) as problem:
            log.warning("image %s could not be prefilled: %s", image.id, one_line(str(problem)))
            tally.failed += 1
            return
        records, gap = await self._patiently(partial(_sure, state, asked.confidence))
        rows = rows_of(records, image.id, asked.label_id, model.sha256)
        if not await asyncio.to_thread(
            self._store.masks.heads, image.id, deleted=True
        ):  # nobody began meanwhile
            await asyncio.to_thread(self._store.masks.save_many, rows)
        await asyncio.to_thread(self._store.tasks.prioritise, [image.id], round(100 * gap))
        tally.images, tally.masks, tally.gap = tally.images + 1, tally.masks + len(rows), tally.gap + gap
        self._hub.tell(image.project_id, "image", {"image_id": image.id})

    async def _decoded(self, image: Image, model: Model, asked: AssistRequest) -> AutomaticState:
        """A run of everything mode, waited for as long as it takes."""
        wanted = EverythingRequest(preset=asked.preset)
        while True:
            try:
                return (await self._runs.run(image.id, model, wanted))[1]
            except Problem as problem:
                if problem.status_code != _BUSY:
                    raise
                await asyncio.sleep(1)

    async def _patiently(
        self, work: Callable[[], tuple[list[MaskRecord], float]]
    ) -> tuple[list[MaskRecord], float]:
        """Do the work in the lane, behind people's own."""
        while True:
            try:
                return await self._lane.run(work)
            except Problem as problem:
                if problem.status_code != _BUSY:
                    raise
                await asyncio.sleep(1)


def _sure(state: AutomaticState, confidence: float) -> tuple[list[MaskRecord], float]:
    records = confident(state, confidence)
    return records, gap_of(records, state.image_hw)
