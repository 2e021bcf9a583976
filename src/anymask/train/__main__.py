"""`python -m anymask.train RUN_FOLDER --train train-*.tar --val val.tar [--set name=value ...]`"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from anymask.core.errors import AnymaskError, InputError
from anymask.core.settings import read_settings
from anymask.train.config import TrainConfig
from anymask.train.loop import Run
from anymask.train.saved import read_run_model, read_start
from anymask.train.shards import ShardCache, build_cache


def apply_settings(config: TrainConfig, settings: list[str]) -> TrainConfig:
    """`name=value` pairs on top of a configuration; `model.name=value` for the model's own settings."""
    values = config.to_dict()
    known = values | {f"model.{name}": value for name, value in values["model"].items()}
    for name, value in read_settings(settings, known).items():
        where = values["model"] if name.startswith("model.") else values
        where[name.removeprefix("model.")] = value
    return TrainConfig.from_dict(values)


def main() -> int:
    """Train `lite`; a run folder that holds a checkpoint is resumed."""
    parser = argparse.ArgumentParser(prog="python -m anymask.train", description=main.__doc__)
    parser.add_argument("run", type=Path, help="folder of the run; resumed if it holds a checkpoint")
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="training shards (.tar)")
    parser.add_argument("--val", type=Path, nargs="*", default=[], help="validation shards, only measured on")
    parser.add_argument("--cache", type=Path, default=Path("cache"), help="where decoded shards are kept")
    parser.add_argument("--config", type=Path, help="JSON file of settings")
    parser.add_argument("--init", help="model.pt of a run, or a model by name or folder, to start from")
    parser.add_argument(
        "--backbone",
        type=Path,
        help="ImageNet weights of a ResNet, VGG, ConvNeXt or EfficientNet in timm's names",
    )
    parser.add_argument("--teacher", type=Path, help="model.pt of a larger model to learn from")
    parser.add_argument("--set", dest="settings", nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    try:
        start = read_start(options.init) if options.init else None
        defaults = TrainConfig(model=start.config) if start else TrainConfig()
        config = apply_settings(
            TrainConfig.read(options.config) if options.config else defaults, options.settings
        )

        def report(line: str) -> None:
            print(line, file=sys.stderr)

        train = ShardCache(build_cache(options.train, options.cache, report))
        val = ShardCache(build_cache(options.val, options.cache, report)) if options.val else None
        if any(sample.zero_shot for sample in train.samples):
            raise InputError(
                "the training shards hold images marked zero_shot, which are for evaluation only"
            )
        initial = start.state_dict() if start else None
        teacher = read_run_model(options.teacher) if options.teacher else None
        Run(options.run, config, train, val, initial, teacher, options.backbone).fit()
    except AnymaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt:
        print("stopped; the last checkpoint is kept, run the same command to resume", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
