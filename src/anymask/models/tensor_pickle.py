"""Reads the pickle inside a `.pth` file without running it.

A pickle is a program for a small stack machine that may call any function. This machine knows the few
instructions and the few names that a dictionary of tensors needs; none of those names is ever looked up or
called, and everything else is refused by name.
"""

from __future__ import annotations

import io
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from anymask.core.errors import ModelError
from anymask.models.stored_tensor import StoredTensor

DTYPE_OF_STORAGE: Final = {
    "torch DoubleStorage": "float64",
    "torch FloatStorage": "float32",
    "torch HalfStorage": "float16",
    "torch BFloat16Storage": "bfloat16",
    "torch LongStorage": "int64",
    "torch IntStorage": "int32",
    "torch ShortStorage": "int16",
    "torch CharStorage": "int8",
    "torch ByteStorage": "uint8",
    "torch BoolStorage": "bool",
}
_ORDERED_DICT: Final = "collections OrderedDict"
_REBUILD_TENSOR: Final = "torch._utils _rebuild_tensor_v2"
_REBUILD_PARAMETER: Final = "torch._utils _rebuild_parameter"
_LISTS: Final = {f"torch.jit._pickle build_{kind}list" for kind in ("int", "double", "bool", "tensor")}
_ADMITTED: Final = {_ORDERED_DICT, _REBUILD_TENSOR, _REBUILD_PARAMETER, *_LISTS, *DTYPE_OF_STORAGE}
_SCRIPT: Final = "__torch__"  # TorchScript's classes: their code lies in the archive, and stays there

_OPCODES: Final = {opcode.code: opcode for opcode in pickletools.opcodes}
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: Final[dict[str, Callable[[], Any]]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_LITERALS: Final = {
    "BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
}  # fmt: skip
_SHORT_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class Storage:
    """The raw bytes of one storage and the type of the numbers in them."""

    data: memoryview
    dtype: str


class ScriptModule(dict[str, Any]):
    """A module of a TorchScript archive, as the values of its attributes."""


FindStorage = Callable[[str, str, int], Storage]
"""(key, dtype, count) -> the storage of that key in the archive."""


def read_tensor_pickle(pickle: bytes, find_storage: FindStorage) -> Any:
    """The object that `pickle` describes: dictionaries, lists, tuples, strings, numbers, `StoredTensor`s and
    `ScriptModule`s.

    Raises ModelError naming what it refuses, or when the pickle is damaged.
    """
    machine = _Machine(find_storage)
    stream = io.BytesIO(pickle)
    try:
        while (opcode := _OPCODES[stream.read(1).decode("latin-1")]).name != "STOP":
            _check(opcode.name)  # before its argument is parsed
            machine.run(opcode.name, opcode.arg.reader(stream) if opcode.arg else None)
        return machine.pop()
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ModelError("Its pickle is damaged; get the file again.") from error


@dataclass(frozen=True)
class _Name:
    """An admitted global name, standing for itself."""

    full: str


class _Machine:
    def __init__(self, find_storage: FindStorage) -> None:
        self.find_storage = find_storage
        self.stack: list[Any] = []
        self.marks: list[int] = []  # heights of the stack at which a MARK lies
        self.memo: dict[int, Any] = {}

    def pop(self) -> Any:
        if self.marks and len(self.stack) == self.marks[-1]:
            raise ValueError("reached below a mark")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        height = self.marks.pop()
        items = self.stack[height:]
        del self.stack[height:]
        return items

    def run(self, opcode: str, argument: Any) -> None:
        """One admitted instruction."""
        if opcode in _LITERALS:
            self.stack.append(argument)
        elif opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode])
        elif opcode in _EMPTY:
            self.stack.append(_EMPTY[opcode]())
        elif opcode in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif opcode in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif opcode in _SHORT_TUPLES:
            items = [self.pop() for _ in range(_SHORT_TUPLES[opcode])]
            self.stack.append(tuple(reversed(items)))
        elif opcode == "GLOBAL":
            self.stack.append(_admit(argument))
        else:
            _INSTRUCTIONS[opcode](self)

    def nothing(self) -> None:
        """PROTO and FRAME carry no content."""

    def mark(self) -> None:
        self.marks.append(len(self.stack))

    def memoize(self) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def stack_global(self) -> None:
        name, module = self.pop(), self.pop()
        self.stack.append(_admit(f"{module} {name}" if type(module) is type(name) is str else "an odd name"))

    def make_tuple(self) -> None:
        self.stack.append(tuple(self.pop_to_mark()))

    def append(self) -> None:
        item = self.pop()
        _expect(self.stack[-1], list).append(item)

    def appends(self) -> None:
        items = self.pop_to_mark()
        _expect(self.stack[-1], list).extend(items)

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        _fill(self.stack[-1], [key, value])

    def set_items(self) -> None:
        items = self.pop_to_mark()
        _fill(self.stack[-1], items)

    def persistent_id(self) -> None:
        self.stack.append(self.storage_of(self.pop()))

    def storage_of(self, identity: Any) -> Storage:
        match identity:
            case ("storage", _Name(full=kind), str(key), str(), int(count), *rest) if (
                kind in DTYPE_OF_STORAGE and rest in ([], [None])  # before 1.6: no part of another storage
            ):
                return self.find_storage(key, DTYPE_OF_STORAGE[kind], count)
        raise ModelError("It refers to something outside that is no plain storage of numbers.")

    def reduce(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            raise ModelError("It calls something that is no function of PyTorch's tensors.")
        self.stack.append(_rebuild(function.full, arguments))

    def new_object(self) -> None:
        arguments, kind = self.pop(), self.pop()
        if not isinstance(kind, _Name) or not kind.full.startswith(_SCRIPT) or arguments != ():
            raise ModelError("It makes an object of something that is no module of TorchScript.")
        self.stack.append(ScriptModule())

    def build(self) -> None:
        """Keep the attributes of a module of TorchScript. Drop those of an OrderedDict: PyTorch keeps version
        numbers of its modules there."""
        state = self.pop()
        if type(self.stack[-1]) is ScriptModule:
            self.stack[-1].update(_expect(state, dict))
        elif type(self.stack[-1]) is not OrderedDict:
            raise ModelError("It sets attributes of something that is no OrderedDict.")


_INSTRUCTIONS: Final[dict[str, Callable[[_Machine], None]]] = {
    "PROTO": _Machine.nothing,
    "FRAME": _Machine.nothing,
    "MARK": _Machine.mark,
    "MEMOIZE": _Machine.memoize,
    "STACK_GLOBAL": _Machine.stack_global,
    "TUPLE": _Machine.make_tuple,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "BINPERSID": _Machine.persistent_id,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.new_object,
    "BUILD": _Machine.build,
}
_KNOWN: Final = {
    *_LITERALS, *_CONSTANTS, *_EMPTY, *_SHORT_TUPLES, *_INSTRUCTIONS,
    "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "GLOBAL",
}  # fmt: skip


def _check(opcode: str) -> None:
    if opcode not in _KNOWN:
        raise ModelError(f"It holds the pickle instruction {opcode}, which no plain state dict needs.")


def _admit(name: str) -> _Name:
    if name not in _ADMITTED and not name.startswith((f"{_SCRIPT} ", f"{_SCRIPT}.")):
        shown = name.replace(" ", ".")
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        raise ModelError(f"It asks for {shown!r}; only a plain state dict of tensors is admitted.")
    return _Name(name)


def _rebuild(function: str, arguments: tuple[Any, ...]) -> Any:
    match arguments:
        case () if function == _ORDERED_DICT:
            return OrderedDict()
        case (Storage() as saved, offset, tuple(shape), tuple(strides), *_) if function == _REBUILD_TENSOR:
            return StoredTensor(saved.data, saved.dtype, shape, strides, offset)
        case (StoredTensor() as tensor, *_) if function == _REBUILD_PARAMETER:
            return tensor
        case (list() as values,) if function in _LISTS:
            return values
    raise ModelError(f"It calls {function.replace(' ', '.')} with arguments that make no tensor.")


def _expect(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}")
    return value


def _fill(target: Any, items: list[Any]) -> None:
    if type(target) not in (dict, OrderedDict):
        raise TypeError("expected a dictionary")
    keys, values = items[::2], items[1::2]
    # Names are strings, optimisers count with integers; hashing anything deeper could exhaust the C stack.
    if not all(type(key) in (str, int) for key in keys):
        raise TypeError("expected strings or integers as keys")
    target.update(zip(keys, values, strict=True))
