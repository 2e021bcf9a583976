"""A synthetic data set in a folder: pictures, a COCO file of their masks, and how it was made."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anymask._version import __version__
from anymask.core.arrays import UInt8Array
from anymask.core.errors import InputError, OutputError
from anymask.core.files import write_atomically
from anymask.core.images import load_image
from anymask.core.record import MaskRecord
from anymask.evaluate.samples import Problems
from anymask.formats import Contents, write_images
from anymask.synthesize.backgrounds import Background, Backgrounds
from anymask.synthesize.compose import Composed, Placed, compose
from anymask.synthesize.cutouts import Cutout
from anymask.synthesize.settings import SynthesisSettings

IMAGES, RECORDS, ANNOTATIONS, PLAN = "images", ".synthesis", "annotations.json", ".synthesis/plan.json"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Made:
    """What lies in the folder. images, masks: counted; without: pictures in which nothing found a place."""

    images: int
    masks: int
    without: int


def synthesize(
    out: Path,
    cutouts: Sequence[Cutout],
    backgrounds: Backgrounds,
    settings: SynthesisSettings,
    count: int,
    problems: Problems,
    *,
    lossless: bool = False,
    progress: Progress = lambda done, all_of_them: None,
) -> Made:
    """Compose `count` pictures into a folder.

    Picture i depends on the inputs, the settings and i alone, so the same call gives the same bytes, and one
    that was killed goes on. lossless: PNG instead of JPEG of quality 92.
    Raises InputError for a count below 1, no cut-out, or a folder that holds something else.
    """
    if count < 1:
        raise InputError(f"count is {count}; give how many pictures to make, at least 1")
    if not cutouts:
        raise InputError("there is no object to paste; give data with masks, or a folder of cut-outs")
    prepare(out, plan_of(cutouts, backgrounds, settings, lossless))
    for number in range(count):
        progress(number, count)
        if not (out / RECORDS / f"{number:06d}.json").is_file():
            make_one(out, number, cutouts, backgrounds, settings, problems, lossless=lossless)
    progress(count, count)
    images = [read_one(out, number) for number in range(count)]
    usable = [image for image in images if image.records]
    write_images(out / ANNOTATIONS, usable, "coco")
    return Made(len(usable), sum(len(image.records) for image in usable), count - len(usable))


def plan_of(
    cutouts: Sequence[Cutout], backgrounds: Backgrounds, settings: SynthesisSettings, lossless: bool
) -> dict[str, Any]:
    """What the pictures depend on."""
    digest = hashlib.sha256()
    for one in cutouts:
        digest.update(one.origin.encode() + one.pixels.tobytes() + np.packbits(one.mask).tobytes())
    return {
        "anymask": __version__,
        "settings": json.loads(json.dumps(settings.to_dict())),
        "cutouts": len(cutouts),
        "cutouts_sha256": digest.hexdigest(),
        "backgrounds": len(backgrounds),
        "lossless": lossless,
    }


def prepare(out: Path, plan: dict[str, Any]) -> None:
    """Make the folder, or check that it is of the same plan. Raises InputError, OutputError."""
    path = out / PLAN
    try:
        if path.is_file():
            if json.loads(path.read_text(encoding="utf-8")) != plan:
                raise InputError(f"'{out}' was made with other settings or data; give another folder")
            return
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InputError(f"'{out}' holds something else; give a new folder")
        for part in (IMAGES, RECORDS):
            (out / part).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise OutputError(f"cannot write '{out}': {error}; choose another place") from error
    write_atomically(path, json.dumps(plan, indent=1).encode())


def make_one(
    out: Path,
    number: int,
    cutouts: Sequence[Cutout],
    backgrounds: Backgrounds,
    settings: SynthesisSettings,
    problems: Problems,
    *,
    lossless: bool,
) -> None:
    """One picture and its masks; the masks last, so that what has masks is complete."""
    rng = np.random.default_rng((settings.seed, number))
    background = readable(backgrounds, rng, problems)
    found = compose(background.pixels, cutouts, settings, rng, own=background.own, region=background.region)
    name = f"{number:06d}{'.png' if lossless else '.jpg'}"
    write_atomically(out / IMAGES / name, encoded(found.pixels, lossless=lossless))
    about = {"file_name": name, "background": background.name, "records": records_of(found, background.name)}
    write_atomically(out / RECORDS / f"{number:06d}.json", json.dumps(about).encode())


def readable(backgrounds: Backgrounds, rng: np.random.Generator, problems: Problems) -> Background:
    """A background that can be read, drawn at random. Raises InputError if none can."""
    for number in rng.permutation(len(backgrounds)):
        found = backgrounds.take(int(number), problems)
        if found is not None:
            return found
    raise InputError("none of the backgrounds can be read; the lines before say why")


def records_of(found: Composed, background: str) -> list[dict[str, Any]]:
    """The objects as mask records in JSON."""
    return [record_of(one, number, background).to_json() for number, one in enumerate(found.objects, 1)]


def record_of(one: Placed, number: int, background: str) -> MaskRecord:
    """One object; its attributes say what share of it is visible, its provenance where it is from."""
    return MaskRecord.of_mask(
        one.mask,
        id=number,
        label=one.label,
        attributes={"visible": round(one.visible, 4)},
        provenance={"made_by": "anymask synthesize", "from": one.origin, "onto": background},
    )


def read_one(out: Path, number: int) -> Contents:
    """A picture's masks as they were written."""
    about = json.loads((out / RECORDS / f"{number:06d}.json").read_text(encoding="utf-8"))
    picture = load_image(out / IMAGES / about["file_name"])
    records = tuple(MaskRecord.from_json(record) for record in about["records"])
    return Contents(records, picture.image_hw, f"{IMAGES}/{about['file_name']}", picture.sha256)


def encoded(pixels: UInt8Array, *, lossless: bool) -> bytes:
    """An image file's bytes."""
    from PIL import Image

    out = io.BytesIO()
    if lossless:
        Image.fromarray(pixels).save(out, "PNG")
    else:
        Image.fromarray(pixels).save(out, "JPEG", quality=92, subsampling=0)
    return out.getvalue()
