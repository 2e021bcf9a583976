"""ONNX files for other tools and the browser, with the names and meaning of `segment_anything`'s export."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.functional import pad

from anymask.core.errors import ModelError, OutputError
from anymask.core.files import write_atomically
from anymask.modeling.fast_decoder import PromptTokens, Upscale, cells, decode_keys
from anymask.modeling.load import load_sam
from anymask.modeling.sam import Sam
from anymask.models.folder import ModelFolder
from anymask.models.manifest import WEIGHTS
from anymask.models.weights import read_layout
from anymask.release.export import OPSET, Graph, graph_weights, refer_to_weights, to_onnx

LARGEST_FILE: Final = 1_500_000_000
"""Bytes of weights that go inside a file; protobuf ends at 2 GB."""

_OPSETS: Final = range(18, 24)


def export_onnx(folder: ModelFolder | str | Path, out_dir: str | Path, opset: int = OPSET) -> list[Path]:
    """Write `encoder.onnx` and `decoder.onnx` of a Segment Anything model.

    encoder: input_image (1, 3, h, w) float32, RGB 0..255, its long side the model's input size
        -> image_embeddings (1, C, g, g).
    decoder: image_embeddings, point_coords (1, N, 2), point_labels (1, N) float32, mask_input (1, 1, 4g, 4g),
        has_mask_input (1,), orig_im_size (2,) height and width -> masks (1, 4, H, W) logits at that size,
        iou_predictions (1, 4), low_res_masks (1, 4, 4g, 4g). As in `segment_anything.utils.onnx.SamOnnxModel`
        a prompt without box needs a last point of label -1.
    The weights are inside, or, where they are too large for that, in `weights.safetensors` beside the files.

    Returns the paths written. Raises ModelError for another kind of model or an opset outside 18..23,
    MissingExtraError without the torch extra, OutputError if a file cannot be written.
    """
    folder = folder if isinstance(folder, ModelFolder) else ModelFolder.open(folder)
    if not folder.spec.architecture.startswith("sam_"):
        raise ModelError(
            f"{folder.spec.full_name} is no Segment Anything network; its ONNX files are in {folder.path}."
        )
    if opset not in _OPSETS:
        raise ModelError(f"opset is {opset}; give one from {_OPSETS.start} to {_OPSETS.stop - 1}.")
    out = Path(out_dir)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {out}: {error.strerror}.") from error
    sam = load_sam(folder.path)
    inside = folder.weights.stat().st_size <= LARGEST_FILE
    written = [
        write_atomically(out / f"{graph.name}.onnx", _complete(graph, sam, folder, opset, inside))
        for graph in (_encoder_graph(sam), _decoder_graph(sam))
    ]
    return written if inside else [*written, _copy(folder.weights, out / WEIGHTS)]


class _PublishedEncoder(nn.Module):
    """What `SamPredictor.set_torch_image` does: normalise, pad, encode."""

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, sam: Sam) -> None:
        super().__init__()
        self.image_encoder = sam.image_encoder
        self.size = sam.config.input_size
        self.register_buffer("pixel_mean", sam.pixel_mean, persistent=False)
        self.register_buffer("pixel_std", sam.pixel_std, persistent=False)

    def forward(self, input_image: Tensor) -> Tensor:
        normalised = (input_image - self.pixel_mean) / self.pixel_std
        height, width = input_image.shape[-2:]
        pixels = pad(normalised, (0, self.size - width, 0, self.size - height))
        return self.image_encoder(pixels.reshape(1, 3, self.size, self.size))


class _PublishedDecoder(nn.Module):
    """`SamOnnxModel` up to its low-resolution logits."""

    def __init__(self, sam: Sam) -> None:
        super().__init__()
        self.prompt_encoder = sam.prompt_encoder
        self.mask_decoder = sam.mask_decoder
        # Not registered: their parameters would have two names.
        self.stages = (
            PromptTokens(sam.prompt_encoder, sam.mask_decoder),
            Upscale(sam.mask_decoder, sam.prompt_encoder.embedding_hw),
        )

    def forward(
        self,
        image_embeddings: Tensor,
        point_coords: Tensor,
        point_labels: Tensor,
        mask_input: Tensor,
        has_mask_input: Tensor,
    ) -> tuple[Tensor, Tensor]:
        to_tokens, upscale = self.stages
        tokens = to_tokens(point_coords, point_labels)
        no_mask = self.prompt_encoder.no_mask_embed.weight  # (1, C)
        dense = cells(self.prompt_encoder.mask_downscaling(mask_input)) * has_mask_input
        keys = cells(image_embeddings) + dense + no_mask * (1 - has_mask_input)
        position = cells(self.prompt_encoder.image_pe())[0]
        decoded = decode_keys(self.mask_decoder, tokens, keys, position, tokens, first=0)
        return decoded.scores, upscale(decoded.keys, decoded.mask_weights)


def _encoder_graph(sam: Sam) -> Graph:
    size = sam.config.input_size
    image = torch.zeros(1, 3, size // 2, size // 2 + 1)
    dynamic = {"input_image": {2: "height", 3: "width"}}
    return Graph("encoder", _PublishedEncoder(sam), {"input_image": image}, ["image_embeddings"], dynamic)


def _decoder_graph(sam: Sam) -> Graph:
    config = sam.config
    inputs = {
        "image_embeddings": torch.zeros(1, config.prompt_dim, config.grid, config.grid),
        "point_coords": torch.zeros(1, 3, 2),
        "point_labels": torch.zeros(1, 3),
        "mask_input": torch.zeros(1, 1, config.mask_size, config.mask_size),
        "has_mask_input": torch.zeros(1),
    }
    dynamic = {"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}}
    return Graph("decoder", _PublishedDecoder(sam), inputs, ["iou_predictions", "low_res_masks"], dynamic)


def _complete(graph: Graph, sam: Sam, folder: ModelFolder, opset: int, inside: bool) -> bytes:
    """The bytes of a file that runs as it is."""
    model = to_onnx(graph, opset)
    names = [value.name for value in graph_weights(model, graph)]
    if inside:
        _put_inside(model.graph, names, sam)
    else:
        refer_to_weights(model.graph, names, read_layout(folder.weights))
    if graph.name == "decoder":
        _add_masks(model.graph, sam.config.input_size)
    return bytes(model.SerializeToString(deterministic=True))


def _put_inside(graph: onnx.GraphProto, names: list[str], sam: Sam) -> None:
    state = sam.state_dict()
    kept = [value for value in graph.input if value.name not in names]
    del graph.input[:]
    graph.input.extend(kept)
    graph.initializer.extend(numpy_helper.from_array(state[name].numpy(), name) for name in names)


def _add_masks(graph: onnx.GraphProto, input_size: int) -> None:
    """Add orig_im_size and masks: SAM's two bilinear steps, with the padding cut off between them."""
    constants: dict[str, NDArray[Any]] = {
        "square": np.array([1, 4, input_size, input_size], np.int64),
        "leading": np.array([1, 4], np.int64),
        "origin": np.zeros(2, np.int64),
        "axes": np.array([2, 3], np.int64),
        "input_size": np.array(input_size, np.float32),
        "half": np.array(0.5, np.float32),
    }
    graph.initializer.extend(numpy_helper.from_array(v, f"masks.{k}") for k, v in constants.items())
    graph.input.append(helper.make_tensor_value_info("orig_im_size", TensorProto.FLOAT, [2]))
    shape: list[str | int | None] = [1, 4, "height", "width"]
    graph.output.insert(0, helper.make_tensor_value_info("masks", TensorProto.FLOAT, shape))

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        named = [f"masks.{name}" if name and name in constants else name for name in inputs]
        graph.node.append(helper.make_node(kind, named, [output], **attributes))

    bilinear: dict[str, Any] = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    add("ReduceMax", ["orig_im_size"], "masks.longest", keepdims=0)
    add("Div", ["input_size", "masks.longest"], "masks.scale")
    add("Mul", ["orig_im_size", "masks.scale"], "masks.scaled")
    add("Add", ["masks.scaled", "half"], "masks.raised")
    add("Floor", ["masks.raised"], "masks.rounded")
    add("Cast", ["masks.rounded"], "masks.resized_hw", to=TensorProto.INT64)
    add("Cast", ["orig_im_size"], "masks.image_hw", to=TensorProto.INT64)
    add("Concat", ["leading", "masks.image_hw"], "masks.image_shape", axis=0)
    add("Resize", ["low_res_masks", "", "", "square"], "masks.whole", **bilinear)
    add("Slice", ["masks.whole", "origin", "masks.resized_hw", "axes"], "masks.filled")
    add("Resize", ["masks.filled", "", "", "masks.image_shape"], "masks", **bilinear)


def _copy(source: Path, target: Path) -> Path:
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return target
