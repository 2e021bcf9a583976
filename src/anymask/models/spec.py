"""What a model is: its network, its input geometry, its licence, and where its checkpoint comes from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from anymask.core.errors import FormatError

ARCHITECTURES: Final = ("sam_vit_b", "sam_vit_l", "sam_vit_h", "sam_tiny_vit", "lite", "clip")
PROMPTS: Final = ("point", "box", "mask")
TEXT: Final = "text"
"""The prompt of models that know words; they find no masks themselves."""
SAM_PIXEL_MEAN: Final = (123.675, 116.28, 103.53)
SAM_PIXEL_STD: Final = (58.395, 57.12, 57.375)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def field_error(name: str, given: object, expected: str) -> FormatError:
    """The one sentence for a field that cannot be used; it starts with the field's name."""
    shown = repr(given)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return FormatError(f"Model field {name!r} is {shown}; expected {expected}.")


def check_sha256(name: str, value: object) -> None:
    """Raise FormatError unless `value` is 64 lower-case hexadecimal digits."""
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise field_error(name, value, "64 lower-case hexadecimal digits")


def check_count(name: str, value: object) -> None:
    """Raise FormatError unless `value` is a positive whole number."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise field_error(name, value, "a positive whole number")


def check_name(name: str, value: object) -> None:
    """Raise FormatError unless `value` can name a model (and its folder on any file system)."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise field_error(name, value, "1 to 64 letters, digits, '.', '_' or '-', the first no sign")


def _check_triple(name: str, value: Any, *, positive: bool = False) -> None:
    numbers = isinstance(value, tuple) and len(value) == 3 and all(_is_finite(x) for x in value)
    if not numbers or (positive and min(value) <= 0):
        kind = "finite positive" if positive else "finite"
        raise field_error(name, value, f"three {kind} numbers (red, green, blue)")


def _check_words(name: str, value: Any) -> None:
    words = isinstance(value, tuple) and len(value) > 0 and all(isinstance(w, str) and w for w in value)
    if not words or len(set(value)) != len(value):
        raise field_error(name, value, "a list of different words, at least one")


def _check_thresholds(value: object) -> None:
    presets = value.values() if isinstance(value, Mapping) else [None]
    if not all(isinstance(one, Mapping) and all(map(_is_finite, one.values())) for one in presets):
        raise field_error("automatic", value, "an object of presets, each an object of finite numbers")


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class Download:
    """One file on the web, known byte for byte.

    url: http or https address. bytes: its length. sha256: 64 lower-case hexadecimal digits.
    Raises FormatError with the field's name.
    """

    url: str
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        if not isinstance(self.url, str) or not self.url.startswith(("http://", "https://")):
            raise field_error("url", self.url, "an address that starts with https:// or http://")
        check_count("bytes", self.bytes)
        check_sha256("sha256", self.sha256)

    @property
    def file_name(self) -> str:
        """Last part of the address, without query."""
        return self.url.split("?", 1)[0].split("#", 1)[0].rstrip("/").rsplit("/", 1)[-1]


@dataclass(frozen=True)
class ModelSpec:
    """Everything a runtime, a menu or a downloader must know about a model, without its weights.

    architecture: one of `ARCHITECTURES`; config: what the architecture leaves open (JSON values).
    input_size: side of the square the network sees, in pixels; mask_size: side of its low-resolution logits
        (of a CLIP: of its grid of patches).
    pixel_mean, pixel_std, pad_value: (red, green, blue) in pixel units, 0 to 255. The network gets
        (pixel - mean) / std; where the picture does not fill the square it gets `pad_value` treated alike
        (for SAM pad_value equals pixel_mean, that is, zero after normalisation).
    features: names of the encoder's outputs, in order. prompts: kinds of prompt the model answers.
    automatic: thresholds of everything mode that suit this network, by preset ("default": without one) and
        setting; presets state those of Segment Anything's networks.
    local_corrections: whether a session's clicks change a mask only near themselves (`predict.corrections`).
    download: the checkpoint it is made from, where that is public.
    Raises FormatError with the field's name.
    """

    name: str
    architecture: str
    input_size: int = 1024
    mask_size: int = 256
    pixel_mean: tuple[float, float, float] = SAM_PIXEL_MEAN
    pixel_std: tuple[float, float, float] = SAM_PIXEL_STD
    pad_value: tuple[float, float, float] = SAM_PIXEL_MEAN
    features: tuple[str, ...] = ("image_embedding",)
    version: str = "1.0"
    prompts: tuple[str, ...] = PROMPTS
    licence: str = "unknown"
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    automatic: Mapping[str, Mapping[str, float]] = field(default_factory=dict, hash=False)
    local_corrections: bool = False
    download: Download | None = None

    def __post_init__(self) -> None:
        check_name("name", self.name)
        if not isinstance(self.version, str) or not _VERSION.fullmatch(self.version):
            raise field_error("version", self.version, "something like '0.1.0'")
        if self.architecture not in ARCHITECTURES:
            raise field_error("architecture", self.architecture, f"one of {', '.join(ARCHITECTURES)}")
        check_count("input_size", self.input_size)
        check_count("mask_size", self.mask_size)
        _check_triple("pixel_mean", self.pixel_mean)
        _check_triple("pixel_std", self.pixel_std, positive=True)
        _check_triple("pad_value", self.pad_value)
        _check_words("features", self.features)
        _check_words("prompts", self.prompts)
        if not set(self.prompts) <= {*PROMPTS, TEXT}:
            raise field_error("prompts", self.prompts, f"some of {', '.join((*PROMPTS, TEXT))}")
        if not isinstance(self.licence, str) or not self.licence:
            raise field_error("licence", self.licence, "an SPDX licence name, or 'unknown'")
        if not isinstance(self.config, Mapping):
            raise field_error("config", self.config, "an object")
        _check_thresholds(self.automatic)
        if not isinstance(self.local_corrections, bool):
            raise field_error("local_corrections", self.local_corrections, "true or false")

    @property
    def full_name(self) -> str:
        """`name@version`: what names this very model anywhere."""
        return f"{self.name}@{self.version}"
