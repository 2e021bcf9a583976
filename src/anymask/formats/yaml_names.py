"""The one thing of a YOLO data.yaml that masks need: `names`, a list or a table of numbers and names.

Not a YAML reader: what is in none of the forms that tools write is refused.
"""

from __future__ import annotations

import re

from anymask.core.errors import FormatError
from anymask.formats.checks import brief

_QUOTED = r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'"""
_ROW = re.compile(rf"\s*(?:-|(\d{{1,9}})\s*:)\s+({_QUOTED}|[^\"'\s].*?)\s*(?:\s#.*)?")
_ITEM = re.compile(rf"\s*(?:(\d{{1,9}})\s*:\s)?\s*({_QUOTED}|[^,\"'\[\]{{}}]*)\s*([,\]}}])")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_LETTERS = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "b": "\b",
    "f": "\f",
    "e": "\x1b",
    "a": "\a",
    "v": "\v",
}


def quoted(name: str) -> str:
    """A name as a double-quoted scalar of YAML, on one line."""
    return '"' + "".join(_escaped(character) for character in name) + '"'


def read_names(text: str) -> dict[int, str]:
    """Class numbers and names; empty where the text has no `names`.

    Raises FormatError if they are written in a form that is not known.
    """
    lines = text.split("\n")
    for place, line in enumerate(lines):
        if line.startswith("names:"):
            rest = line.removeprefix("names:").strip()
            following = lines[place + 1 :]
            return _flow("\n".join([rest, *following])) if rest[:1] in ("[", "{") else _block(following)
    return {}


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def _block(lines: list[str]) -> dict[int, str]:
    """Rows `- name` or `0: name`, up to the next key."""
    names: dict[int, str] = {}
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] not in " -":
            break
        row = _ROW.fullmatch(line)
        if row is None:
            raise FormatError(f"'names' has the line {brief(line)}; expected '- name' or '0: name'")
        names[len(names) if row[1] is None else int(row[1])] = _scalar(row[2])
    return names


def _flow(text: str) -> dict[int, str]:
    """`[a, 'b']` or `{0: a, 1: b}`, perhaps over several lines."""
    names: dict[int, str] = {}
    at, end = 1, ""
    while end not in ("]", "}"):
        item = _ITEM.match(text, at)
        if item is None:
            raise FormatError(f"'names' is {brief(text)}; expected names with commas between")
        at, end = item.end(), item[3]
        if item[2].strip():
            names[len(names) if item[1] is None else int(item[1])] = _scalar(item[2].strip())
    return names


def _scalar(text: str) -> str:
    if text.startswith('"'):
        return _ESCAPE.sub(_unescaped, text[1:-1])
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code is None:
        return _LETTERS.get(found[4], found[4])
    number = int(code, 16)
    if number > 0x10FFFF:
        raise FormatError(f"'names' holds {found[0]}, which is no character")
    return chr(number)
