"""Pretrain an image encoder.

python -m anymask.train.pretrain mae RUN --train train-*.tar --out encoder.safetensors
python -m anymask.train.pretrain distil RUN --train train-*.tar --teacher vit_b.pth --out small.safetensors
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from anymask.core.errors import AnymaskError, InputError
from anymask.core.files import write_atomically
from anymask.core.settings import read_settings
from anymask.modeling.config import SAM_CONFIGS, sam_config
from anymask.modeling.load import load_sam
from anymask.modeling.sam import Sam
from anymask.train.pretrain.distil import EmbeddingDistillation
from anymask.train.pretrain.mae import MaskedAutoencoder, as_sam
from anymask.train.pretrain.pictures import batches
from anymask.train.pretrain.run import PretrainRun
from anymask.train.pretrain.settings import DistilSettings, MaeSettings
from anymask.train.shards import ShardCache, build_cache
from anymask.train.views import source_weights


def main() -> int:
    options = parse()
    try:
        recipe, defaults = (mae, MaeSettings()) if options.recipe == "mae" else (distil, DistilSettings())
        settings = read_settings(options.settings, defaults.to_dict())
        cache = ShardCache(
            build_cache(options.train, options.cache, lambda line: print(line, file=sys.stderr))
        )
        if any(sample.zero_shot for sample in cache.samples):
            raise InputError(
                "the training shards hold images marked zero_shot, which are for evaluation only"
            )
        sam = recipe(options, settings, cache)
        if options.out is not None:
            write_sam(options.out, sam)
    except AnymaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt:
        print("stopped; the last checkpoint is kept, run the same command to resume", file=sys.stderr)
        return 130
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m anymask.train.pretrain", description="Pretrain an encoder."
    )
    recipes = parser.add_subparsers(dest="recipe", required=True)
    for name, about in (("mae", "masked autoencoding"), ("distil", "learn a larger encoder's embeddings")):
        one = recipes.add_parser(name, help=about)
        one.add_argument("run", type=Path, help="folder of the run; resumed if it holds a checkpoint")
        one.add_argument("--train", type=Path, nargs="+", required=True, help="training shards (.tar)")
        one.add_argument("--cache", type=Path, default=Path("cache"), help="where decoded shards are kept")
        one.add_argument("--out", type=Path, help="write the whole network with this encoder here")
        one.add_argument("--set", dest="settings", nargs="*", default=[], metavar="NAME=VALUE")
        if name == "mae":
            one.add_argument("--input-size", type=int, default=1024, help="of the network that --out writes")
        else:
            one.add_argument("--teacher", type=Path, required=True, help="checkpoint or model folder")
            one.add_argument("--student", default="mobile", help=f"one of {', '.join(SAM_CONFIGS)}")
    return parser.parse_args()


def mae(options: argparse.Namespace, values: dict[str, object], cache: ShardCache) -> Sam:
    settings = MaeSettings.from_dict(values)
    torch.manual_seed(settings.seed)
    model = MaskedAutoencoder(settings)
    weights = list(np.asarray(source_weights(cache)))
    PretrainRun(options.run, model, settings).fit(lambda step: batches(cache, weights, settings, step))
    return as_sam(model.cpu(), options.input_size)


def distil(options: argparse.Namespace, values: dict[str, object], cache: ShardCache) -> Sam:
    teacher = load_sam(options.teacher)
    settings = DistilSettings.from_dict({"image_size": teacher.config.input_size, **values})
    student = sam_config(options.student, input_size=teacher.config.input_size)
    torch.manual_seed(settings.seed)
    model = EmbeddingDistillation(teacher, student)
    weights = list(np.asarray(source_weights(cache)))
    PretrainRun(options.run, model, settings).fit(lambda step: batches(cache, weights, settings, step))
    return model.cpu().as_sam()


def write_sam(path: Path, sam: Sam) -> None:
    """The network's weights under Segment Anything's names, safetensors."""
    from safetensors.torch import save

    state = {name: value.detach().cpu().contiguous() for name, value in sam.state_dict().items()}
    write_atomically(path, save(state))


if __name__ == "__main__":
    sys.exit(main())
