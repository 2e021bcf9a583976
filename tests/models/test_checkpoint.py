"""Checkpoints are read exactly, and whatever else lies in a file is refused without running it."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from anymask.core.errors import ModelError
from anymask.models.checkpoint import read_checkpoint

GENERATOR = torch.Generator().manual_seed(0)
PLAIN: dict[str, torch.Tensor] = {
    "float32": torch.randn(3, 4, generator=GENERATOR),
    "float64": torch.randn(5, generator=GENERATOR, dtype=torch.float64),
    "float16": torch.randn(2, 3, generator=GENERATOR).half(),
    "bfloat16": torch.randn(7, generator=GENERATOR).bfloat16(),
    "int64": torch.arange(-3, 3),
    "int32": torch.arange(4, dtype=torch.int32),
    "int16": torch.arange(-2, 2, dtype=torch.int16),
    "int8": torch.arange(-2, 2, dtype=torch.int8),
    "uint8": torch.arange(250, 256, dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "scalar": torch.tensor(4.5),
    "empty": torch.zeros(0, 3),
    "special": torch.tensor([float("inf"), float("-inf"), float("nan"), -0.0]),
}
SHARED = torch.arange(24.0)
VIEWS: dict[str, torch.Tensor] = {
    "transposed": torch.arange(24.0).view(4, 6).T,
    "every second": torch.arange(20)[3:17:2],
    "channels last": torch.randn(2, 3, 4, 5, generator=GENERATOR).to(memory_format=torch.channels_last),
    "parameter": torch.nn.Parameter(torch.ones(2, 2)),
    "buffer": torch.nn.Parameter(torch.ones(2), requires_grad=False),
    "tied 1": SHARED[:12],
    "tied 2": SHARED[12:].view(3, 4),
}


def assert_equal(array: np.ndarray[Any, Any], tensor: torch.Tensor) -> None:
    value = tensor.detach()
    expected = value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy()
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array, expected)
    assert not array.flags.writeable


# --- reading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("wrapped", [False, True])
def test_pth_round_trip(protocol: int, wrapped: bool, tmp_path: Path) -> None:
    tensors = PLAIN | VIEWS
    saved: object = {"model": tensors, "epoch": 3, "args": [1.5, None, True, ("x", -70000)]}
    torch.save(saved if wrapped else tensors, tmp_path / "a.pth", pickle_protocol=protocol)
    checkpoint = read_checkpoint(tmp_path / "a.pth")
    assert list(checkpoint) == list(tensors)
    assert len(checkpoint) == len(tensors)
    for name, tensor in tensors.items():
        assert_equal(checkpoint[name], tensor)


@pytest.mark.parametrize("wrapper", ["model", "state_dict", "model_state_dict"])
def test_state_dict_of_a_module(wrapper: str, tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    torch.save({wrapper: module.state_dict()}, tmp_path / "a.pt")
    checkpoint = read_checkpoint(str(tmp_path / "a.pt"))
    assert checkpoint.shapes == {name: tuple(value.shape) for name, value in module.state_dict().items()}
    for name, tensor in module.state_dict().items():
        assert_equal(checkpoint[name], tensor)


def test_safetensors_round_trip(tmp_path: Path) -> None:
    save_file(PLAIN, tmp_path / "a.safetensors", metadata={"format": "pt"})
    checkpoint = read_checkpoint(tmp_path / "a.safetensors")
    assert set(checkpoint) == set(PLAIN)
    for name, tensor in PLAIN.items():
        assert_equal(checkpoint[name], tensor)


@pytest.mark.parametrize("name", ["model.safetensors", "weights.safetensors", "pytorch_model.bin"])
def test_folder(name: str, tmp_path: Path) -> None:
    save = torch.save if name.endswith("bin") else save_file
    save(PLAIN, tmp_path / name)
    assert set(read_checkpoint(tmp_path)) == set(PLAIN)


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    save_file(PLAIN, tmp_path / "a.pth")
    torch.save(PLAIN, tmp_path / "b.safetensors")
    assert set(read_checkpoint(tmp_path / "a.pth")) == set(read_checkpoint(tmp_path / "b.safetensors"))


def test_arrays_are_views_that_outlive_the_checkpoint(tmp_path: Path) -> None:
    torch.save({"w": torch.arange(1000.0)}, tmp_path / "a.pth")
    array = read_checkpoint(tmp_path / "a.pth")["w"]
    assert not array.flags.owndata
    assert array[999] == 999.0


def test_names_are_like_a_dictionary(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1)}, tmp_path / "a.pth")
    checkpoint = read_checkpoint(tmp_path / "a.pth")
    assert "w" in checkpoint
    assert "v" not in checkpoint
    with pytest.raises(KeyError):
        checkpoint["v"]


# --- files that are none ------------------------------------------------------------------------------------


def refuse(path: Path, message: str) -> None:
    """Reading fails with one line that names the file and matches `message`."""
    with pytest.raises(ModelError, match=message) as raised:
        dict(read_checkpoint(path))
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x80\x02}q\x00.", "not one that torch.save wrote"),
        (b"\0" * 257 + b"ustar\0" + b"\0" * 300, "tar archive"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"<!DOCTYPE html><title>404</title>", "web page"),
        (b"PK\x03\x04 and nothing more", "cut short or damaged"),
        (b"just text", "neither a .pth file"),
        (b"{", "neither a .pth file"),
        (b"\x02\0\0\0\0\0\0\0{", "cut short or damaged"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff{}", "cut short or damaged"),
        (b"\x04\0\0\0\0\0\0\0{,}}", "header is damaged"),
        (struct.pack("<Q", 200_000) + b'{"a":' + b"[" * 199_995, "header is damaged"),
    ],
)
def test_other_files(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "file.pth").write_bytes(content)
    refuse(tmp_path / "file.pth", message)


def test_missing_file_and_empty_folder(tmp_path: Path) -> None:
    refuse(tmp_path / "none.pth", "No such file")
    refuse(tmp_path, "holds none of model.safetensors")


def test_legacy_format_of_torch(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save({"model": PLAIN}, path, _use_new_zipfile_serialization=False)
    found = read_checkpoint(path)
    assert {name: tensor.shape for name, tensor in PLAIN.items()} == found.shapes
    for name, tensor in PLAIN.items():
        plain = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
        np.testing.assert_array_equal(found[name], plain.numpy())


def test_legacy_files_cut_short_or_hostile(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save(PLAIN, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, 60, 20):
        path.write_bytes(whole[:length])
        refuse(path, "damaged|lacks the storage")
    torch.save({"w": torch.zeros(2), "harm": Path("x")}, path, _use_new_zipfile_serialization=False)
    refuse(path, "asks for 'pathlib")


def test_another_zip_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refuse(tmp_path / "a.zip", "not one that torch.save wrote")


@pytest.mark.parametrize("saved", [3, "text", [torch.zeros(2)], {"a": 1}, {"model": {"a": {"b": 1}}}, {}])
def test_no_tensors(saved: object, tmp_path: Path) -> None:
    torch.save(saved, tmp_path / "a.pth")
    refuse(tmp_path / "a.pth", "no dictionary of tensors")


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.9, 0.999])
def test_truncated(suffix: str, kept: float, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    (torch.save if suffix == "pth" else save_file)(PLAIN, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refuse(path, "cut short|damaged|are there")


# --- archives made by hand ----------------------------------------------------------------------------------

Entries = dict[str, bytes]


def write_archive(path: Path, pickled: bytes, entries: Entries | None = None, **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, content in ({"byteorder": b"little", "data/0": b"\0" * 16} | (entries or {})).items():
            archive.writestr(f"archive/{name}", content)
    return path


class Storage:
    """Becomes a persistent id in `pickle_of`."""

    def __init__(self, *identity: object) -> None:
        self.identity = identity


class Call:
    """Pickles as a call of any function with any arguments."""

    def __init__(self, function: Any, *arguments: object, state: object = None) -> None:
        self.function, self.arguments, self.state = function, arguments, state

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments, self.state


FOUR_FLOATS = Storage("storage", torch.FloatStorage, "0", "cpu", 4)


def tensor(storage: object = FOUR_FLOATS, offset: Any = 0, shape: Any = (4,), strides: Any = (1,)) -> Call:
    return Call(torch._utils._rebuild_tensor_v2, storage, offset, shape, strides, False, OrderedDict())


def pickle_of(value: object, protocol: int = 2) -> bytes:
    class Pickler(pickle.Pickler):
        def persistent_id(self, item: object) -> object:
            return item.identity if isinstance(item, Storage) else None

    stream = io.BytesIO()
    Pickler(stream, protocol).dump(value)
    return stream.getvalue()


def test_archive_made_by_hand_is_read(tmp_path: Path) -> None:
    path = write_archive(
        tmp_path / "a.pth", pickle_of({"w": tensor()}), {"data/0": struct.pack("<4f", 1, 2, 3, 4)}
    )
    assert read_checkpoint(path)["w"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (tensor(shape=(5,)), "larger than its storage of 4"),
        (tensor(offset=1), "larger than its storage"),
        (tensor(shape=(2, 2), strides=(3, 1)), "larger than its storage"),
        (tensor(shape=(3,), strides=(2,)), "larger than its storage"),
        (tensor(shape=(1 << 40,), strides=(0,)), "larger than its storage"),
        (tensor(shape=(5,), strides=(0,)), "larger than its storage"),
        (tensor(offset=-1), "no whole number from 0 up"),
        (tensor(strides=(-1,)), "no whole number"),
        (tensor(shape=(-4,)), "no whole number"),
        (tensor(shape=(4.0,)), "no whole number"),
        (tensor(shape=(True,)), "no whole number"),
        (tensor(offset="0"), "no whole number"),
        (tensor(offset=1 << 70), "no whole number"),
        (tensor(shape=(0, 1 << 47, 1 << 47), strides=(1, 1, 1)), "more numbers than any file"),
        (tensor(shape=(2, 2)), "2 sizes and 1 strides"),
        (tensor(shape=(1,) * 40, strides=(1,) * 40), "40 sizes"),
        (tensor(storage=None), "arguments that make no tensor"),
        (tensor(shape=[4]), "arguments that make no tensor"),
        (Call(torch._utils._rebuild_tensor_v2, 1), "arguments that make no tensor"),
        (Call(torch._utils._rebuild_parameter, 3, True, OrderedDict()), "arguments that make no tensor"),
        (Call(OrderedDict, [("a", 1)]), "arguments that make no tensor"),
        (tensor(Storage("storage", torch.FloatStorage, "0", "cpu", 5)), "16 bytes, not those of 5 float32"),
        (tensor(Storage("storage", torch.DoubleStorage, "0", "cpu", 4)), "not those of 4 float64"),
        (tensor(Storage("storage", torch.FloatStorage, "0", "cpu", -4)), "not those of -4"),
        (tensor(Storage("storage", torch.FloatStorage, "7", "cpu", 4)), "lacks the storage '7'"),
        (tensor(Storage("storage", torch.FloatStorage, "../data.pkl", "cpu", 4)), "lacks the storage"),
        (tensor(Storage("storage", torch.FloatStorage, "0", "cpu")), "outside that is no plain storage"),
        (tensor(Storage("storage", torch.FloatStorage, 0, "cpu", 4)), "no plain storage"),
        (tensor(Storage("file", torch.FloatStorage, "/etc/passwd", "cpu", 4)), "no plain storage"),
        (tensor(Storage("storage", "torch.FloatStorage", "0", "cpu", 4)), "no plain storage"),
        (tensor(Storage("storage", OrderedDict, "0", "cpu", 4)), "no plain storage"),
        (tensor(Storage("storage", torch.ComplexFloatStorage, "0", "cpu", 2)), "torch.ComplexFloatStorage"),
    ],
)
def test_tensors_that_do_not_fit(changed: Call, message: str, tmp_path: Path) -> None:
    refuse(write_archive(tmp_path / "a.pth", pickle_of({"w": changed})), message)


def test_stray_persistent_id_of_the_text_kind(tmp_path: Path) -> None:
    refuse(write_archive(tmp_path / "a.pth", b"\x80\x02}X\x01\0\0\0aP0\ns."), "instruction PERSID")


@pytest.mark.parametrize(
    ("entries", "options", "message"),
    [
        ({"byteorder": b"big"}, {}, "big-endian"),
        ({"data/0": b"\0" * 15}, {}, "15 bytes, not those of 4"),
        ({}, {"compression": zipfile.ZIP_DEFLATED}, "is compressed or encrypted"),
    ],
)
def test_archives_of_another_make(
    entries: Entries, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    refuse(write_archive(tmp_path / "a.pth", pickle_of({"w": tensor()}), entries, **options), message)


def test_a_second_pickle_deeper_in_the_archive_is_ignored(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.pth", pickle_of({"w": tensor()}), {"x/data.pkl": b"not read"})
    assert read_checkpoint(path)["w"].tolist() == [0, 0, 0, 0]


def test_a_huge_pickle_is_not_even_parsed(tmp_path: Path) -> None:
    refuse(write_archive(tmp_path / "a.pth", b"\0" * (17 << 20)), "expected at most 16,777,216")


def test_an_entry_that_points_outside_the_file(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.pth", pickle_of({"w": tensor()}))
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # the last one of the central directory: data/0
    content[entry + 42 : entry + 46] = struct.pack("<I", len(content) - 20)
    path.write_bytes(content)
    refuse(path, "cut short or damaged")


# --- hostile pickles ----------------------------------------------------------------------------------------


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A file that any hostile pickle below would create if it ran."""
    return tmp_path / "ran"


def hostile(trap: Path) -> dict[str, tuple[bytes, str]]:
    command = f"touch {trap}"
    code = f"open({str(trap)!r}, 'w')"
    call = Call(os.system, command)
    system = b"cposix\nsystem\n"
    argument = b"X" + struct.pack("<I", len(command)) + command.encode()
    return {
        "os.system": (pickle_of(call), "posix.system|nt.system"),
        "inside a state dict": (pickle_of({"w": tensor(), "x": call}), "system"),
        "deeply nested": (pickle_of({"a": [({"b": [call]},)]}), "system"),
        "as an argument of a tensor": (pickle_of({"w": tensor(offset=call)}), "system"),
        "as a backward hook": (
            pickle_of({"w": Call(torch._utils._rebuild_tensor_v2, FOUR_FLOATS, 0, (4,), (1,), False, call)}),
            "system",
        ),
        "as attributes": (pickle_of(Call(OrderedDict, state={"x": call})), "system"),
        "as a key": (b"\x80\x02}(" + system + argument + b"\x85RK\x01u.", "system"),
        "eval": (pickle_of(Call(eval, code)), "builtins.eval|__builtin__.eval"),
        "exec by protocol 4": (pickle_of(Call(exec, code), protocol=4), "builtins.exec"),
        "getattr": (pickle_of(Call(getattr, "x", "y")), "getattr"),
        "name with dots": (
            b"\x80\x04\x8c\x0ctorch._utils\x8c\x16_rebuild_tensor_v2.x.y\x93.",
            "_rebuild_tensor_v2.x.y",
        ),
        "admitted name in another module": (b"\x80\x02cos\nOrderedDict\n.", "os.OrderedDict"),
        "name smuggled by a space": (
            b"\x80\x04\x8c\x05torch\x8c\x0eFloatStorage x\x93.",
            "torch.FloatStorage.x",
        ),
        "name that is no text": (b"\x80\x04K\x01K\x02\x93.", "odd.name"),
        "torch.load": (pickle_of(Call(torch.load, "x")), "torch.serialization.load"),
        "a whole module": (pickle_of(torch.nn.Linear(1, 1).__class__), "torch.nn.modules.linear.Linear"),
        "INST": (b"(" + argument + b"iposix\nsystem\n.", "instruction INST"),
        "OBJ": (b"(" + system + argument + b"o.", "system"),
        "OBJ of an admitted name": (b"(ccollections\nOrderedDict\no.", "instruction OBJ"),
        "NEWOBJ": (b"\x80\x02ccollections\nOrderedDict\n)\x81.", "makes an object"),
        "NEWOBJ_EX": (b"\x80\x04ccollections\nOrderedDict\n)}\x92.", "instruction NEWOBJ_EX"),
        "EXT1": (b"\x80\x02\x82\x01.", "instruction EXT1"),
        "EXT4": (b"\x80\x02\x84\x01\0\0\0.", "instruction EXT4"),
        "next buffer": (b"\x80\x05\x97.", "instruction NEXT_BUFFER"),
        "old integer": (b"I1\n.", "instruction INT"),
        "old string": (b"S'x'\n.", "instruction STRING"),
        "frozen set": (b"\x80\x04(\x91.", "instruction FROZENSET"),
        "call of a call": (b"\x80\x02ccollections\nOrderedDict\n)R)R.", "calls something that is no"),
        "call of a string": (b"\x80\x02X\x01\0\0\0x)R.", "calls something that is no"),
        "arguments that are no tuple": (b"\x80\x02ccollections\nOrderedDict\n]R.", "calls something"),
        "attributes of a name": (b"\x80\x02ccollections\nOrderedDict\n}b.", "sets attributes"),
        "attributes of a tensor": (pickle_of({"w": tensor()})[:-2] + b"}b.", "sets attributes|damaged"),
        "call of a storage": (b"\x80\x02ctorch\nFloatStorage\nK\x04\x85R.", "make no tensor"),
    }


def test_the_trap_works(trap: Path) -> None:
    pickle.loads(hostile(trap)["os.system"][0])  # noqa: S301 - our own
    assert trap.exists()


@pytest.mark.parametrize("name", hostile(Path("unused")))
def test_hostile_pickles_are_refused_and_do_not_run(name: str, trap: Path, tmp_path: Path) -> None:
    pickled, message = hostile(trap)[name]
    refuse(write_archive(tmp_path / "evil.pth", pickled), message)
    assert not trap.exists()


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b".",
        b"\x80\x02",
        b"\x80\x02}",
        b"\x80\x02}q\x00h\x05.",
        b"\x80\x02(}u.",
        b"\x80\x02}(K\x01u.",
        b"\x80\x02K\x01K\x02K\x03s.",
        b"\x80\x02](K\x01e" + b"e.",
        b"\x80\x02(0.",
        b"\x80\x02}(\x85.",
        b"\x80\x02K\x01a.",
        b"\x80\x02X\xff\xff\xff\x7fabc.",
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
        b"\x80\x02\xff.",
        b"\x80\x02X\x02\0\0\0\xff\xfe.",
        b"\x80\x02}((K\x01tK\x02u.",  # a tuple as a key
        b"\x80\x02}" + b")" + b"\x85" * 200_000 + b"K\x01s.",  # hashing it would overflow the C stack
        b"\x80\x02R.",
        b"\x80\x02Q.",
        b"\x80\x02b.",
        b"\x80\x04\x94.",
    ],
)
def test_broken_pickles(pickled: bytes, tmp_path: Path) -> None:
    refuse(write_archive(tmp_path / "a.pth", pickled), "damaged|no dictionary|instruction")


def test_a_large_memo_index_costs_no_memory(tmp_path: Path) -> None:
    pickled = b"\x80\x02}r\xff\xff\xff\x7f."  # LONG_BINPUT 2**31 - 1: an array of that length in CPython
    refuse(write_archive(tmp_path / "a.pth", pickled), "no dictionary of tensors")


# --- hostile safetensors ------------------------------------------------------------------------------------


def write_safetensors(path: Path, header: object, body: bytes = b"\0" * 16) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def entry(**changes: object) -> dict[str, object]:
    return {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} | changes}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (entry(shape=[5]), r"'w' of shape \(5,\) has 16 bytes|larger than its storage"),
        (entry(shape=[3]), r"shape \(3,\) has 16 bytes"),
        (entry(shape=[-4]), "no whole number"),
        (entry(shape=[4.0]), "no whole number"),
        (entry(shape=[True]), "no whole number"),
        (entry(shape="4"), "does not say what 'w' is"),
        (entry(shape=[1 << 70]), "no whole number|larger"),
        (entry(dtype="F8_E4M3"), "of type 'F8_E4M3'; known: F64"),
        (entry(dtype=3), "does not say"),
        (entry(data_offsets=[0, 17]), "outside the file"),
        (entry(data_offsets=[-1, 15]), "outside the file"),
        (entry(data_offsets=[16, 0]), "outside the file"),
        (entry(data_offsets=[0]), "does not say"),
        (entry(data_offsets=[0, 8], shape=[2]), "take 8 bytes, but 16 are there"),
        (entry(data_offsets=None), "does not say"),
        ({"w": []}, "does not say"),
        ({}, "take 0 bytes, but 16"),
    ],
)
def test_safetensors_that_do_not_fit(header: object, message: str, tmp_path: Path) -> None:
    refuse(write_safetensors(tmp_path / "a.safetensors", header), message)


def test_safetensors_made_by_hand_are_read(tmp_path: Path) -> None:
    path = write_safetensors(
        tmp_path / "a.safetensors", entry() | {"__metadata__": {"a": "b"}}, struct.pack("<4f", 1, 2, 3, 4)
    )
    assert read_checkpoint(path)["w"].tolist() == [1, 2, 3, 4]


# --- damage anywhere ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["pth", "safetensors"])
def intact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("intact") / "file"
    save: Callable[..., None] = torch.save if request.param == "pth" else save_file
    save({"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4).half()}, path)
    return path.read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_an_error_or_harmless(data: st.DataObject, intact: bytes, tmp_path: Path) -> None:
    """Bytes changed, cut out or put in: arrays of plain numbers come out, or ModelError; nothing else."""
    start = data.draw(st.integers(0, len(intact) - 1))
    end = data.draw(st.integers(start, min(start + 20, len(intact))))
    damaged = intact[:start] + data.draw(st.binary(max_size=20)) + intact[end:]
    path = tmp_path / "damaged"
    path.write_bytes(damaged)
    try:
        arrays = dict(read_checkpoint(path))
    except ModelError as error:
        message, arrays = str(error), {}
    else:
        message = ""
    assert "\n" not in message
    assert all(array.nbytes <= len(damaged) for array in arrays.values())
