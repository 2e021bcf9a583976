"""Code written for the published package finds every name, argument and default where it expects them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import anymask.compat
import anymask.compat.utils.amg as amg
from tests.test_imports import loaded_after

CLASSES = {
    "predictor.SamPredictor": (
        "set_image", "set_torch_image", "predict", "predict_torch", "get_image_embedding", "reset_image",
    ),
    "automatic_mask_generator.SamAutomaticMaskGenerator": ("__init__", "generate"),
    "utils.transforms.ResizeLongestSide": (
        "__init__", "apply_image", "apply_coords", "apply_boxes", "apply_image_torch", "apply_coords_torch",
        "apply_boxes_torch", "get_preprocess_shape",
    ),
}  # fmt: skip
AMG = (
    "is_box_near_crop_edge", "box_xyxy_to_xywh", "batch_iterator", "mask_to_rle_pytorch", "rle_to_mask",
    "area_from_rle", "calculate_stability_score", "build_point_grid", "build_all_layer_point_grids",
    "generate_crop_boxes", "uncrop_boxes_xyxy", "uncrop_points", "uncrop_masks", "remove_small_regions",
    "coco_encode_rle", "batched_mask_to_box",
)  # fmt: skip


def arguments(function: Callable[..., Any]) -> list[tuple[str, object]]:
    """Name and default of everything that can be given by position."""
    return [
        (parameter.name, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is not parameter.KEYWORD_ONLY
    ]


def lookup(package: ModuleType, name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(f"{package.__name__}.{module}"), attribute)


@pytest.mark.parametrize(("name", "methods"), CLASSES.items(), ids=CLASSES)
def test_methods_take_the_same_arguments(
    name: str, methods: tuple[str, ...], segment_anything: ModuleType
) -> None:
    ours, theirs = lookup(anymask.compat, name), lookup(segment_anything, name)
    for method in methods:
        mine, published = getattr(ours, method), getattr(theirs, method)
        assert arguments(mine) == arguments(published), method
    public = {n for n, _ in inspect.getmembers(theirs, callable) if not n.startswith("_")}
    # postprocess_small_regions works on a structure of the published generator's own.
    assert public - {"postprocess_small_regions"} <= set(methods)


@pytest.mark.parametrize("name", AMG)
def test_helpers_take_the_same_arguments(name: str, segment_anything: ModuleType) -> None:
    theirs = getattr(segment_anything.utils.amg, name)
    assert arguments(getattr(amg, name)) == arguments(theirs)


def test_no_helper_is_missing(segment_anything: ModuleType) -> None:
    published = segment_anything.utils.amg
    functions = inspect.getmembers(published, inspect.isfunction)
    assert {name for name, f in functions if f.__module__ == published.__name__} == set(AMG)


def test_the_package_has_the_same_names(segment_anything: ModuleType) -> None:
    names = {name for name in vars(segment_anything) if name.startswith(("Sam", "sam_", "build_sam"))}
    assert names <= set(anymask.compat.__all__)
    assert segment_anything.sam_model_registry.keys() <= anymask.compat.sam_model_registry.keys()
    for name, build in segment_anything.sam_model_registry.items():
        assert arguments(anymask.compat.sam_model_registry[name]) == arguments(build)


def test_importing_loads_no_torch() -> None:
    assert not loaded_after("import anymask.compat") & {"torch", "openvino", "onnxruntime"}
