"""Which files a run of `anymask everything` writes, and their contents."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from anymask.automatic import AutomaticState, partition, with_parents
from anymask.cli.mask_files import format_of_file, losses_in_words, require_file_format, suffix_of
from anymask.cli.outputs import STDIN, STDOUT, Target, check_distinct, expand_images, make_folder, plan
from anymask.cli.picture_files import encode_picture, require_picture_format
from anymask.cli.terminal import one_line, say
from anymask.core.errors import ImageError, InputError
from anymask.core.files import write_atomically
from anymask.core.images import Picture, load_image
from anymask.core.record import MaskRecord
from anymask.formats import encode, format_of
from anymask.formats.contents import contents_of
from anymask.formats.json import to_json

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif")
STATE_ENDING = ".safetensors"


@dataclass(frozen=True)
class Results:
    """The files of a run.

    images: sources in order. masks, overlays, label_maps, states: one file per image each, or None.
    format: of the masks, None where each file's ending says it. to_stdout: the masks of the one image go
    there.
    is_job: several images or a folder, which can be taken up again. tree, gaps: as the options say.
    hint: what to say where there is no mask.
    """

    images: tuple[str, ...]
    masks: Target | None
    overlays: Target | None
    label_maps: Target | None
    states: Target | None
    format: str | None
    to_stdout: bool
    as_json: bool
    quiet: bool
    is_job: bool
    tree: bool
    gaps: Literal["leave", "fill"]
    hint: str = "try lower --pred-iou-thresh and --stability-score-thresh"

    @classmethod
    def plan(
        cls,
        given: Sequence[str],
        *,
        output: str | None,
        format: str | None,
        overlay: str | None,
        label_map: str | None,
        save_state: str | None,
        as_json: bool,
        quiet: bool,
        tree: bool,
        gaps: Literal["leave", "fill"],
        kind: str = "masks",
        hint: str = hint,
    ) -> Results:
        """Decide every file before any work.

        kind: of the results, for the file's name where none is given. Raises InputError for what cannot be
        meant.
        """
        if not given:
            raise InputError("no image is given; give files or a folder, or --refilter STATE")
        if format is not None:
            require_file_format(format)
        folders = [name for name in given if name != STDIN and Path(name).is_dir()]
        images = expand_images([image for name in given for image in _images_in(name)])
        is_job = len(images) > 1 or bool(folders)
        suffix = suffix_of(format or "json")
        to_stdout = output == STDOUT
        if to_stdout and (is_job or as_json):
            raise InputError("-o - (stdout) takes the masks of one image, and not together with --json")
        if output is None and not (overlay or label_map or save_state or as_json):
            output = f"{{name}}-{kind}{suffix}"

        def target(option: str, wanted: str | None, ending: str) -> Target | None:
            if wanted is None:
                return None
            as_folder = bool(folders) and "{name}" not in wanted and not Path(wanted).suffix
            return plan(option, f"{wanted}/" if as_folder else wanted, images, suffix=ending)

        masks = None if to_stdout else target("-o", output, suffix)
        overlays, label_maps = target("--overlay", overlay, ".jpg"), target("--label-map", label_map, ".png")
        states = target("--save-state", save_state, STATE_ENDING)
        check_distinct([one for one in (masks, overlays, label_maps, states) if one is not None])
        for path in masks.paths if masks and format is None else ():
            format_of(path)
        for path in overlays.paths if overlays else ():
            require_picture_format(path)
        _refuse_folders_of_images(folders, masks, overlays, label_maps)
        return cls(
            images=tuple(images),
            masks=masks,
            overlays=overlays,
            label_maps=label_maps,
            states=states,
            format=format or ("json" if to_stdout else None),
            to_stdout=to_stdout,
            as_json=as_json,
            quiet=quiet,
            is_job=is_job,
            tree=tree,
            gaps=gaps,
            hint=hint,
        )

    def paths(self, number: int) -> list[Path]:
        """Every file of one image."""
        targets = (self.masks, self.overlays, self.label_maps, self.states)
        return [target.paths[number] for target in targets if target is not None]

    def give(
        self,
        number: int,
        records: Sequence[MaskRecord],
        *,
        picture: Picture | None,
        state: AutomaticState | None = None,
    ) -> None:
        """Work out every file of one image, write them, and tell what was found.

        picture: may be missing where a state is filtered again. Raises OutputError, FormatError.
        """
        found = with_parents(records) if self.tree else list(records)
        written: dict[str, str] = {}
        for kind, path, data in self._files(number, found, picture):
            make_folder(path.parent)
            write_atomically(path, data)
            written[kind] = str(path)
        if self.states is not None and state is not None:
            make_folder(self.states.paths[number].parent)
            written["state"] = str(state.save(self.states.paths[number]))
        if self.to_stdout:
            assert self.format is not None
            sys.stdout.buffer.write(encode(found, self.format, picture=picture))
            sys.stdout.buffer.flush()
        self._tell(number, found, picture, written)

    def _files(
        self, number: int, records: list[MaskRecord], picture: Picture | None
    ) -> list[tuple[str, Path, bytes]]:
        files: list[tuple[str, Path, bytes]] = []
        if self.masks is not None:
            path = self.masks.paths[number]
            files.append(("masks", path, encode(records, format_of_file(path, self.format), picture=picture)))
        if self.label_maps is not None:
            size = None if picture is None else picture.image_hw
            parts = partition(records, image_hw=size, gaps=self.gaps)
            data = encode(parts.records, "labelmap", picture=picture)
            files.append(("label_map", self.label_maps.paths[number], data))
        if self.overlays is not None:
            from anymask.core.draw_names import overlay_with_names

            if picture is None:
                raise InputError("--overlay draws on the picture; give the image beside --refilter")
            path = self.overlays.paths[number]
            drawn = overlay_with_names(picture.pixels, records)
            files.append(("overlay", path, encode_picture(drawn, path)))
        return files

    def _tell(
        self, number: int, records: list[MaskRecord], picture: Picture | None, written: dict[str, str]
    ) -> None:
        source = self.images[number]
        if self.as_json:
            contents = to_json(contents_of(records, picture, None))
            print(json.dumps({"source": source, "outputs": written, **contents}), flush=True)
        if not self.quiet:
            files = f" -> {', '.join(written.values())}" if written else ""
            hint = "" if records else f" ({self.hint})"
            say(
                one_line(f"{source}: {len(records)} masks{hint}{files}{self._lost(number, records, picture)}")
            )

    def _lost(self, number: int, records: list[MaskRecord], picture: Picture | None) -> str:
        if self.masks is not None:
            format = format_of_file(self.masks.paths[number], self.format)
        elif self.to_stdout:
            format = self.format or "json"
        else:
            return ""
        return losses_in_words(records, format, picture)


def read_picture(image: str) -> Picture:
    """The picture of a source; `-` is stdin. Raises ImageError."""
    if image != STDIN:
        return load_image(image)
    return Picture(load_image(sys.stdin.buffer.read()).pixels, "stdin")


def _images_in(name: str) -> list[str]:
    """The pictures of a folder in order of their names; any other name as it is."""
    if name == STDIN or not Path(name).is_dir():
        return [name]
    files = sorted(path for path in Path(name).iterdir() if path.suffix.lower() in IMAGE_ENDINGS)
    found = [str(path) for path in files if path.is_file() and not path.name.startswith(".")]
    if not found:
        raise ImageError(f"the folder '{name}' holds no picture ({', '.join(IMAGE_ENDINGS)})")
    return found


def _refuse_folders_of_images(folders: Sequence[str], *targets: Target | None) -> None:
    """Pictures written among the images would be taken for images by the next run."""
    places = {Path(folder).resolve() for folder in folders}
    for target in filter(None, targets):
        for path in target.paths:
            if path.suffix.lower() in IMAGE_ENDINGS and path.parent.resolve() in places:
                raise InputError(f"{target.option} writes pictures among the images; give another folder")
