"""What a network is shown: views embedded once while the encoder is frozen, or new ones each step."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anymask.core.errors import InputError, OutputError
from anymask.core.files import write_atomically
from anymask.finetune.data import Progress
from anymask.finetune.networks import Features, Network
from anymask.train.config import TrainConfig
from anymask.train.measure import letterbox
from anymask.train.shards import ShardCache
from anymask.train.views import View, choose_masks, make_view, source_weights, usable

MOST_MASKS = 16  # kept of one view; a step draws from them
CHECKED_MASKS = 8  # of a picture that validates


@dataclass(frozen=True, eq=False)
class Shown:
    """One picture in a step: features of it alone, and masks (N, 1, S/4, S/4) float32 in 0..1."""

    features: Features
    masks: Tensor


class Views(Protocol):
    """Where a step's pictures come from."""

    def draw(self, count: int, rng: np.random.Generator) -> Iterator[Shown]:
        """Views of `count` pictures, drawn with their chances, each made when it is asked for."""
        ...


def plain_view(cache: ShardCache, row: int, size: int) -> View | None:
    """The whole picture with its first masks; None if none of them shows at this size."""
    sample = cache.samples[row]
    pixels, masks = letterbox(cache, row, size, MOST_MASKS)
    scale = size / max(sample.height, sample.width)
    filled = (round(sample.height * scale), round(sample.width * scale))
    kept = [mask for mask in masks if usable(mask, filled)]
    return View(pixels, np.stack(kept), filled) if kept else None


def seen_rows(cache: ShardCache, rows: Sequence[int], size: int) -> list[int]:
    """Those of the rows whose plain view shows a mask: no view of the others would be worth a step."""
    return [row for row in rows if plain_view(cache, row, size) is not None]


class Chances:
    """How likely each of some rows is: a source by the square root of its size, then one of its pictures."""

    def __init__(self, cache: ShardCache, rows: Sequence[int]) -> None:
        weights = source_weights(cache)[list(rows)]
        self.rows, self.weights = list(rows), weights / weights.sum()

    def draw(self, count: int, rng: np.random.Generator) -> list[int]:
        return [int(row) for row in rng.choice(self.rows, count, p=self.weights)]


class LiveViews:
    """New views each time, encoded by the encoder as it is, with gradients."""

    def __init__(self, network: Network, cache: ShardCache, rows: Sequence[int], config: TrainConfig) -> None:
        self.network, self.cache, self.config = network, cache, config
        self.chances = Chances(cache, rows)

    def draw(self, count: int, rng: np.random.Generator) -> Iterator[Shown]:
        return (self._show(row, rng) for row in self.chances.draw(count, rng))

    def _show(self, row: int, rng: np.random.Generator) -> Shown:
        view = random_view(self.cache, row, rng, self.config)
        features = self.network.encode(view.pixels[None], [view.filled])
        return Shown(features, as_masks(view.masks, self.network.device))


def random_view(cache: ShardCache, row: int, rng: np.random.Generator, config: TrainConfig) -> View:
    """A random view of a picture; the plain one where chance leaves no mask in it."""
    for _ in range(3):
        view = make_view(cache, row, rng, config)
        if view is not None:
            return view
    plain = plain_view(cache, row, config.image_size)
    assert plain is not None, "seen_rows left such pictures out"
    return replace(plain, masks=plain.masks[: config.masks])


class KeptViews:
    """A fixed number of views of each picture, embedded once and kept on disk."""

    def __init__(
        self,
        network: Network,
        cache: ShardCache,
        rows: Sequence[int],
        config: TrainConfig,
        folder: Path,
        count: int,
        progress: Progress,
    ) -> None:
        """Embed what is not there yet. folder: of this network's, these pictures' views alone.

        Raises OutputError for a full disk.
        """
        self.network, self.folder, self.count, self.masks = network, folder, count, config.masks
        self.chances = Chances(cache, rows)
        make_folder(folder)
        wide = replace(config, masks=MOST_MASKS)
        wanted = [(row, number) for row in rows for number in range(count)]
        for done, (row, number) in enumerate(wanted, 1):
            progress("embedding views", done, len(wanted))
            path = self._path(row, number)
            if not path.is_file():
                view = kept_view(cache, row, number, wide)
                with torch.no_grad():
                    features = network.encode(view.pixels[None], [view.filled])
                write_atomically(path, packed(features, view.masks))

    def draw(self, count: int, rng: np.random.Generator) -> Iterator[Shown]:
        chosen = [(row, int(rng.integers(self.count))) for row in self.chances.draw(count, rng)]
        return (self._show(self._path(row, number), rng) for row, number in chosen)

    def _show(self, path: Path, rng: np.random.Generator) -> Shown:
        features, masks = unpacked(path.read_bytes())
        areas = np.array([float((mask > 0.5).sum()) * 16 for mask in masks], np.float32)
        rows = choose_masks(areas, self.masks, rng)
        device = self.network.device
        return Shown(tuple(f.to(device) for f in features), as_masks(masks[rows], device))

    def _path(self, row: int, number: int) -> Path:
        return self.folder / f"{row:06d}-{number}.npz"


def kept_view(cache: ShardCache, row: int, number: int, config: TrainConfig) -> View:
    """View `number` of a picture: the first is the plain one, the others are random."""
    if number == 0:
        plain = plain_view(cache, row, config.image_size)
        assert plain is not None, "seen_rows left such pictures out"
        return plain
    return random_view(cache, row, np.random.default_rng((config.seed, 7, row, number)), config)


def packed(features: Features, masks: NDArray[np.float32]) -> bytes:
    """An .npz: features as float16, masks as bytes of 0 to 255."""
    out = io.BytesIO()
    levels = {f"level{i}": level.half().cpu().numpy() for i, level in enumerate(features)}
    np.savez(out, masks=np.round(masks * 255).astype(np.uint8), **levels)  # type: ignore[arg-type]
    return out.getvalue()


def unpacked(data: bytes) -> tuple[Features, NDArray[np.float32]]:
    """The inverse of `packed`, float32."""
    with np.load(io.BytesIO(data)) as stored:
        names = sorted(name for name in stored if name.startswith("level"))
        features = tuple(torch.from_numpy(stored[name].astype(np.float32)) for name in names)
        return features, stored["masks"].astype(np.float32) / np.float32(255)


class Checked(NamedTuple):
    """A picture that validates: its plain view's features, masks (N, S/4, S/4) float32."""

    features: Features
    masks: NDArray[np.float32]


class Checks:
    """The plain views of the pictures that validate; embedded once if the encoder is frozen."""

    def __init__(self, network: Network, cache: ShardCache, rows: Sequence[int], *, keep: bool) -> None:
        self.network, self.cache, self.rows, self.keep = network, cache, list(rows), keep
        self._kept: list[Checked] = []

    def __iter__(self) -> Iterator[Checked]:
        if self._kept:
            yield from self._kept
            return
        for row in self.rows:
            view = plain_view(self.cache, row, self.network.spec.input_size)
            assert view is not None, "seen_rows left such pictures out"
            with torch.no_grad():
                features = self.network.encode(view.pixels[None], [view.filled])
            found = Checked(features, view.masks[:CHECKED_MASKS])
            if self.keep:
                self._kept.append(found)
            yield found


def as_masks(masks: NDArray[np.float32], device: torch.device) -> Tensor:
    """(N, h, w) -> (N, 1, h, w) on a device."""
    return torch.from_numpy(np.ascontiguousarray(masks))[:, None].to(device)


def make_folder(folder: Path) -> None:
    """Raises OutputError if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create '{folder}': {error.strerror or error}; choose another place or free some space"
        ) from error


def require_rows(rows: Sequence[int], what: str, name: str) -> None:
    """Raise InputError if no picture is left to train on or to validate."""
    if not rows:
        raise InputError(
            f"{name}: no picture is left to {what}: their masks are a few pixels of the network's input, or "
            "nearly all of the picture; give others"
        )
