"""Names for masks: the seam at which a model that understands words comes in.

`with_names` takes any function that says how well names fit masks; those of anymask are in `anymask.text`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anymask.core.errors import FormatError, InputError
from anymask.core.images import Picture
from anymask.core.record import MaskRecord

MOST_NAMES = 10_000
LONGEST_NAME = 200

Scorer = Callable[[Picture, Sequence[MaskRecord], Sequence[str]], npt.ArrayLike]
"""Picture, masks, names -> (masks, names) scores, higher where the name fits better."""


def read_names(path: Path) -> tuple[str, ...]:
    """The names of a text file in UTF-8, one a line; empty lines and lines that begin with # are passed over.

    Raises FormatError, with the line, for a file that cannot be read, a name twice, too long or with control
    characters, no name at all, or more than 10,000.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FormatError(f"'{path}' is no text in UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise FormatError(f"cannot read '{path}': {error.strerror}; give a text file of names") from error
    first_line: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        if not name.isprintable() or len(name) > LONGEST_NAME:
            raise FormatError(
                f"'{path}', line {number}: a name has up to {LONGEST_NAME} printable characters; one a line"
            )
        if name in first_line:
            raise FormatError(
                f"'{path}', line {number}: '{name}' stands in line {first_line[name]} too; remove one"
            )
        first_line[name] = number
    if not 0 < len(first_line) <= MOST_NAMES:
        raise FormatError(f"'{path}' holds {len(first_line)} names; give 1 to {MOST_NAMES}, one a line")
    return tuple(first_line)


def with_names(
    picture: Picture,
    records: Sequence[MaskRecord],
    names: Sequence[str],
    scorer: Scorer,
    *,
    at_least: float = float("-inf"),
) -> list[MaskRecord]:
    """The records, each labelled with the name that fits best; where none reaches `at_least`, as they were.

    The score goes into the record's attributes as "label_score". Raises InputError if there are no names, or
    the scorer gives anything but finite numbers of shape (masks, names).
    """
    if not names:
        raise InputError("there are no names; give at least one")
    scores = np.asarray(scorer(picture, records, names), np.float64)
    if scores.shape != (len(records), len(names)) or not np.isfinite(scores).all():
        raise InputError(
            f"the scorer gave numbers of shape {scores.shape}; expected finite ones of shape "
            f"{(len(records), len(names))}, a row per mask and a column per name"
        )
    best = scores.argmax(axis=1) if len(records) else np.zeros(0, np.intp)
    return [
        replace(
            record, label=names[place], attributes={**record.attributes, "label_score": float(row[place])}
        )
        if row[place] >= at_least
        else record
        for record, row, place in zip(records, scores, best, strict=True)
    ]
