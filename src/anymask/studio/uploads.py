"""Pictures that people send: judged by their content, kept under names that the server makes."""

from __future__ import annotations

import hashlib
import io
import threading
import uuid
from pathlib import PurePosixPath, PureWindowsPath

from anymask.core.errors import ImageError
from anymask.core.files import remove_temporaries, write_atomically
from anymask.core.images import load_image
from anymask.server.problems import Problem, one_line
from anymask.store import Image, NewImage
from anymask.studio import dicom
from anymask.studio.config import StudioConfig
from anymask.studio.headers import SUFFIXES, PictureHeader, read_header
from anymask.studio.workspace import OWN_FOLDER, Workspace

_LONGEST_NAME = 200
_PLACE = f"{OWN_FOLDER}/uploads"


class Uploads:
    """The folder of a workspace's uploads, within its number of bytes. For any thread."""

    def __init__(self, workspace: Workspace, config: StudioConfig) -> None:
        self._folder, self._config = workspace.uploads, config
        self._lock = threading.Lock()
        remove_temporaries(self._folder)
        self._bytes = sum(path.stat().st_size for path in self._folder.iterdir() if path.is_file())

    def keep(self, data: bytes, name: str) -> NewImage:
        """Write a picture and give its row.

        name: what its sender calls it; only shown. Raises Problem: 415 for what is no picture of a known
        kind, 413 for one that is too large, 422 for a damaged one, 507 where there is no room; OutputError.
        """
        if len(data) > self._config.max_upload_bytes:
            most = self._config.max_upload_bytes
            raise Problem(
                413, "too_large", f"the file has {len(data):,} bytes, more than {most:,}, the limit"
            )
        header = self._checked(data)
        sha256 = hashlib.sha256(data).hexdigest()
        file = f"{sha256}{SUFFIXES[header.media_type]}"
        with self._lock:
            place = self._folder / file
            if not place.is_file():
                if self._bytes + len(data) > self._config.workspace_bytes:
                    raise Problem(
                        507, "no_room", "this workspace takes no more uploads; ask its administrator"
                    )
                write_atomically(place, data)
                self._bytes += len(data)
        return NewImage(
            id=uuid.uuid4().hex,
            sha256=sha256,
            path=f"{_PLACE}/{file}",
            name=shown_name(name) or file,
            width=header.width,
            height=header.height,
            bytes=len(data),
        )

    def remove(self, image: Image) -> None:
        """Remove the file of an upload; nothing happens to a picture that lies in the workspace's folder."""
        folder, _, name = image.path.rpartition("/")
        if folder != _PLACE:
            return
        with self._lock:
            place = self._folder / name
            if place.is_file():
                self._bytes -= place.stat().st_size
                place.unlink()

    def _checked(self, data: bytes) -> PictureHeader:
        """The header of a picture that can be decoded to its end."""
        most = self._config.max_pixels
        header = read_header(io.BytesIO(data), most)
        try:
            if header.media_type == dicom.MEDIA_TYPE:
                dicom.load(io.BytesIO(data), most)
            else:
                load_image(data, max_pixels=most)
        except ImageError as error:
            raise Problem(422, "unusable", one_line(str(error))) from error
        return header


def shown_name(name: str) -> str:
    """A file's name as people may see it: no folders, no control characters, not too long."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    return one_line(last.encode("utf-8", "replace").decode("utf-8"), _LONGEST_NAME)
