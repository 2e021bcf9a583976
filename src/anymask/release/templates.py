"""Make the graph templates that ship in `anymask/models/templates`: `python -m anymask.release.templates`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from anymask.modeling.config import SamConfig, sam_config
from anymask.modeling.sam import Sam
from anymask.models.templates import ROOT, Template
from anymask.release.export import Graph, export_graph, state_layout
from anymask.release.sam import sam_graphs

ARCHITECTURES = ("sam_vit_b", "sam_vit_l", "sam_vit_h", "sam_tiny_vit")


def sam_template(config: SamConfig) -> Template:
    """The template of a Segment Anything network; needs neither its weights nor memory for them."""
    with torch.device("meta"):
        sam = Sam(config).eval()
    return make_template(sam, sam_graphs(sam))


def make_template(
    module: torch.nn.Module, graphs: Sequence[Graph], half: Callable[[str], bool] = lambda _: False
) -> Template:
    """The template of `graphs`, whose weights are among those of `module`.

    half: which weights are stored as float16; the graphs cast those to float32.
    """
    layout = state_layout(module, half)
    return Template(layout, {f"{graph.name}.onnx": export_graph(graph, layout) for graph in graphs})


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the templates of the architectures named on the command line, of all without any."""
    parser = argparse.ArgumentParser(prog="python -m anymask.release.templates", description=__doc__)
    parser.add_argument("architecture", nargs="*", default=ARCHITECTURES, help="which ones (default: all)")
    parser.add_argument("--out", type=Path, default=ROOT, help="where to (default: the package)")
    options = parser.parse_args(arguments)
    for architecture in options.architecture:
        sam_template(sam_config(architecture)).save(options.out / architecture)


if __name__ == "__main__":
    main()
