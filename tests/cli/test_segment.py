"""`anymask segment`: what it writes, where, and with which words and exit code."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

import anymask.predict.load as loading
from anymask.core.errors import ModelError
from anymask.core.record import MaskRecord
from anymask.core.regions import remove_small_regions, remove_specks
from anymask.formats import FILE_FORMATS, losses, read
from anymask.predict.load import BACKENDS, PRECISIONS
from tests.cli.conftest import Command
from tests.fake_runtime import FakeRuntime, fake_model, scene

SQUARE = ("--point", "40,30")
BAR = ("--point", "125,70")
BOXES = ("--box", "28,18,82,72", "--box", "98,38,152,112")


def best(**prompt: object) -> np.ndarray:
    """The mask that the library gives for a prompt."""
    model = fake_model()
    return model.predict(model.embed(scene()), **prompt).best.mask  # type: ignore[call-overload,no-any-return]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_click_gives_the_librarys_mask(command: Command, photo: Path, tmp_path: Path) -> None:
    done = command("segment", photo, *SQUARE, "-o", "mask.png")
    assert done.code == 0
    assert done.out == b""
    np.testing.assert_array_equal(pixels(tmp_path / "mask.png"), best(points=[(40, 30)]) * np.uint8(255))
    assert "photo.png: mask of 2,496 pixels, score 0.90 -> mask.png" in done.err


def test_without_any_output_the_mask_lands_beside_you(command: Command, photo: Path, tmp_path: Path) -> None:
    assert command("segment", photo, *SQUARE).code == 0
    assert pixels(tmp_path / "photo-mask.png").max() == 255
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photo-mask.png", "photo.png"]


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        (("--point", "40,30", "--point", "125,70"), {"points": [(40, 30), (125, 70)]}),
        (("--point", "40,30", "--point", "55,45:0"), {"points": [(40, 30, 1), (55, 45, 0)]}),
        (("--box", "28,18,82,72"), {"box": (28, 18, 82, 72)}),
        (("--box", "28,18,82,72", "--point", "50,60"), {"box": (28, 18, 82, 72), "points": [(50, 60)]}),
        (("--scribble", "35,25 75,30 75,65"), {"scribble": [(35, 25), (75, 30), (75, 65)]}),
        (("--polygon", "32,22 78,22 78,68"), {"polygon": [(32, 22), (78, 22), (78, 68)]}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_every_prompt_means_what_it_means_in_python(
    command: Command, photo: Path, tmp_path: Path, words: tuple[str, ...], prompt: dict[str, object]
) -> None:
    assert command("segment", photo, *words, "-o", "m.png").code == 0
    np.testing.assert_array_equal(pixels(tmp_path / "m.png") > 0, best(**prompt))


@pytest.mark.parametrize("ending", ["png", "json", "coco.json", "bmp", "jpg"])
def test_a_mask_file_as_prompt(command: Command, photo: Path, tmp_path: Path, ending: str) -> None:
    drawn = np.zeros((120, 160), bool)
    drawn[25:65, 35:75] = True
    path = tmp_path / f"drawn.{ending}"
    if ending in ("bmp", "jpg"):
        Image.fromarray(drawn * np.uint8(255)).save(path)
    else:
        from anymask.formats import write

        write(path, [MaskRecord.of_mask(drawn)])
    assert command("segment", photo, "--mask", path, "-o", "m.png").code == 0
    np.testing.assert_array_equal(pixels(tmp_path / "m.png") > 0, best(mask=drawn))


def test_a_mask_file_of_several_masks_is_refused(command: Command, photo: Path) -> None:
    assert command("segment", photo, *BOXES, "-o", "two.json").code == 0
    done = command("segment", photo, "--mask", "two.json", "-o", "m.png")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "holds 2 masks" in done.err


def test_several_boxes_are_several_objects(command: Command, photo: Path, tmp_path: Path) -> None:
    assert command("segment", photo, *BOXES, "-o", "labels.png", "--label", "thing").code == 0
    assert set(np.unique(pixels(tmp_path / "labels.png"))) == {0, 1, 2}
    assert command("segment", photo, *BOXES, "-o", "objects.json", "--label", "thing").code == 0
    records = read(tmp_path / "objects.json")
    assert [record.label for record in records] == ["thing", "thing"]
    assert [record.box_xywh for record in records] == [(30, 20, 50, 50), (100, 40, 50, 70)]


def test_json_keeps_prompt_and_model(command: Command, photo: Path, tmp_path: Path) -> None:
    command("segment", photo, *SQUARE, "--label", "square", "-o", "m.json")
    (record,) = read(tmp_path / "m.json")
    assert record.label == "square"
    assert record.point_xy == (40, 30)
    assert record.provenance["model"] == "fake@0.0.1"
    assert record.provenance["prompt"] == {"points": [[40, 30, 1]]}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
def test_coco_opens_in_pycocotools(
    command: Command, photo: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for words in (("-o", "m.coco.json"), ("-o", "m.json", "--format", "coco")):
        assert command("segment", photo, *BOXES, *words).code == 0
        coco = COCO(tmp_path / words[1])
        assert coco.imgs[1]["file_name"] == "photo.png"
        assert [coco.annToMask(a).sum() for a in coco.dataset["annotations"]] == [2496, 3496]
        capfdbinary.readouterr()


@pytest.mark.parametrize("format", FILE_FORMATS)
def test_every_format_of_one_image_is_written(
    command: Command, photo: Path, tmp_path: Path, format: str
) -> None:
    done = command("segment", photo, *BOXES, "--label", "thing", "--format", format, "-o", "out/")
    assert done.code == 0
    (path,) = (tmp_path / "out").iterdir()
    assert [record.area for record in read(path, format)] == [2496, 3496]
    lost = losses([MaskRecord.of_mask(best(box=(30, 20, 80, 70)), label="thing")], format)
    assert ("not kept: labels: 2" in done.err) == any(loss.what == "labels" for loss in lost)


def test_what_a_format_loses_is_told(command: Command, photo: Path) -> None:
    done = command("segment", photo, *SQUARE, "-o", "m.xml")
    assert "(not kept: crop boxes: 1, clicks: 1, provenance: 1, scores: 1, stability scores: 1)" in done.err
    done = command("segment", photo, *BOXES, "--box", "30,20,80,70", "-o", "m.png")
    assert "not kept: masks wholly under others: 1" in done.err
    assert "not kept" not in command("segment", photo, *BOXES, "-o", "m.png").err
    assert "not kept" not in command("segment", photo, *BOXES, "-o", "m.json").err
    done = command("segment", photo, *SQUARE, "--format", "yolo")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "anymask convert FOLDER OUT --to yolo" in done.err


def test_specks_go_unless_told_otherwise(
    command: Command, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two islands and two holes: a small one of each weighs little, a large one does not."""
    speckled = np.full((64, 64), -8, np.float32)
    speckled[10:40, 10:50] = 8
    speckled[12:14, 12:14] = speckled[20:30, 20:30] = -8
    speckled[2:4, 2:4] = speckled[45:47, 5:60] = 8
    monkeypatch.setattr(FakeRuntime, "_answer", lambda *_: np.stack([speckled] * 4))
    raw = fake_model().predict(fake_model().embed(scene()), points=[(40, 30)]).best.mask
    for words, expected in (
        ((), remove_specks(raw, 0.03)),
        (("--min-region", 0), raw),
        (("--min-region", 1000), remove_small_regions(raw, 1000)),
    ):
        assert command("segment", photo, *SQUARE, *words, "-o", "m.json").code == 0
        (record,) = read(tmp_path / "m.json")
        np.testing.assert_array_equal(record.mask, expected)
        assert record.box_xywh == record.rle.box_xywh
        assert not np.array_equal(expected, raw) or 0 in words
    done = command("segment", photo, *SQUARE, "--min-region", -1)
    assert (done.code, len(done.error_lines)) == (2, 1)


def test_svg_is_a_drawing_of_the_images_size(command: Command, photo: Path, tmp_path: Path) -> None:
    assert command("segment", photo, *SQUARE, "-o", "m.svg").code == 0
    root = ElementTree.parse(tmp_path / "m.svg").getroot()
    assert root.get("viewBox") == "0 0 160 120"
    assert len(root.findall("{http://www.w3.org/2000/svg}path")) == 1


def test_overlay_and_cutout(command: Command, photo: Path, tmp_path: Path) -> None:
    done = command("segment", photo, *SQUARE, "--overlay", "o.png", "--cutout", "c.png")
    assert done.code == 0
    assert not (tmp_path / "photo-mask.png").exists(), "pictures asked for, so no mask beside them"
    overlay, cutout = pixels(tmp_path / "o.png"), pixels(tmp_path / "c.png")
    assert overlay.shape == (120, 160, 3)
    assert (overlay[10, 10] == scene()[10, 10]).all()
    assert (overlay[30, 40] != scene()[30, 40]).any()
    assert cutout.shape == (120, 160, 4)
    assert cutout[30, 40].tolist() == [*scene()[30, 40], 255]
    assert cutout[100, 20, 3] == 0


@pytest.mark.parametrize("ending", ["jpg", "jpeg", "JPG", "webp", "png"])
def test_overlay_endings(command: Command, photo: Path, tmp_path: Path, ending: str) -> None:
    assert command("segment", photo, *SQUARE, "--overlay", f"o.{ending}").code == 0
    assert pixels(tmp_path / f"o.{ending}").shape == (120, 160, 3)


def test_candidates_are_all_written(command: Command, photo: Path, tmp_path: Path) -> None:
    words = ("-o", "m.png", "--overlay", "o.jpg", "--cutout", "c.webp")
    assert command("segment", photo, *SQUARE, "--candidates", *words).code == 0
    names = {p.name for p in tmp_path.iterdir()} - {"photo.png"}
    assert names == {
        f"{stem}-{i}.{end}" for stem, end in (("m", "png"), ("o", "jpg"), ("c", "webp")) for i in (1, 2, 3)
    }
    assert command("segment", photo, *SQUARE, "--candidates", "-o", "m.json").code == 0
    records = read(tmp_path / "m.json")
    assert [record.attributes["candidate"] for record in records] == [1, 2, 3]
    assert [record.score for record in records] == pytest.approx([0.9, 0.8, 0.7])
    np.testing.assert_array_equal(records[1].mask, pixels(tmp_path / "m-2.png") > 0)


def test_json_on_stdout_is_one_object_per_image(command: Command, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "second.png").write_bytes(photo.read_bytes())
    done = command("segment", photo, "second.png", *SQUARE, "--json", "-o", "masks")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["source"] for line in lines] == [str(photo), "second.png"]
    assert lines[1]["outputs"] == {"masks": [str(Path("masks", "second.png"))]}
    record = MaskRecord.from_json(lines[0]["annotations"][0])
    np.testing.assert_array_equal(record.mask, pixels(tmp_path / "masks" / "photo.png") > 0)


def test_json_alone_writes_no_file(command: Command, photo: Path, tmp_path: Path) -> None:
    done = command("segment", photo, *SQUARE, "--json")
    assert done.code == 0
    assert json.loads(done.out)["outputs"] == {}
    assert [p.name for p in tmp_path.iterdir()] == ["photo.png"]


def test_quiet(command: Command, photo: Path) -> None:
    done = command("segment", photo, *SQUARE, "--quiet", "-o", "m.png")
    assert (done.code, done.out, done.err) == (0, b"", "")
    bad = command("segment", photo, "--point", "999,1", "--quiet", "-o", "m.png")
    assert (bad.code, len(bad.error_lines)) == (2, 1)


def test_stdout(command: Command, photo: Path, tmp_path: Path) -> None:
    command("segment", photo, *SQUARE, "-o", "m.png")
    done = command("segment", photo, *SQUARE, "-o", "-")
    assert done.out == (tmp_path / "m.png").read_bytes()
    as_json = command("segment", photo, *SQUARE, "-o", "-", "--format", "json")
    assert json.loads(as_json.out)["format"] == "anymask-masks"


def test_nothing_found_is_said_and_is_no_failure(command: Command, photo: Path, tmp_path: Path) -> None:
    done = command(
        "segment", photo, "--point", "40,30:0", "-o", "m.png", "--cutout", "c.png", "--overlay", "o.png"
    )
    assert done.code == 0
    assert "the mask is empty" in done.err
    assert pixels(tmp_path / "m.png").max() == 0
    assert pixels(tmp_path / "c.png")[..., 3].max() == 0
    np.testing.assert_array_equal(pixels(tmp_path / "o.png"), scene())


def test_a_bad_image_among_many_is_named_and_the_rest_is_done(
    command: Command, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_text("this is text")
    (tmp_path / "small.png").write_bytes(b"")
    (tmp_path / "last.png").write_bytes(photo.read_bytes())
    done = command("segment", "bad.png", photo, "small.png", "last.png", *SQUARE, "-o", "out/", "--json")
    assert done.code == 1
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["last.png", "photo.png"]
    assert [line.split(": ")[2] for line in done.error_lines] == ["bad.png", "small.png"]
    assert "2 of 4 images done, 2 failed" in done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert ["error" in line for line in lines] == [True, False, True, False]


def test_a_point_outside_one_of_many(command: Command, photo: Path, tmp_path: Path) -> None:
    Image.fromarray(scene()[:40, :60]).save(tmp_path / "small.png")
    done = command("segment", "small.png", photo, *BAR, "-o", "out")
    assert done.code == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["photo.png"]
    assert "small.png: point (125, 70)" in done.err


def test_globs_and_equal_stems(command: Command, photo: Path, tmp_path: Path) -> None:
    Image.fromarray(scene()).save(tmp_path / "photo.jpg")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "photo.png").write_bytes(photo.read_bytes())
    done = command("segment", "*.*", "sub/*.png", *SQUARE, "-o", "masks/")
    assert done.code == 0
    assert sorted(p.name for p in (tmp_path / "masks").iterdir()) == [
        "photo_jpg.png",
        "photo_png-2.png",
        "photo_png.png",
    ]


def test_a_name_pattern(command: Command, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(photo.read_bytes())
    done = command("segment", photo, "b.png", *SQUARE, "-o", "{name}.svg", "--overlay", "see/{name}.jpg")
    assert done.code == 0
    assert {"photo.svg", "b.svg"} <= {p.name for p in tmp_path.iterdir()}
    assert {"photo.jpg", "b.jpg"} == {p.name for p in (tmp_path / "see").iterdir()}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no prompt given"),
        (("--point", "40"), "--point '40'"),
        (("--point", "40,30", "-o", "m.txt"), "known are"),
        (("--point", "40,30", "-o", "m"), "known are"),
        (("--point", "40,30", "--format", "gif"), "--format 'gif'"),
        (("--point", "40,30", "--cutout", "c.jpg"), "no transparency"),
        (("--point", "40,30", "--overlay", "o.svg"), "unknown picture ending"),
        (("--point", "40,30", "-o", "same.png", "--overlay", "same.png"), "-o and --overlay"),
        (("--point", "40,30", "-o", "photo.png"), "would replace the image"),
        (("--point", "40,30", "-o", "-", "--json"), "both write to stdout"),
        (("--point", "40,30", "--threads", "0"), "--threads"),
        (("--point", "40,30", "--precision", "half"), "--precision"),
        (("--point", "40,30", "--backend", "cuda"), "--backend"),
        (("--point", "40,30", "--mask", "nowhere.png"), "nowhere.png"),
        (("--point", "200,30"), "outside the image"),
        (("--point", "-5,30"), "outside the image"),
        (("--point", "30,140"), "x comes first"),
        (("--box", "80,70,30,20"), "wrong way round"),
        (("--box", "30,20,30,70"), "no area"),
        (("--box", "500,500,600,600"), "outside the image"),
        (("--polygon", "10,10 20,20 30,30"), "polygon"),
        (("--scribble", "10,10 500,20"), "outside the image"),
        (("--point", "40,30", "--mask", "wrong-size.png"), "the image 160 x 120"),
        (("--point", "40,30", "--mask", "empty.png"), "empty"),
        (("--bogus",), "--bogus"),
    ],
)
def test_wrong_input_is_one_line_exit_code_2_and_no_file(
    command: Command, photo: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    before_bytes = photo.read_bytes()
    Image.new("L", (16, 12), 255).save(tmp_path / "wrong-size.png")
    Image.new("L", (160, 120), 0).save(tmp_path / "empty.png")
    before = sorted(p.name for p in tmp_path.iterdir())
    done = command("segment", "photo.png", *words)
    assert done.code == 2
    assert len(done.error_lines) == 1
    assert done.err.count("\n") == 1
    assert message in done.err
    assert done.out == b""
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert photo.read_bytes() == before_bytes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"just a text, renamed", "text"),
        (b"\xff\xd8\xff\xe0 cut", "photo"),
        (None, "folder"),
    ],
)
def test_files_that_are_no_images(
    command: Command, tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "photo.jpg"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    done = command("segment", "photo.jpg", *SQUARE, "-o", "m.png")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert message in done.err
    assert not (tmp_path / "m.png").exists()


def test_a_truncated_photo(command: Command, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(photo.read_bytes()[:-60])
    done = command("segment", "cut.png", *SQUARE, "-o", "m.png")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "cut.png" in done.err


def convert(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(scene()[..., 0].astype(np.uint16) * 100)
    if mode == "F":
        return Image.fromarray(scene()[..., 0].astype(np.float32) / 255)
    return Image.fromarray(scene()).convert(mode)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        ("RGBA", "png"), ("LA", "png"), ("L", "png"), ("P", "png"), ("1", "png"), ("P", "gif"),
        ("I;16", "tif"), ("F", "tif"), ("CMYK", "jpg"), ("RGB", "webp"), ("RGB", "bmp"),
        ("RGB", "avif"), ("I;16", "png"),
    ],
)  # fmt: skip
def test_every_kind_of_file(command: Command, tmp_path: Path, mode: str, ending: str) -> None:
    convert(mode).save(tmp_path / f"in.{ending}")
    assert command("segment", f"in.{ending}", *SQUARE, "-o", "m.png", "--cutout", "c.png").code == 0
    assert pixels(tmp_path / "m.png").shape == (120, 160)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (16, 16)])
def test_small_and_thin_images(command: Command, tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, "white").save(tmp_path / "in.png")
    words = ("-o", "m.png", "--overlay", "o.png", "--cutout", "c.png")
    assert command("segment", "in.png", "--point", "0,0", *words).code == 0
    assert pixels(tmp_path / "m.png").shape == size[::-1]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_clicked_as_it_is_shown(command: Command, tmp_path: Path, orientation: int) -> None:
    """The point and the mask are in the upright picture, whatever the file's rows and columns are."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    image = Image.fromarray(scene())
    stored = image if orientation == 1 else image.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "phone.png", exif=exif)
    assert command("segment", "phone.png", *SQUARE, "-o", "m.png").code == 0
    np.testing.assert_array_equal(pixels(tmp_path / "m.png") > 0, best(points=[(40, 30)]))


@pytest.mark.parametrize(
    "name", ["my photo.png", "фото.png", "照片 ü.png", "a'b\"c.png", "-dash.png", "a{b}.png", "a[1].png"]
)
def test_names_with_anything_in_them(command: Command, photo: Path, tmp_path: Path, name: str) -> None:
    photo.rename(tmp_path / name)
    done = command("segment", "-o", f"to {name}", *SQUARE, "--json", "--", name)
    assert done.code == 0
    assert (tmp_path / f"to {name}").exists()
    assert json.loads(done.out)["source"] == name


def test_every_precision_and_backend_of_load_can_be_chosen(command: Command, photo: Path) -> None:
    for option, choices in (("--precision", PRECISIONS), ("--backend", BACKENDS)):
        for choice in choices:
            assert command("segment", photo, *SQUARE, option, choice, "-o", "m.png").code == 0


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("https://example.com/a.png", "web address"),
        ("x" * 300 + ".png", "too long"),
        ("*.webp", "no file matches"),
        ("nowhere/photo.png", "does not exist"),
        ("", "is a folder"),
    ],
)
def test_images_that_are_not_there(command: Command, image: str, message: str) -> None:
    done = command("segment", image, *SQUARE, "-o", "m.png")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert message in done.err.lower()


def test_a_name_too_long_to_write(command: Command, photo: Path) -> None:
    done = command("segment", photo, *SQUARE, "-o", "x" * 300 + ".png")
    assert (done.code, len(done.error_lines)) == (1, 1)
    assert "too long" in done.err


def test_hundreds_of_points(command: Command, photo: Path, tmp_path: Path) -> None:
    points = [word for i in range(500) for word in ("--point", f"{35 + i % 40},{25 + i % 37}")]
    assert command("segment", photo, *points, "-o", "m.png").code == 0
    assert pixels(tmp_path / "m.png").max() == 255


@pytest.mark.parametrize("ending", ["png", "json", "coco.json", "svg"])
def test_a_name_that_is_no_text(command: Command, photo: Path, tmp_path: Path, ending: str) -> None:
    """Linux lets a file name be any bytes; Python shows those that are no UTF-8 as lone surrogates."""
    photo.rename(tmp_path / "caf\udce9.png")
    done = command("segment", "caf\udce9.png", *SQUARE, "--label", "\udcff", "-o", f"m.{ending}", "--json")
    assert done.code == 0
    assert json.loads(done.out)["source"] == "caf\udce9.png"
    if ending == "json":
        assert read(tmp_path / "m.json")[0].label == "\udcff"


def test_missing_output_folders_are_made(command: Command, photo: Path, tmp_path: Path) -> None:
    assert command("segment", photo, *SQUARE, "-o", "a/b c/m.png").code == 0
    assert (tmp_path / "a" / "b c" / "m.png").exists()


def test_symbolic_links(command: Command, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("real.png")
    (tmp_path / "photo-link.png").symlink_to(photo)
    assert command("segment", "photo-link.png", *SQUARE, "-o", "link.png").code == 0
    assert (tmp_path / "link.png").is_symlink()
    assert pixels(tmp_path / "real.png").shape == (120, 160)


def test_an_output_that_cannot_be_written_fails_and_names_it(
    command: Command, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("kept")
    for out in ("file/m.png", "file/sub/m.png"):
        done = command("segment", photo, *SQUARE, "-o", out)
        assert (done.code, len(done.error_lines)) == (1, 1)
        assert "file" in done.err
    assert (tmp_path / "file").read_text() == "kept"


def test_a_full_disk(command: Command, photo: Path) -> None:
    done = command("segment", photo, *SQUARE, "-o", "/dev/full", "--format", "png")
    assert (done.code, len(done.error_lines)) == (1, 1)
    assert "/dev/full" in done.err


def test_an_existing_output_survives_a_failure(command: Command, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(b"precious")
    (tmp_path / "c.png").mkdir()
    assert command("segment", photo, "--point", "999,9", "-o", "m.png").code == 2
    assert (tmp_path / "m.png").read_bytes() == b"precious"
    assert command("segment", photo, *SQUARE, "-o", "m.png").code == 0
    assert pixels(tmp_path / "m.png").shape == (120, 160)
    assert not list(tmp_path.glob(".anymask-*")), "no temporary file is left"


def test_a_model_that_is_not_there(
    command: Command, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "home"))
    unknown = command("segment", photo, *SQUARE, "--model", "vit-b")
    assert unknown.code == 2
    assert "Did you mean 'vit_b'?" in unknown.err
    absent = command("segment", photo, *SQUARE, "--model", "vit_b")
    assert absent.code == 1
    assert "anymask models pull vit_b" in absent.err
    broken = tmp_path / "broken"
    broken.mkdir()
    assert command("segment", photo, *SQUARE, "--model", broken).code == 1


def test_a_model_that_fails(command: Command, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ModelError("the weights are\ndamaged; pull them again")

    monkeypatch.setattr(loading, "load", fail)
    done = command("segment", photo, *SQUARE)
    assert (done.code, done.err) == (1, "anymask: error: the weights are damaged; pull them again\n")
