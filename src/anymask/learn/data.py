"""A snapshot's pictures and masks as a tar shard, which training and evaluation read."""

from __future__ import annotations

import filecmp
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anymask.core.errors import AnymaskError
from anymask.core.files import replacing
from anymask.core.images import load_image
from anymask.store import FrozenImage
from anymask.studio.workspace import Workspace


@dataclass(frozen=True)
class Written:
    """What went into a shard. problems: one line per picture that could not."""

    images: int
    masks: int
    problems: tuple[str, ...]


def write_shard(path: Path, images: Sequence[FrozenImage], workspace: Workspace) -> Written:
    """Write pictures with at least one mask to `path`, the same bytes for the same snapshot.

    Each description names the picture's group, so that a split can keep groups together. Pictures that are
    gone, changed or unreadable are left out and named. A file that holds just this already is left as it is,
    so that a run on it goes on. Raises OutputError.
    """
    problems: list[str] = []
    count = masks = 0
    fresh = path.with_suffix(".new")
    with replacing(fresh) as place, tarfile.open(place, "w", format=tarfile.USTAR_FORMAT) as tar:
        for frozen in images:
            if not frozen.masks:
                continue
            try:
                file = workspace.picture(frozen.image)
                size = load_image(file).image_hw
            except Exception as error:
                if not isinstance(error, AnymaskError) and not hasattr(error, "detail"):
                    raise
                problems.append(f"{frozen.image.path}: {getattr(error, 'detail', error)}")
                continue
            if size != frozen.image.image_hw:
                problems.append(f"{frozen.image.path}: has another size than when it was added")
                continue
            _add(tar, f"{frozen.image.id}{file.suffix.lower()}", file.read_bytes())
            _add(tar, f"{frozen.image.id}.json", json.dumps(_described(frozen), sort_keys=True).encode())
            count, masks = count + 1, masks + len(frozen.masks)
    if path.is_file() and filecmp.cmp(path, fresh, shallow=False):
        fresh.unlink()
    else:
        fresh.replace(path)
    return Written(count, masks, tuple(problems))


def _described(frozen: FrozenImage) -> dict[str, object]:
    image = frozen.image
    return {
        "source": image.path.rpartition("/")[0] or "studio",
        "kind": "studio",
        "width": image.width,
        "height": image.height,
        "exhaustive": False,
        "zero_shot": False,
        "group": image.group_key or image.id,
        "masks": [
            {"rle": mask.rle.to_coco(), "label": frozen.labels.get(mask.label_id or ""), "part_of": None}
            for mask in frozen.masks
        ],
    }


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
