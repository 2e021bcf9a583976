"""The sizes of a CLIP network, and what its weights do not show: heads, activation, pixel statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from anymask.core.errors import FormatError, ModelError

ACTIVATIONS: Final = ("quick_gelu", "gelu")
CLIP_MEAN: Final = (122.7709383, 116.7460125, 104.0937410)
"""Pixel mean of OpenAI's models, 0 to 255 (0.48145466, 0.4578275, 0.40821073 of 1)."""
CLIP_STD: Final = (68.5005327, 66.6321579, 70.3231630)
"""Pixel standard deviation of OpenAI's models, 0 to 255 (0.26862954, 0.26130258, 0.27577711 of 1)."""

Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Tower:
    """A transformer: width of its tokens, number of blocks, attention heads, width of its perceptrons."""

    width: int
    layers: int
    heads: int
    mlp_width: int
    eps: float = 1e-5

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "mlp_width"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise FormatError(f"CLIP's {name} is {value!r}; expected a whole number from 1")
        if self.width % self.heads:
            raise FormatError(f"CLIP's width {self.width} is no multiple of its {self.heads} heads")


@dataclass(frozen=True)
class ClipConfig:
    """Everything that fixes a CLIP network with a vision transformer but its weights.

    embed_dim: length of both embeddings. image_size, patch_size: pixels. context: most tokens of a text,
    with the two that begin and end it. vocabulary: number of tokens known.
    activation: "quick_gelu" (x * sigmoid(1.702 x), OpenAI's models) or "gelu".
    pixel_mean, pixel_std: red, green, blue, 0 to 255. Raises FormatError with the field's name.
    """

    embed_dim: int
    image_size: int
    patch_size: int
    image: Tower
    text: Tower
    context: int
    vocabulary: int
    activation: str
    pixel_mean: tuple[float, float, float] = CLIP_MEAN
    pixel_std: tuple[float, float, float] = CLIP_STD

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise FormatError(
                f"CLIP's activation is {self.activation!r}; known are {' and '.join(ACTIVATIONS)}"
            )
        if self.patch_size < 1 or self.image_size % self.patch_size:
            raise FormatError(
                f"CLIP's image size {self.image_size} is no multiple of its patch size {self.patch_size}"
            )

    @property
    def grid(self) -> int:
        """Patches along a side of the image."""
        return self.image_size // self.patch_size

    def to_json(self) -> dict[str, Any]:
        """The JSON object that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ClipConfig:
        """Read `to_json`'s object. Raises FormatError for anything else."""
        try:
            towers = {name: Tower(**value[name]) for name in ("image", "text")}
            triples = {name: tuple(value[name]) for name in ("pixel_mean", "pixel_std")}
            return cls(**{**value, **towers, **triples})
        except (KeyError, TypeError) as error:
            raise FormatError(f"not the description of a CLIP network ({error})") from error


@dataclass(frozen=True)
class Hints:
    """What the weights do not tell. None: as in OpenAI's models (64 numbers per head).

    activation: must be known; the wrong one gives wrong answers without any error.
    """

    activation: str
    image_heads: int | None = None
    text_heads: int | None = None
    image_eps: float = 1e-5
    text_eps: float = 1e-5
    pixel_mean: tuple[float, float, float] = CLIP_MEAN
    pixel_std: tuple[float, float, float] = CLIP_STD


OPENAI: Final = Hints("quick_gelu")
"""OpenAI's published files: QuickGELU, heads of 64 numbers."""


def hints_of_hugging_face(config: Mapping[str, Any]) -> Hints:
    """From transformers' `config.json`; what is left out there has transformers' defaults.

    Raises ModelError for another model's, or towers with different activations.
    """
    if config.get("model_type") != "clip":
        raise ModelError(f"config.json describes a {config.get('model_type')!r}, no clip.")
    image, text = (config.get(f"{name}_config") or {} for name in ("vision", "text"))
    activations = {part.get("hidden_act", "quick_gelu") for part in (image, text)}
    if len(activations) != 1:
        raise ModelError(f"the two towers have different activations: {', '.join(sorted(activations))}.")
    return Hints(
        activation=activations.pop(),
        image_heads=image.get("num_attention_heads", 12),
        text_heads=text.get("num_attention_heads", 8),
        image_eps=image.get("layer_norm_eps", 1e-5),
        text_eps=text.get("layer_norm_eps", 1e-5),
    )


def hints_of_open_clip(config: Mapping[str, Any], width: int) -> Hints:
    """From open_clip's `open_clip_config.json` (or one of its model configs). width: of the image tower.

    Raises ModelError for networks other than CLIP with a vision transformer.
    """
    model = config.get("model_cfg", config)
    image, text = model.get("vision_cfg", {}), model.get("text_cfg", {})
    if "timm_model_name" in image or "hf_model_name" in text or not isinstance(image.get("layers"), int):
        raise ModelError("its towers are not CLIP's transformers; of open_clip's models only those are read.")
    preprocess = config.get("preprocess_cfg", {})
    return Hints(
        activation="quick_gelu" if model.get("quick_gelu", False) else "gelu",
        image_heads=width // image.get("head_width", 64),
        text_heads=text.get("heads", 8),
        pixel_mean=_of_255(preprocess.get("mean"), CLIP_MEAN),
        pixel_std=_of_255(preprocess.get("std"), CLIP_STD),
    )


def _of_255(given: Any, otherwise: tuple[float, float, float]) -> tuple[float, float, float]:
    if given is None:
        return otherwise
    red, green, blue = (255.0 * float(value) for value in given)
    return red, green, blue


def clip_config(shapes: Shapes, hints: Hints) -> ClipConfig:
    """The network of tensors under canonical names (see `keys`) and these shapes. Raises FormatError."""
    image_width, _, patch_size, _ = shapes["visual.conv1.weight"]
    cells = shapes["visual.positional_embedding"][0] - 1
    grid = round(cells**0.5)
    if grid * grid != cells:
        raise FormatError(
            f"CLIP's image has {cells} patches, no square; expected as many in height as in width"
        )
    context, text_width = shapes["positional_embedding"]
    return ClipConfig(
        embed_dim=shapes["visual.proj"][1],
        image_size=grid * patch_size,
        patch_size=patch_size,
        image=_tower(shapes, "visual.transformer", image_width, hints.image_heads, hints.image_eps),
        text=_tower(shapes, "transformer", text_width, hints.text_heads, hints.text_eps),
        context=context,
        vocabulary=shapes["token_embedding.weight"][0],
        activation=hints.activation,
        pixel_mean=hints.pixel_mean,
        pixel_std=hints.pixel_std,
    )


def _tower(shapes: Shapes, prefix: str, width: int, heads: int | None, eps: float) -> Tower:
    layers = sum(f"{prefix}.resblocks.{i}.ln_1.weight" in shapes for i in range(len(shapes)))
    mlp_width = shapes[f"{prefix}.resblocks.0.mlp.c_fc.weight"][0]
    return Tower(width, layers, heads or width // 64, mlp_width, eps)
