"""Figures that others published, quoted for scale. None of them is measured here, nor on the same data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Quoted:
    """One model's figures as its source prints them. where: table or section of the source."""

    model: str
    figures: tuple[str, ...]
    where: str
    address: str


@dataclass(frozen=True)
class QuotedTable:
    """Figures of one kind. about: data and conditions of the sources."""

    about: str
    columns: tuple[str, ...]
    rows: tuple[Quoted, ...]


_SAM = "https://arxiv.org/abs/2304.02643"
_SAM2 = "https://arxiv.org/abs/2408.00714"
_EDGE_TAM = "https://arxiv.org/abs/2501.07256"
_EFFICIENT_TAM = "https://arxiv.org/abs/2411.18933"
_EFFICIENT_SAM = "https://arxiv.org/abs/2312.00863"
_FAST_SAM = "https://github.com/CASIA-LMC-Lab/FastSAM"
_EDGE_SAM = "https://github.com/chongzhou96/EdgeSAM"
_MOBILE_SAM = "https://github.com/ChaoningZhang/MobileSAM"

_CLICKS = QuotedTable(
    "Mean IoU in per cent over the 23 data sets of the Segment Anything paper; first click at the place "
    "farthest from the object's border.",
    ("1 click", "5 clicks"),
    (
        Quoted("HQ-SAM, ViT-B", ("53.9", "72.1"), "EfficientTAM, table 3", _EFFICIENT_TAM),
        Quoted("EdgeTAM", ("55.5", "81.7"), "EdgeTAM, table 1", _EDGE_TAM),
        Quoted("SAM, ViT-B", ("55.9", "80.9"), "EfficientTAM, table 3", _EFFICIENT_TAM),
        Quoted("SAM, ViT-H", ("58.1", "81.3"), "SAM 2, table 6", _SAM2),
        Quoted("HQ-SAM, ViT-H", ("59.1", "79.8"), "EfficientTAM, table 3", _EFFICIENT_TAM),
        Quoted("EfficientTAM-S", ("60.7", "83.0"), "EfficientTAM, table 3", _EFFICIENT_TAM),
        Quoted("SAM 2", ("61.4", "83.7"), "SAM 2, table 6", _SAM2),
        Quoted("SAM 2.1", ("61.9", "83.5"), "EdgeTAM, table 1", _EDGE_TAM),
    ),
)

_BOXES = QuotedTable(
    "Mask AP in per cent from boxes of a detector. The sources use different detectors, so that rows of "
    "different sources do not compare.",
    ("COCO", "LVIS v1"),
    (
        Quoted("ViTDet-H (a detector with its own masks)", ("51.0", "46.6"), "SAM, table 5", _SAM),
        Quoted("SAM, ViT-H, boxes of ViTDet-H", ("46.5", "44.7"), "SAM, table 5", _SAM),
        Quoted("SAM, ViT-H, boxes of ViTDet-H", ("46.1", "–"), "EdgeSAM, README", _EDGE_SAM),
        Quoted("EfficientSAM-S", ("44.4", "42.3"), "EfficientSAM", _EFFICIENT_SAM),
        Quoted("EfficientSAM-Ti", ("42.3", "39.9"), "EfficientSAM", _EFFICIENT_SAM),
        Quoted("EdgeSAM, trained on 1 % of SA-1B", ("42.2", "–"), "EdgeSAM, README", _EDGE_SAM),
        Quoted("FastSAM", ("37.9", "–"), "FastSAM, README", _FAST_SAM),
    ),
)

_EDGES = QuotedTable(
    "Edges on BSDS500, test split. SAM and FastSAM were not trained for edges; HED and EDTER were, on this "
    "data.",
    ("ODS", "OIS", "AP", "R50"),
    (
        Quoted("EDTER", (".840", ".858", ".896", ".930"), "SAM, table 3", _SAM),
        Quoted("HED", (".788", ".808", ".840", ".923"), "SAM, table 3", _SAM),
        Quoted("SAM, ViT-H", (".768", ".786", ".794", ".928"), "SAM, table 3", _SAM),
        Quoted("FastSAM", (".750", ".790", ".793", ".903"), "FastSAM, README", _FAST_SAM),
        Quoted("Canny", (".600", ".640", ".580", "–"), "SAM, table 3", _SAM),
    ),
)

_PROPOSALS = QuotedTable(
    "Mask AR@1000 in per cent on LVIS v1; SAM with a grid of 64 x 64 points and NMS at 0.9.",
    ("all", "small", "medium", "large"),
    (
        Quoted("ViTDet-H", ("63.0", "–", "–", "–"), "SAM, table 4", _SAM),
        Quoted("SAM, ViT-H", ("59.3", "45.5", "81.6", "86.9"), "SAM, table 4", _SAM),
        Quoted("SAM, ViT-H, one mask per point", ("54.9", "–", "–", "–"), "SAM, table 4", _SAM),
    ),
)

_SPEED = QuotedTable(
    "Times on graphics processors, as their authors give them.",
    ("one point, ms", "32 x 32 points, ms", "device"),
    (
        Quoted("SAM, ViT-H", ("446", "2099", "RTX 3090"), "FastSAM, README", _FAST_SAM),
        Quoted("SAM, ViT-B", ("110", "1383", "RTX 3090"), "FastSAM, README", _FAST_SAM),
        Quoted("FastSAM", ("40", "40", "RTX 3090"), "FastSAM, README", _FAST_SAM),
        Quoted("MobileSAM", ("12", "–", "one GPU"), "MobileSAM, README", _MOBILE_SAM),
    ),
)

PUBLISHED: Mapping[str, QuotedTable] = {
    "interactive": _CLICKS,
    "boxes": _BOXES,
    "edges": _EDGES,
    "proposals": _PROPOSALS,
    "speed": _SPEED,
}
"""Protocol -> what the field reports for it."""
