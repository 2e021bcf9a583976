"""Uploaded images and their embeddings: each embedded once per model, kept in memory and on disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from anymask.core.embedding import ImageEmbedding
from anymask.core.images import Picture, load_image
from anymask.predict.model import Model
from anymask.server.byte_cache import ByteCache
from anymask.server.config import ServerConfig
from anymask.server.disk import Disk
from anymask.server.inspection import inspect
from anymask.server.lanes import Lane
from anymask.server.problems import Problem
from anymask.server.single_flight import SingleFlight


@dataclass(frozen=True, eq=False)
class StoredImage:
    """An upload as it came. id: `Picture.sha256`. image_hw: height and width, turned upright, pixels."""

    id: str
    data: bytes
    media_type: str
    image_hw: tuple[int, int]

    def picture(self) -> Picture:
        """The pixels, decoded at each call: kept compressed, ten times as many images fit."""
        return load_image(self.data)


class Library:
    """For one event loop; reading and embedding happen in `lane`."""

    def __init__(self, config: ServerConfig, lane: Lane) -> None:
        self._lane, self._max_pixels = lane, config.max_pixels
        self._disk = Disk(config.cache_dir, config.disk_bytes) if config.cache_dir else None
        half = config.memory_bytes // 2
        self._images: ByteCache[str, StoredImage] = ByteCache(half, lambda image: len(image.data))
        self._embeddings: ByteCache[tuple[str, str], ImageEmbedding] = ByteCache(half, lambda e: e.nbytes)
        self._flights: SingleFlight[tuple[str, str], ImageEmbedding] = SingleFlight()

    async def add(self, data: bytes) -> StoredImage:
        """Take in an upload. Raises Problem (413, 415, 422, 503)."""
        stored = await self._lane.run(partial(self._read, data, keep=True))
        self._images.put(stored.id, stored)
        return stored

    async def image(self, image: str) -> StoredImage:
        """An image by its id. Raises Problem (404) if it is not, or no longer, here."""
        stored = self._images.get(image)
        if stored is not None:
            return stored
        found = None if self._disk is None else await self._lane.run(partial(self._from_disk, image))
        if found is None:
            raise Problem(404, "unknown_image", "there is no such image here, or no longer; upload it again")
        self._images.put(image, found)
        return found

    async def embedding(self, image: str, model: Model) -> ImageEmbedding:
        """What a model made of an image, computed if it is not here. Raises Problem (404, 503)."""
        key = image, model.sha256
        ready = self._embeddings.get(key)
        if ready is not None:
            return ready
        return await self._lane.within(self._flights.get(key, lambda: self._embed(image, model)))

    def embedded(self, image: str) -> list[str]:
        """SHA-256 of the models whose embeddings of this image are in memory."""
        return [model for name, model in self._embeddings if name == image]

    async def forget(self, image: str) -> None:
        """Remove an image and what was made of it. Raises Problem (404) if it is not here."""
        await self.image(image)
        self._images.drop(image)
        for key in self._embeddings:
            if key[0] == image:
                self._embeddings.drop(key)
        if self._disk is not None:
            await self._lane.run(partial(self._disk.forget, image))

    async def _embed(self, image: str, model: Model) -> ImageEmbedding:
        stored = None if self._disk is not None else await self.image(image)
        if stored is None:
            kept = await self._lane.queue(partial(self._kept, image, model.sha256))
            if kept is not None:
                self._embeddings.put((image, model.sha256), kept)
                return kept
            stored = await self.image(image)
        embedding = await self._lane.queue(partial(self._compute, stored, model))
        self._embeddings.put((image, model.sha256), embedding)
        return embedding

    def _kept(self, image: str, model_sha256: str) -> ImageEmbedding | None:
        return None if self._disk is None else self._disk.embedding(image, model_sha256)

    def _compute(self, stored: StoredImage, model: Model) -> ImageEmbedding:
        embedding = model.embed(stored.picture())
        if self._disk is not None:
            self._disk.keep_embedding(embedding)
        return embedding

    def _from_disk(self, image: str) -> StoredImage | None:
        data = None if self._disk is None else self._disk.image(image)
        if data is None:
            return None
        stored = self._read(data, keep=False)
        return stored if stored.id == image else None

    def _read(self, data: bytes, *, keep: bool) -> StoredImage:
        header = inspect(data, self._max_pixels)
        picture = load_image(data, max_pixels=self._max_pixels)
        if keep and self._disk is not None:
            self._disk.keep_image(picture.sha256, data)
        return StoredImage(picture.sha256, data, header.media_type, picture.image_hw)
