"""The pictures of a workspace and their embeddings, each computed once per model and kept."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

from anymask.core.embedding import ImageEmbedding
from anymask.core.images import Picture, load_image
from anymask.formats.png import encode_png
from anymask.predict.model import Model
from anymask.server.byte_cache import ByteCache
from anymask.server.disk import Disk
from anymask.server.lanes import Lane
from anymask.server.library import StoredImage
from anymask.server.single_flight import SingleFlight
from anymask.store import Image
from anymask.studio import dicom
from anymask.studio.config import StudioConfig
from anymask.studio.workspace import Workspace


class Pictures:
    """For one event loop; reading and embedding happen in `lane`.

    An image is named by its id in the store. Its embedding's `image_sha256` is the store's: that of the file.
    find: the row of an id; raises NotFound.
    """

    def __init__(
        self, config: StudioConfig, workspace: Workspace, lane: Lane, find: Callable[[str], Image]
    ) -> None:
        self._workspace, self._lane, self._find = workspace, lane, find
        self._max_pixels = config.max_pixels
        self._disk = Disk(workspace.cache / "embeddings", config.disk_bytes)
        self._embeddings: ByteCache[tuple[str, str], ImageEmbedding] = ByteCache(
            config.memory_bytes, lambda embedding: embedding.nbytes
        )
        self._flights: SingleFlight[tuple[str, str], ImageEmbedding] = SingleFlight()

    async def image(self, image: str) -> StoredImage:
        """The file of a picture. Raises Problem (404) if it has gone."""
        return await self._lane.run(partial(self._stored, image))

    async def embedding(self, image: str, model: Model) -> ImageEmbedding:
        """What a model made of a picture, computed if it is not here. Raises Problem (404, 422, 503)."""
        ready = self._embeddings.get((image, model.sha256))
        if ready is not None:
            return ready
        return await self._lane.within(self._joined(image, model))

    def is_ready(self, image: str, model: Model) -> bool:
        """Whether the embedding is in memory."""
        return (image, model.sha256) in self._embeddings

    def forget(self, image: str) -> None:
        """Drop a picture's embeddings from memory."""
        for key in self._embeddings:
            if key[0] == image:
                self._embeddings.drop(key)

    def forget_on_disk(self, image: Image) -> None:
        """Remove a picture's embeddings from the cache; for a thread."""
        self._disk.forget(image.sha256)

    def picture(self, image: Image) -> Picture:
        """The pixels of a picture; for a thread. Raises Problem (404, 422), ImageError."""
        return load_picture(self._workspace.picture(image), self._max_pixels)

    async def _joined(self, image: str, model: Model) -> ImageEmbedding:
        return await self._flights.get((image, model.sha256), lambda: self._embed(image, model))

    async def _embed(self, image: str, model: Model) -> ImageEmbedding:
        embedding = await self._lane.queue(partial(self._compute, image, model))
        self._embeddings.put((image, model.sha256), embedding)
        return embedding

    def _compute(self, image: str, model: Model) -> ImageEmbedding:
        row = self._find(image)
        kept = self._disk.embedding(row.sha256, model.sha256)
        if kept is not None:
            return kept
        embedding = dataclasses.replace(model.embed(self.picture(row)), image_sha256=row.sha256)
        self._disk.keep_embedding(embedding)
        return embedding

    def _stored(self, image: str) -> StoredImage:
        row = self._find(image)
        data = self._workspace.picture(row).read_bytes()
        if dicom.is_dicom(io.BytesIO(data)):
            data = encode_png(self.picture(row).pixels)
        return StoredImage(row.sha256, data, "application/octet-stream", row.image_hw)


def load_picture(path: Path, max_pixels: int) -> Picture:
    """The pixels of a file, upright, 8-bit RGB. Raises Problem (413, 415, 422) for DICOM, ImageError."""
    with path.open("rb") as file:
        if dicom.is_dicom(file):
            return dicom.load(file, max_pixels)
    return load_image(path, max_pixels=max_pixels)
