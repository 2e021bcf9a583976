"""JSON and XML text to values, strictly."""

from __future__ import annotations

import json
from typing import Any, NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

from anymask.core.errors import FormatError

_MAX_XML_DEPTH = 64
_NAMESPACE_END = "}"
_NOT_XML = (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)
_CONTROL = dict.fromkeys(_NOT_XML, "\N{REPLACEMENT CHARACTER}")


def parse_json(data: bytes) -> Any:
    """Parse UTF-8 JSON without NaN and infinities. Raises FormatError with the place of the first mistake."""
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 text (byte {error.start}); expected a JSON file") from error
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from error
    except RecursionError as error:
        raise FormatError("JSON nested too deeply; this is no file of masks") from error
    except ValueError as error:  # a whole number of thousands of digits
        raise FormatError(f"not usable JSON: {error}") from error


def write_json(value: Any) -> bytes:
    """Compact UTF-8 JSON with a newline at the end, the same bytes for the same value."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    # A file name that is no text holds lone surrogates, which UTF-8 lacks; an escape is JSON's way.
    return text.encode(errors="backslashreplace")


def parse_xml(data: bytes) -> ET.Element:
    """Parse XML without a document type, so that no entity can be declared or fetched.

    Tags and attributes come without their namespaces. Raises FormatError with the place of the first mistake.
    """
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=_NAMESPACE_END)
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_XML_DEPTH:
            raise FormatError("XML nested too deeply; this is no file of masks")
        builder.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_local(name))

    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"not XML ({error})") from error
    return builder.close()


def write_xml(root: ET.Element) -> bytes:
    """Indented UTF-8 XML, the same bytes for the same tree; characters that XML lacks become U+FFFD."""
    for element in root.iter():
        element.text = element.text and xml_text(element.text)
        for name, value in element.attrib.items():
            element.set(name, xml_text(value))
    ET.indent(root)
    body: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'.encode()


def xml_text(text: str) -> str:
    """`text` with U+FFFD for what XML 1.0 has no way to write."""
    return text.encode("utf-8", "replace").decode().translate(_CONTROL)


def _local(name: str) -> str:
    return name.rpartition(_NAMESPACE_END)[2]


def _refuse(constant: str) -> NoReturn:
    raise FormatError(f"JSON with {constant}; numbers must be finite")


def _refuse_doctype(*_: Any) -> NoReturn:
    raise FormatError("XML with a document type, which could declare entities; save it without")
