"""A graph of a model folder as one file, for onnxruntime-web: the weights that it names put inside.

Only what is needed of protocol buffers' wire format is spoken here (developers.google.com/protocol-buffers,
"Encoding"), so that the studio needs no `onnx` package. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from anymask.core.errors import FormatError

_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_ATTRIBUTE = 5
_ATTRIBUTE_GRAPH = 6
_TENSOR_RAW, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 9, 13, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2


@dataclass(frozen=True)
class _Field:
    """number, wire: of the tag. payload: without tag and length. whole: with both."""

    number: int
    wire: int
    payload: bytes
    whole: bytes


def self_contained(model: bytes, weights: bytes | memoryview) -> bytes:
    """An ONNX model whose tensors no longer lie in another file.

    model: the file's bytes. weights: the file that its tensors lie in. Raises FormatError for anything else.
    """
    return _replaced(model, _MODEL_GRAPH, lambda graph: _graph(graph, weights))


def _graph(graph: bytes, weights: bytes | memoryview) -> bytes:
    with_tensors = _replaced(graph, _GRAPH_INITIALIZER, lambda tensor: _tensor(tensor, weights))
    return _replaced(with_tensors, _GRAPH_NODE, lambda node: _node(node, weights))


def _node(node: bytes, weights: bytes | memoryview) -> bytes:
    """With the graphs of its branches."""

    def of_attribute(attribute: bytes) -> bytes:
        return _replaced(attribute, _ATTRIBUTE_GRAPH, lambda graph: _graph(graph, weights))

    return _replaced(node, _NODE_ATTRIBUTE, of_attribute)


def _tensor(tensor: bytes, weights: bytes | memoryview) -> bytes:
    place: dict[str, str] = {}
    kept = []
    for field in _fields(tensor):
        if field.number == _TENSOR_EXTERNAL:
            entry = {part.number: part.payload.decode("utf-8") for part in _fields(field.payload)}
            place[entry.get(_ENTRY_KEY, "")] = entry.get(_ENTRY_VALUE, "")
        elif field.number != _TENSOR_LOCATION:
            kept.append(field.whole)
    if not place:
        return tensor
    start, length = int(place.get("offset", "0")), int(place["length"])
    if start + length > len(weights):
        raise FormatError("the model's weights are shorter than its graph says; import the model again")
    return b"".join(kept) + _length_delimited(_TENSOR_RAW, bytes(weights[start : start + length]))


def _replaced(message: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    """A message with every field of this number changed."""
    return b"".join(
        _length_delimited(number, change(field.payload))
        if field.number == number and field.wire == _LENGTH
        else field.whole
        for field in _fields(message)
    )


def _fields(message: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(message):
        tag, after = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            begin, end = after, _varint(message, after)[1]
        elif wire == _LENGTH:
            length, begin = _varint(message, after)
            end = begin + length
        elif wire in (_EIGHT, _FOUR):
            begin, end = after, after + (8 if wire == _EIGHT else 4)
        else:
            raise FormatError("the graph is no ONNX file; import the model again")
        if end > len(message):
            raise FormatError("the graph is cut off; import the model again")
        yield _Field(number, wire, message[begin:end], message[at:end])
        at = end


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number and where the next thing begins."""
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    raise FormatError("the graph is cut off; import the model again")


def _length_delimited(number: int, payload: bytes) -> bytes:
    return _encoded(number << 3 | _LENGTH) + _encoded(len(payload)) + payload


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
