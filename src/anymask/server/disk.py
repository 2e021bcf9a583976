"""Images and embeddings on disk, so that a restarted server answers on, within a number of bytes."""

from __future__ import annotations

import contextlib
from pathlib import Path

from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import FormatError, OutputError
from anymask.core.files import write_atomically


class Disk:
    """A folder of files whose names the server makes up from checksums.

    folder: made if it is missing, for this user alone. budget: bytes; files unused for longest go first.
    Raises OutputError if the folder cannot be made.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self._folder, self._budget = folder, budget
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot use '{folder}' as cache: {error.strerror}; name another folder"
            ) from error

    def image(self, image: str) -> bytes | None:
        """The bytes of an uploaded image, or None."""
        path = self._image_path(image)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        _touch(path)
        return data

    def embedding(self, image: str, model_sha256: str) -> ImageEmbedding | None:
        """An embedding, or None if it is not here, damaged, or not of this image and model."""
        path = self._embedding_path(image, model_sha256)
        try:
            found = ImageEmbedding.load(path)
        except FormatError:
            return None
        if (found.image_sha256, found.model_sha256) != (image, model_sha256):
            return None
        _touch(path)
        return found

    def keep_image(self, image: str, data: bytes) -> None:
        """Write an image. A full disk is no error: then it is not kept."""
        with contextlib.suppress(OutputError):
            write_atomically(self._image_path(image), data)
            self._sweep()

    def keep_embedding(self, embedding: ImageEmbedding) -> None:
        """Write an embedding; as `keep_image`."""
        with contextlib.suppress(OutputError):
            embedding.save(self._embedding_path(embedding.image_sha256, embedding.model_sha256))
            self._sweep()

    def forget(self, image: str) -> None:
        """Remove an image and its embeddings."""
        for path in self._folder.glob(f"{image}.*"):
            path.unlink(missing_ok=True)

    def _image_path(self, image: str) -> Path:
        return self._folder / f"{image}.image"

    def _embedding_path(self, image: str, model_sha256: str) -> Path:
        return self._folder / f"{image}.{model_sha256}.safetensors"

    def _sweep(self) -> None:
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        excess = sum(size for _, size, _ in found) - self._budget
        for _, size, path in sorted(found)[:-1]:  # the newest stays
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size


def _touch(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.touch()
