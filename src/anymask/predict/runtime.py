"""The seam between anymask and whatever runs the networks.

A runtime embeds a picture once and decodes any number of prompts on its features. Everything above this file
sees NumPy arrays only; `backends.make_runtime` chooses OpenVINO, ONNX Runtime or torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from anymask.core.errors import PromptError

if TYPE_CHECKING:
    from anymask.core.images import Picture
    from anymask.models.spec import ModelSpec

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

NOT_A_POINT = -1
EXCLUDE = 0
INCLUDE = 1
BOX_CORNERS = (2, 3)
LABELS = (NOT_A_POINT, EXCLUDE, INCLUDE, *BOX_CORNERS)

ALL_TOKENS = slice(0, 4)
"""Token 0 answers an unambiguous prompt; tokens 1 to 3 are the candidates of an ambiguous one."""


@dataclass(frozen=True, eq=False)
class PromptBatch:
    """B prompts of one image, all with N tokens; coordinates in pixels of the input frame.

    points_xy: (B, N, 2) float32; the prompt's points, then (0, 0) with label -1 where it has no box, then the
        boxes' corners. N is 0 for a prompt that is only a mask.
    labels: (B, N) int32; 1 include, 0 exclude, 2 / 3 upper left / lower right box corner, -1 not a point.
    mask_logits: (B, 1, h, w) float32 or None; the previous low-resolution logits, of all prompts or of none.

    Raises PromptError when shapes, labels or values do not fit.
    """

    points_xy: Float32
    labels: Int32
    mask_logits: Float32 | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_xy", _read_only(self.points_xy, np.float32))
        object.__setattr__(self, "labels", _read_only(self.labels, np.int32))
        self._check_points()
        if self.mask_logits is not None:
            object.__setattr__(self, "mask_logits", _read_only(self.mask_logits, np.float32))
            self._check_mask_logits(self.mask_logits)

    def __len__(self) -> int:
        return int(self.points_xy.shape[0])

    def __getitem__(self, part: slice) -> PromptBatch:
        """Some of the prompts, in order."""
        masks = None if self.mask_logits is None else self.mask_logits[part]
        return PromptBatch(self.points_xy[part], self.labels[part], masks)

    def _check_points(self) -> None:
        points, labels = self.points_xy, self.labels
        if points.ndim != 3 or points.shape[2] != 2 or points.shape[0] == 0:
            raise PromptError(f"points_xy has shape {points.shape}; give (B, N, 2) with at least one prompt.")
        if labels.shape != points.shape[:2]:
            raise PromptError(f"labels has shape {labels.shape}; give {points.shape[:2]}, one per point.")
        if not np.isfinite(points).all():
            raise PromptError("points_xy holds NaN or infinity; give finite coordinates.")
        if not np.isin(labels, LABELS).all():
            unknown = sorted(set(labels.ravel().tolist()) - set(LABELS))
            raise PromptError(f"labels holds {unknown}; give {LABELS}.")

    def _check_mask_logits(self, mask_logits: Float32) -> None:
        if mask_logits.ndim != 4 or mask_logits.shape[:2] != (len(self), 1):
            raise PromptError(f"mask_logits has shape {mask_logits.shape}; give ({len(self)}, 1, h, w).")
        if not np.isfinite(mask_logits).all():
            raise PromptError("mask_logits holds NaN or infinity; give finite logits.")


@dataclass(frozen=True, eq=False)
class LowResMasks:
    """What a decoder says about B prompts, for the T mask tokens asked for.

    logits: (K, T, h, w) float32, of the K prompts that were wanted; a pixel is in the mask if its logit > 0.
    scores: (B, T) float32, the IoU that the model predicts for every mask of every prompt.
    index: (K,) int64, rising; `logits[k]` belongs to prompt `index[k]`.
    """

    logits: Float32
    scores: Float32
    index: Int64

    def __post_init__(self) -> None:
        object.__setattr__(self, "logits", _read_only(self.logits, np.float32))
        object.__setattr__(self, "scores", _read_only(self.scores, np.float32))
        object.__setattr__(self, "index", _read_only(self.index, np.int64))
        if self.scores.ndim != 2 or self.logits.ndim != 4 or self.index.ndim != 1:
            raise ValueError(
                f"logits {self.logits.shape}, scores {self.scores.shape} and index {self.index.shape} "
                "must be (K, T, h, w), (B, T) and (K,)."
            )
        if self.logits.shape[:2] != (len(self.index), self.scores.shape[1]):
            raise ValueError(
                f"logits {self.logits.shape} must begin with {(len(self.index), self.scores.shape[1])}, "
                "the prompts in index and the tokens in scores."
            )


class Runtime(Protocol):
    """Runs one model. Safe to call from several threads."""

    @property
    def spec(self) -> ModelSpec: ...

    def encode(self, picture: Picture) -> dict[str, np.ndarray]:
        """Embed a picture: features by name, read-only float32 arrays that every backend understands."""
        ...

    def decode(
        self,
        features: Mapping[str, np.ndarray],
        prompts: PromptBatch,
        *,
        tokens: slice = ALL_TOKENS,
        min_score: float | None = None,
    ) -> LowResMasks:
        """Answer prompts on an embedded picture.

        tokens: which of the four mask tokens to answer with.
        min_score: prompts none of whose asked-for tokens reaches this predicted IoU are not upscaled; they
            are missing from `logits` and `index`, their scores are still there.
        """
        ...


def _read_only(array: npt.ArrayLike, dtype: npt.DTypeLike) -> np.ndarray:
    """A contiguous array of `dtype` that cannot be written; a view where the caller's array already fits."""
    view = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view
