"""Make the head of "words" that ships: `python -m anymask.release.words SHARDS... --work DIR [--write]`.

Pictures of the shards are split by name: from four fifths the head is fitted, on the others its threshold is
set, so that of the words for things that a picture does not show one in a hundred is wrongly found among all
its masks. Everything slow is kept in the working folder, and taken up there when the command is run again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from anymask.core.arrays import Float32Array
from anymask.core.errors import AnymaskError
from anymask.core.images import load_image
from anymask.predict.load import load
from anymask.predict.model import Model
from anymask.text.background import BACKGROUND
from anymask.text.encoder import Calibration
from anymask.text.finding import LEAST_AREA
from anymask.text.head import ABOUT, SHIPPED, WordsHead
from anymask.text.looks import Eyes, Looks
from anymask.text.minilm import MiniLm
from anymask.text.scoring import TextScorer
from anymask.text.words import WordsEncoder
from anymask.train.align import Examples, collect, fit, is_held_out, make_head, spoken
from anymask.train.shards import ShardCache, build_cache

CLASSES_FILE: Final = Path(__file__).resolve().parent / "imagenet_classes.txt"
"""The 1,000 classes of ImageNet (Russakovsky et al., arXiv 1409.0575) by WordNet's first lemma."""
WRONGLY_FOUND: Final = 0.01
SCALE: Final = 20.0
"""Of similarities; 10 and 40 gave a lower mean average precision."""
NEAR: Final = 0.75

_PICTURES_HELD: Final = 5  # one picture in so many is kept from fitting
_WORDS_HELD: Final = 6


@dataclass(frozen=True, eq=False)
class Searched:
    """All masks of some pictures. picture: (M,) which one. labels: what each picture is known to show."""

    looks: Looks
    picture: np.ndarray
    labels: tuple[tuple[str, ...], ...]


def search(model: Model, eyes: Eyes, cache: ShardCache, count: int) -> Searched:
    """Everything mode on `count` pictures that were not fitted on, of as many sources as there are."""
    held = [i for i, s in enumerate(cache.samples) if is_held_out(s.key, _PICTURES_HELD) and any(s.labels)]
    places: dict[str, int] = {}
    order = {i: places.setdefault(cache.samples[i].source, 0) for i in held}
    for i in held:
        order[i] = places[cache.samples[i].source]
        places[cache.samples[i].source] += 1
    features, classes, picture, labels = [], [], [], []
    for number, index in enumerate(sorted(held, key=lambda i: (order[i], i))[:count]):
        shown = load_image(np.array(cache.pixels(index)))
        records = [r for r in model.everything(shown).records() if r.area >= LEAST_AREA]
        looks = eyes.look(shown, records)
        features.append(looks.features)
        classes.append(looks.classes)
        picture += [number] * len(records)
        labels.append(tuple(sorted({label for label in cache.samples[index].labels if label})))
        print(f"{number + 1} of {count} pictures searched", file=sys.stderr, flush=True)
    return Searched(
        Looks(np.concatenate(features), np.concatenate(classes)), np.array(picture), tuple(labels)
    )


def calibrated(head: WordsHead, searched: Searched, vocabulary: Sequence[str], texts: MiniLm) -> WordsHead:
    """The head with the offset at which a score of one half means: one absent word in a hundred is found.

    A word is absent if no mask of the picture has it as its label; since not everything is labelled, some of
    what counts as wrong is right.
    """
    words = sorted({spoken(label) for label in vocabulary})
    background = tuple(dict.fromkeys((*BACKGROUND, *words)))
    head = replace(head, calibration=Calibration(SCALE, background=background, near=NEAR, measured=True))
    margins = TextScorer(WordsEncoder(head)).margins(head(searched.looks), words)
    tops = [margins[searched.picture == p].max(axis=0) for p in range(len(searched.labels))]
    absent = [
        top[[word not in {spoken(label) for label in labels} for word in words]]
        for top, labels in zip(tops, searched.labels, strict=True)
    ]
    offset = float(np.quantile(np.concatenate(absent), 1 - WRONGLY_FOUND))
    return replace(head, calibration=replace(head.calibration, offset=round(offset, 3)))


def class_vectors(texts: MiniLm) -> Float32Array:
    """(1000, D): the names of ImageNet's classes, in their order."""
    return texts.embed(CLASSES_FILE.read_text(encoding="utf-8").splitlines())


def build(examples: Examples, searched: Searched, texts: MiniLm, *, hold_words: bool) -> WordsHead:
    """Fit and calibrate. hold_words: leave one word in six out, to measure how unseen words fare."""
    fitted_on = ~np.array([is_held_out(picture, _PICTURES_HELD) for picture in examples.pictures])
    held = sorted({str(label) for label in examples.labels if hold_words and is_held_out(label, _WORDS_HELD)})
    fitted_on &= ~np.isin(examples.labels, held)
    chosen = examples.of(fitted_on)
    vocabulary = sorted({str(label) for label in chosen.labels})
    linear = fit(chosen, vocabulary, texts.embed([spoken(label) for label in vocabulary]))
    about = {"labels": vocabulary, "held_out": held, "masks": len(chosen.labels)}
    start = Calibration(SCALE)
    return calibrated(make_head(linear, class_vectors(texts), start, about), searched, vocabulary, texts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit the head; with --write it replaces the one in the package."""
    parser = argparse.ArgumentParser(prog="python -m anymask.release.words", description=__doc__)
    parser.add_argument("shards", nargs="+", type=Path, help="training shards with labelled masks")
    parser.add_argument("--work", type=Path, required=True, help="folder for what takes long")
    parser.add_argument("--cache", type=Path, help="folder of decoded shards (default: in --work)")
    parser.add_argument("--per-source", type=int, default=45, help="pictures of a source at most")
    parser.add_argument("--pictures", type=int, default=80, help="pictures that set the threshold")
    parser.add_argument("--hold-words", action="store_true", help="leave one word in six out, to measure")
    parser.add_argument("--write", action="store_true", help="replace the head in the package")
    options = parser.parse_args(arguments)
    try:
        options.work.mkdir(parents=True, exist_ok=True)
        cache = ShardCache(build_cache(options.shards, options.cache or options.work / "shards"))
        eyes, texts = Eyes(), MiniLm(precision="exact")
        examples = _examples(options.work / "examples.npz", cache, eyes, options.per_source)
        searched = _searched(options.work / "searched.npz", cache, eyes, options.pictures)
        head = build(examples, searched, texts, hold_words=options.hold_words)
        name = "held" if options.hold_words else "words"
        path, about = options.work / f"{name}.safetensors", options.work / f"{name}.json"
        if options.write:
            path, about = SHIPPED, ABOUT
        head.save(path, about)
        print(f"{path}: {len(head.about['labels'])} words, {head.about['masks']} masks")
    except AnymaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _examples(path: Path, cache: ShardCache, eyes: Eyes, per_source: int) -> Examples:
    if not path.is_file():
        found = collect(
            cache, eyes, per_source=per_source, per_picture=5, per_label=3,
            report=lambda line: print(line, file=sys.stderr, flush=True),
        )  # fmt: skip
        found.save(path)
    return Examples.load(path)


def _searched(path: Path, cache: ShardCache, eyes: Eyes, count: int) -> Searched:
    if not path.is_file():
        found = search(load("lite"), eyes, cache, count)
        np.savez(
            path,
            features=found.looks.features.astype(np.float16),
            classes=found.looks.classes.astype(np.float16),
            picture=found.picture,
            labels=np.array(["\n".join(names) for names in found.labels]),
        )
    with np.load(path, allow_pickle=False) as file:
        looks = Looks(file["features"].astype(np.float32), file["classes"].astype(np.float32))
        labels = tuple(tuple(names.split("\n")) for names in file["labels"].tolist())
        return Searched(looks, file["picture"], labels)


if __name__ == "__main__":
    sys.exit(main())
