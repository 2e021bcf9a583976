"""Every layout: what it becomes, and what is said of files that cannot be used."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anymask import formats
from anymask.core.errors import FormatError, InputError, MissingExtraError
from anymask.core.record import MaskRecord
from anymask.evaluate.datasets import LAYOUTS, DataSet, open_samples
from anymask.evaluate.datasets.layouts import layout_of
from anymask.evaluate.datasets.mask_images import drawn_in, read_numbers
from anymask.evaluate.samples import Problems, Sample
from tests.evaluate import layouts
from tests.evaluate.layouts import HW, numbered, numbers_file, picture_file
from tests.train.toys import describe, drawing, png, write_shard

ALL = {
    "shards": layouts.shard,
    "coco": layouts.coco,
    "folder": layouts.folder,
    "davis": layouts.davis,
    "grabcut": layouts.trimaps,
    "bsds": layouts.bsds,
}


def read(data: DataSet, **how: object) -> tuple[dict[str, Sample], list[str]]:
    """All samples by key, and the lines of what could not be used."""
    problems = Problems()
    samples = {sample.key: sample for sample in data.samples(problems, **how)}  # type: ignore[arg-type]
    return samples, problems.lines


def masks_of(sample: Sample) -> list[np.ndarray]:
    return [true.mask for true in sample.masks]


def same(found: list[np.ndarray], expected: list[np.ndarray]) -> bool:
    """Whether these are the same masks in some order."""
    return len(found) == len(expected) and all(any(np.array_equal(a, b) for b in found) for a in expected)


@pytest.mark.parametrize("layout", ALL)
def test_every_layout_is_recognised_and_read_whole(layout: str, tmp_path: Path) -> None:
    path = ALL[layout](tmp_path)
    assert layout_of(path) == layout
    data = open_samples([path])
    samples, lines = read(data)
    assert lines == []
    assert len(samples) == len(data) >= 2
    for sample in samples.values():
        assert sample.picture.image_hw == HW
        assert all(true.mask.shape == HW for true in sample.masks)


@pytest.mark.parametrize("layout", ALL)
def test_every_nth_picture_and_what_is_done_are_left_out(layout: str, tmp_path: Path) -> None:
    data = open_samples([ALL[layout](tmp_path)])
    everything = list(read(data)[0])
    assert list(read(data, every=2)[0]) == everything[::2]
    assert list(read(data, done={everything[0]})[0]) == everything[1:]


def test_shards(tmp_path: Path) -> None:
    samples, _ = read(open_samples([layouts.shard(tmp_path, 3)]))
    assert list(samples) == ["toys-0", "toys-1", "toys-2"]
    for i, sample in enumerate(samples.values()):
        pixels, masks = drawing(i)
        assert np.array_equal(sample.picture.pixels, pixels)
        assert same(masks_of(sample), masks)
        assert (sample.source, sample.kind, sample.masks[0].label) == ("toys", "other", "thing")


def test_what_is_wrong_in_a_shard_is_named(tmp_path: Path) -> None:
    samples, lines = read(open_samples([layouts.broken_shard(tmp_path)]))
    assert list(samples) == ["good", "half"]
    assert [line.split(":")[0] for line in lines] == [
        "text", "empty", "small", "none", "half", "notjson", "list",
    ]  # fmt: skip
    assert len(samples["half"].masks) == 1
    assert "mask 1 is empty" in lines[4]
    assert "(20, 90)" in lines[2]
    assert "(60, 90)" in lines[2]


def test_refuse_stops_at_the_first(tmp_path: Path) -> None:
    data = open_samples([layouts.broken_shard(tmp_path)])
    found = data.samples(Problems("refuse"))
    assert next(found).key == "good"
    with pytest.raises(FormatError, match=r"^text: .*--on-error skip"):
        next(found)


def test_refuse_stops_at_a_single_mask(tmp_path: Path) -> None:
    data = open_samples([layouts.broken_shard(tmp_path)])
    with pytest.raises(FormatError, match=r"^half: mask 1 is empty"):
        list(data.samples(Problems("refuse"), done={"text", "empty", "small", "none"}))


def test_a_shard_that_is_cut_off_gives_what_is_whole(tmp_path: Path) -> None:
    whole = layouts.shard(tmp_path, 3)
    with tarfile.open(whole) as tar:
        place = tar.getmember("toys-2.png").offset_data
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole.read_bytes()[: place + 20])
    samples, lines = read(open_samples([cut]))
    assert list(samples) == ["toys-0", "toys-1"]
    assert any(line.startswith("toys-2.png") for line in lines)


def test_parts_of_a_pair_and_twins_in_a_shard_are_named(tmp_path: Path) -> None:
    pixels, _ = drawing(0)
    path = tmp_path / "odd.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in (("lonely.png", png(pixels)), ("alone.json", b"{}"), ("README", b"words")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    samples, lines = read(open_samples([path]))
    assert samples == {}
    assert sorted(line.split(":")[0] for line in lines) == ["alone.json", "lonely.png"]


def test_coco_labels_areas_crowds_and_pictures_without_annotation(tmp_path: Path) -> None:
    path = layouts.coco(tmp_path)
    value = json.loads(path.read_text())
    value["annotations"][1].update(iscrowd=1, area=17.5)
    path.write_text(json.dumps(value))
    data = open_samples([path])
    samples, lines = read(data)
    assert lines == []
    assert list(samples) == ["p0.png", "p1.png", "nothing.png"]
    assert [true.label for true in samples["p0.png"].masks] == ["disk", "block"]
    assert [true.crowd for true in samples["p0.png"].masks] == [False, True]
    assert samples["p0.png"].masks[1].area == 17.5
    assert same(masks_of(samples["p1.png"]), drawing(1)[1])
    assert samples["nothing.png"].masks == ()
    assert data.image_keys == {10: "p0.png", 11: "p1.png", 900: "nothing.png"}
    assert data.categories == {1: "disk", 2: "block"}


def test_coco_folder_and_pictures_elsewhere(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    assert layout_of(tmp_path) == "coco"
    assert len(open_samples([tmp_path])) == 3
    moved = tmp_path / "elsewhere" / "deep" / "down"
    moved.parent.mkdir(parents=True)
    (tmp_path / "images").rename(moved)
    with pytest.raises(FormatError, match="--images"):
        open_samples([tmp_path])
    assert len(read(open_samples([tmp_path], pictures=moved))[0]) == 3


def test_several_coco_files_in_a_folder_are_not_guessed(tmp_path: Path) -> None:
    path = layouts.coco(tmp_path)
    path.with_name("instances_train.json").write_text(path.read_text())
    with pytest.raises(FormatError, match=r"2 JSON files.*instances_train\.json"):
        open_samples([tmp_path], "coco")


def test_what_is_wrong_in_coco_is_named(tmp_path: Path) -> None:
    value = layouts.coco_tables(tmp_path / "images", 6)
    rows = value["annotations"]
    rows[1]["segmentation"] = {"size": [60, 90], "counts": "nonsense"}
    rows[2]["segmentation"]["size"] = [90, 60]
    rows[3]["segmentation"] = []
    rows[4]["image_id"] = 4711
    (tmp_path / "images" / "p3.png").write_bytes(b"words")
    (tmp_path / "images" / "p4.png").unlink()
    value["images"][5]["height"] = 61
    path = layouts.write_json(tmp_path / "set.json", value)
    samples, lines = read(open_samples([path]))
    assert list(samples) == ["p0.png", "p2.png"]
    text = "\n".join(lines)
    assert "p0.png: annotation 2" in text
    assert "p1.png: no mask can be used: annotation 3" in text
    assert "annotation 4 is empty" in text
    assert "set.json: annotation 5: its image 4711" in text
    assert "p3.png: " in text
    assert "p4.png: the picture 'p4.png' is not in" in text
    assert "p5.png: the JSON says size (61, 90)" in text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"images": []}', '{"images": 3, "annotations": []}'])
def test_wrong_coco_json(text: str, tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"set\.json"):
        open_samples([path], "coco")


NAMES = {
    "splits inside": ("images/train/p.jpg", ["masks/train/p.png"]),
    "splits outside": ("train/imgs/p.jpg", ["train/gt/p.png"]),
    "suffix": ("images/p.jpg", ["masks/p_mask.png"]),
    "same folder": ("p.jpg", ["p.png"]),
    "same folder, suffix": ("p.png", ["p-mask.png"]),
    "one file an object": ("images/p.jpg", ["masks/p_0.png", "masks/p_1.png"]),
    "numbered name": ("images/p_7.jpg", ["masks/p_7.png"]),
    "numbered name, one file an object": ("images/p_7.jpg", ["masks/p_7_0.png", "masks/p_7_1.png"]),
    "a folder an object": ("images/p.jpg", ["masks/p/x.png", "masks/p/y.png"]),
    "a folder a picture": ("p/images/p.jpg", ["p/masks/x.png", "p/masks/y.png"]),
    "VOC": ("JPEGImages/p.jpg", ["SegmentationObject/p.png"]),
}


@pytest.mark.parametrize("naming", NAMES)
def test_names_of_pictures_and_masks(naming: str, tmp_path: Path) -> None:
    picture, files = NAMES[naming]
    masks = picture_file(tmp_path / picture)
    if len(files) == 1:
        numbers_file(tmp_path / files[0], numbered(masks))
    else:
        for file, mask in zip(files, masks, strict=True):
            numbers_file(tmp_path / file, mask.astype(np.uint8) * 255)
    samples, lines = read(open_samples([tmp_path]))
    assert lines == []
    assert list(samples) == [picture]
    assert same(masks_of(samples[picture]), masks)


def test_maps_of_classes_do_not_mix_with_maps_of_objects(tmp_path: Path) -> None:
    masks = picture_file(tmp_path / "JPEGImages/p.jpg")
    picture_file(tmp_path / "JPEGImages/unsegmented.jpg")
    numbers_file(tmp_path / "SegmentationObject/p.png", numbered(masks))
    numbers_file(tmp_path / "SegmentationClass/p.png", numbered(masks, (7, 7)))
    (tmp_path / "Annotations").mkdir()
    samples, lines = read(open_samples([tmp_path]))
    assert lines == []
    assert same(masks_of(samples["JPEGImages/p.jpg"]), masks)


def test_what_is_wrong_in_a_folder_is_named(tmp_path: Path) -> None:
    layouts.folder(tmp_path)
    black = np.zeros(HW, np.uint8)
    for name in ("black", "small", "words", "broken", "lonely", "photo"):
        picture_file(tmp_path / f"images/{name}.png")
    numbers_file(tmp_path / "masks/black.png", black)
    numbers_file(tmp_path / "masks/small.png", black[:20] + 1)
    (tmp_path / "masks/words.png").write_text("words")
    (tmp_path / "images/broken.png").write_bytes((tmp_path / "images/broken.png").read_bytes()[:60])
    numbers_file(tmp_path / "masks/broken.png", black + 1)
    numbers_file(tmp_path / "masks/orphan.png", black + 1)
    noise = np.random.default_rng(0).integers(0, 256, (*HW, 3), np.uint8)
    numbers_file(tmp_path / "masks/photo.png", noise)
    samples, lines = read(open_samples([tmp_path]))
    assert list(samples) == ["images/p0.png", "images/p1.png"]
    assert sorted(line.split(":")[0] for line in lines) == [
        "images/black.png", "images/broken.png", "images/lonely.png", "images/photo.png", "images/small.png",
        "images/words.png", "masks/orphan.png",
    ]  # fmt: skip
    text = "\n".join(lines)
    assert "black.png is empty" in text
    assert "(20, 90)" in text
    assert "different numbers or colours" in text


def test_a_folder_without_pairs(tmp_path: Path) -> None:
    picture_file(tmp_path / "a.png")
    with pytest.raises(FormatError, match="1 pictures and 0 mask images"):
        open_samples([tmp_path])


masks_as_drawn = drawing(3, *HW)[1]


@given(
    kind=st.sampled_from([np.uint8, np.uint16]),
    values=st.lists(st.integers(1, 100), min_size=2, max_size=2, unique=True),
)
def test_numbers_become_masks(
    tmp_path_factory: pytest.TempPathFactory, kind: type, values: list[int]
) -> None:
    path = tmp_path_factory.mktemp("masks") / "m.png"
    numbers = numbered(masks_as_drawn, tuple(values)).astype(kind)
    numbers_file(path, numbers)
    assert same([d.mask for d in drawn_in(path)], masks_as_drawn)  # type: ignore[misc]


def border() -> np.ndarray:
    found = np.zeros(HW, bool)
    found[:, 0] = True
    return found


def test_void_is_not_scored(tmp_path: Path) -> None:
    numbers = numbered(masks_as_drawn)
    numbers[border()] = 255
    found = list(drawn_in(numbers_file(tmp_path / "m.png", numbers, palette=True)))
    assert same([d.mask for d in found], masks_as_drawn)  # type: ignore[misc]
    assert all(np.array_equal(d.ignore, border()) for d in found)
    colours = np.zeros((*HW, 3), np.uint8)
    colours[masks_as_drawn[0]], colours[masks_as_drawn[1]], colours[border()] = (
        (9, 0, 0),
        (0, 0, 9),
        (224, 224, 192),
    )
    found = list(drawn_in(numbers_file(tmp_path / "c.png", colours)))
    assert same([d.mask for d in found], masks_as_drawn)  # type: ignore[misc]
    assert all(np.array_equal(d.ignore, border()) for d in found)


@pytest.mark.parametrize("value", [1, 128, 255])
def test_one_value_is_one_object(value: int, tmp_path: Path) -> None:
    path = numbers_file(tmp_path / "m.png", masks_as_drawn[0].astype(np.uint8) * np.uint8(value))
    assert same([d.mask for d in drawn_in(path)], masks_as_drawn[:1])  # type: ignore[misc]
    assert next(iter(drawn_in(path))).ignore is None


def test_many_objects_with_255_among_them(tmp_path: Path) -> None:
    numbers = np.arange(HW[0] * HW[1]).reshape(HW) % 256
    path = numbers_file(tmp_path / "m.png", numbers.astype(np.uint8))
    assert len(list(drawn_in(path))) == 255


def test_soft_edges_and_jpeg_are_cut(tmp_path: Path) -> None:
    big = Image.fromarray(masks_as_drawn[0].astype(np.uint8) * 255).resize(
        (900, 600), Image.Resampling.BICUBIC
    )
    big.save(tmp_path / "m.png")
    big.convert("RGB").save(tmp_path / "m.jpg")
    for name in ("m.png", "m.jpg"):
        numbers = read_numbers(tmp_path / name)
        assert set(np.unique(numbers.values)) == {0, 1}
        assert abs(numbers.values.mean() - masks_as_drawn[0].mean()) < 0.01


def test_transparent_pixels_are_no_object(tmp_path: Path) -> None:
    cut_out = np.dstack([np.full((*HW, 3), 200, np.uint8), masks_as_drawn[0].astype(np.uint8) * 255])
    path = tmp_path / "m.png"
    Image.fromarray(cut_out).save(path)
    assert same([d.mask for d in drawn_in(path)], masks_as_drawn[:1])  # type: ignore[misc]


def test_davis_takes_480p_and_lists(tmp_path: Path) -> None:
    root = layouts.davis(tmp_path)
    samples, _ = read(open_samples([root]))
    assert list(samples) == [
        f"JPEGImages/480p/{name}.jpg" for name in ("bear/00000", "bear/00001", "dog/00000")
    ]
    assert same(masks_of(samples["JPEGImages/480p/bear/00001.jpg"]), drawing(1, *HW)[1])
    listed = open_samples([root / "ImageSets/2017/val.txt"])
    assert list(read(listed)[0]) == ["JPEGImages/480p/dog/00000.jpg"]
    pairs = root / "ImageSets/2016.txt"
    pairs.write_text("/JPEGImages/480p/bear/00001.jpg /Annotations/480p/bear/00001.png\n")
    assert list(read(open_samples([pairs]))[0]) == ["JPEGImages/480p/bear/00001.jpg"]
    pairs.write_text("cat\n")
    with pytest.raises(FormatError, match="no annotated frame"):
        open_samples([pairs])


def test_the_interactive_benchmark_of_davis_has_one_object_a_frame(tmp_path: Path) -> None:
    masks = picture_file(tmp_path / "img/00.jpg")
    numbers_file(tmp_path / "gt/00.png", numbered(masks))
    for layout, expected in (("davis", [masks[0] | masks[1]]), ("folder", masks)):
        samples, lines = read(open_samples([tmp_path], layout))
        assert lines == []
        assert same(masks_of(samples["img/00.jpg"]), expected)


def test_what_is_wrong_in_davis_is_named(tmp_path: Path) -> None:
    root = layouts.davis(tmp_path)
    (root / "JPEGImages/480p/bear/00000.jpg").unlink()
    numbers_file(root / "Annotations/480p/bear/00001.png", np.zeros(HW, np.uint8))
    samples, lines = read(open_samples([root]))
    assert list(samples) == ["JPEGImages/480p/dog/00000.jpg"]
    assert [line.split(":")[0] for line in lines] == [f"JPEGImages/480p/bear/0000{i}.jpg" for i in range(2)]


@pytest.mark.parametrize(
    ("layout", "folders"), [("grabcut", ("data_GT", "boundary_GT")), ("berkeley", ("images", "masks"))]
)
def test_trimaps(layout: str, folders: tuple[str, str], tmp_path: Path) -> None:
    root = layouts.trimaps(tmp_path, *folders)
    samples, lines = read(open_samples([root], layout))
    assert lines == []
    for i, sample in enumerate(samples.values()):
        disk = drawing(i, *HW)[1][0]
        undecided = np.zeros(HW, bool)
        undecided[40:42] = True
        assert len(sample.masks) == 1
        assert np.array_equal(sample.masks[0].mask, disk & ~undecided)
        assert np.array_equal(sample.masks[0].ignore, undecided)
    numbers_file(root / folders[1] / "p0.bmp", np.full(HW, 128, np.uint8))
    assert "is empty" in read(open_samples([root], layout))[1][0]
    with pytest.raises(FormatError, match="has no folder"):
        open_samples([root], "grabcut" if layout == "berkeley" else "berkeley")


def test_bsds_segments_and_everyones_boundaries(tmp_path: Path) -> None:
    root = layouts.bsds(tmp_path)
    samples, _ = read(open_samples([root]))
    assert list(samples) == ["0.jpg", "1.jpg"]
    sample = samples["1.jpg"]
    masks = drawing(1, *HW)[1]
    assert same(masks_of(sample), [*masks, ~(masks[0] | masks[1])])
    assert sample.exhaustive
    assert len(sample.boundaries) == 2
    assert sample.boundaries[0].any()
    assert not sample.boundaries[1].any()
    edges = np.diff(numbered(masks), axis=1) != 0
    assert np.array_equal(sample.boundaries[0][:, :-1], edges)


def test_bsds_splits(tmp_path: Path) -> None:
    layouts.bsds(tmp_path / "BSR/BSDS500/data")
    root = layouts.bsds(tmp_path / "BSR/BSDS500/data", "val")
    (root / "images/val/1.jpg").unlink()
    assert open_samples([tmp_path]).name == "bsds-test"
    for path in (root / "images/val", root / "groundTruth/val"):
        samples, lines = read(open_samples([path]))
        assert list(samples) == ["0.jpg"]
        assert lines == ["groundTruth/val/1.mat: there is no picture for it"]


def test_what_is_wrong_in_bsds_is_named(tmp_path: Path) -> None:
    root = layouts.bsds(tmp_path)
    truth = root / "groundTruth/test"
    for name in ("cut", "words", "sizes", "missing", "fields", "nobody"):
        picture_file(root / f"images/test/{name}.jpg")
    (truth / "cut.mat").write_bytes((truth / "0.mat").read_bytes()[:300])
    (truth / "words.mat").write_text("words")
    layouts.matfile(truth / "sizes.mat", [np.ones((90, 60), np.uint16)])
    layouts.savemat(truth / "fields.mat", {"groundTruth": np.ones((2, 2))})
    layouts.savemat(truth / "nobody.mat", {"groundTruth": np.empty((1, 0), object)})
    samples, lines = read(open_samples([root]))
    assert list(samples) == ["0.jpg", "1.jpg"]
    assert sorted(line.split(":")[0] for line in lines) == [
        "cut.jpg", "fields.jpg", "missing.jpg", "nobody.jpg", "sizes.jpg", "words.jpg",
    ]  # fmt: skip
    assert "(90, 60)" in next(line for line in lines if line.startswith("sizes"))


def test_bsds_without_scipy_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = layouts.bsds(tmp_path)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(MissingExtraError, match=r"anymask\[evaluate\]"):
        read(open_samples([root]))


@pytest.mark.parametrize("format", ["labelme", "yolo", "voc", "panoptic", "cvat", "json", "sa1b"])
def test_formats_of_annotation_tools(format: str, tmp_path: Path) -> None:
    """What `formats` writes with the pictures is a data set."""
    pictures = tmp_path / "pictures"
    masks = {f"p{i}.png": picture_file(pictures / f"p{i}.png", i) for i in range(2)}
    contents = [
        formats.Contents(
            tuple(MaskRecord.of_mask(m, label="thing", id=i) for i, m in enumerate(found, 1)), HW, name
        )
        for name, found in masks.items()
    ]
    root = tmp_path / "set"
    formats.write_images(f"{root}/", contents, format, pictures=pictures)
    assert layout_of(root) == ("folder" if format == "voc" else "annotated")  # the masks themselves
    found_out = {key: len(sample.masks) for key, sample in read(open_samples([root]))[0].items()}
    samples, lines = read(open_samples([root], format))
    assert lines == []
    assert list(found_out.values()) == [2, 2]
    assert [Path(key).name for key in samples] == [Path(key).name for key in found_out]
    for name, sample in zip(masks, samples.values(), strict=True):
        assert len(sample.masks) == 2
        for found in masks_of(sample):
            best = max((found & m).sum() / (found | m).sum() for m in masks[name])
            assert best > 0.9, "outlines lose a few pixels"


def test_a_broken_file_of_an_annotation_tool_harms_its_picture_alone(tmp_path: Path) -> None:
    picture_file(tmp_path / "p0.png")
    record = MaskRecord.of_mask(drawing(0, *HW)[1][0], label="disk")
    formats.write_images(
        f"{tmp_path}/set/", [formats.Contents((record,), HW, "p0.png")], "labelme", pictures=tmp_path
    )
    (tmp_path / "set" / "broken.json").write_text("{")
    samples, lines = read(open_samples([tmp_path / "set"], "labelme"))
    assert list(samples) == ["p0.json"]
    assert samples["p0.json"].masks[0].label == "disk"
    assert [line.split(":")[0] for line in lines] == ["broken.json"]


def test_several_data_sets_are_one(tmp_path: Path) -> None:
    first, second = layouts.folder(tmp_path / "a"), layouts.folder(tmp_path / "b")
    joined = open_samples([first, second])
    assert joined.name == "a, b"
    assert list(read(joined)[0]) == [f"{s}/images/p{i}.png" for s in "ab" for i in range(2)]
    mixed = open_samples([layouts.shard(tmp_path), first])
    assert list(read(mixed)[0]) == ["toys-0", "toys-1", "images/p0.png", "images/p1.png"]


def test_folders_of_one_name_keep_apart(tmp_path: Path) -> None:
    paths = [layouts.folder(tmp_path / x / "set") for x in "ab"]
    samples, _ = read(open_samples(paths))
    assert len(samples) == 4


def test_wrong_paths_and_layouts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data"):
        open_samples([])
    with pytest.raises(InputError, match="layout 'nonsense' is not known; give one of auto, shards"):
        open_samples([tmp_path], "nonsense")
    with pytest.raises(FormatError, match="does not exist"):
        open_samples([tmp_path / "absent"])
    file = tmp_path / "words.tar"
    file.write_text("words")
    with pytest.raises(FormatError, match="is no shard"):
        open_samples([file])


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "auto"])
def test_an_empty_folder_is_no_data_set(layout: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        read(open_samples([tmp_path], layout))


def test_stray_json_files_do_not_mislead(tmp_path: Path) -> None:
    root = layouts.folder(tmp_path / "a")
    (root / "meta.json").write_text('{"licence": "none"}')
    (root / "broken.json").write_text("{")
    assert layout_of(root) == "folder"
    assert len(read(open_samples([root]))[0]) == 2


def test_annotation_files_are_found_among_broken_ones(tmp_path: Path) -> None:
    masks = picture_file(tmp_path / "sa_1.jpg")
    formats.write(
        tmp_path / "sa_1.json", [MaskRecord.of_mask(m) for m in masks], format="sa1b", image_name="sa_1.jpg"
    )
    (tmp_path / "sa_0.json").write_text("{")
    samples, lines = read(open_samples([tmp_path]))
    assert same(masks_of(samples["sa_1.json"]), masks)
    assert [line.split(":")[0] for line in lines] == ["sa_0.json"]


def test_a_mask_is_never_taken_for_its_picture(tmp_path: Path) -> None:
    value = layouts.coco_tables(tmp_path / "images", 2)
    for i in range(2):
        numbers_file(tmp_path / f"masks/p{i}.jpeg", np.ones(HW, np.uint8))
    (tmp_path / "images/p1.png").unlink()
    path = layouts.write_json(tmp_path / "set.json", value)
    samples, lines = read(open_samples([path]))
    assert list(samples) == ["p0.png"]
    assert lines == [f"p1.png: the picture 'p1.png' is not in '{tmp_path / 'images'}'"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Ways to everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if path else []
    return found + [way for key, one in inside for way in places(one, (*path, key))]


def changed(value: object, way: tuple[object, ...], new: object) -> object:
    copy = json.loads(json.dumps(value))
    spot = copy
    for key in way[:-1]:
        spot = spot[key]
    spot[way[-1]] = new
    return copy


@pytest.fixture(scope="module")
def drawn_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fuzz")
    layouts.write_json(root / "set.json", layouts.coco_tables(root / "images", 2))
    return root


@given(data=st.data())
def test_no_coco_json_does_anything_but_being_named(drawn_pictures: Path, data: st.DataObject) -> None:
    value = json.loads((drawn_pictures / "set.json").read_text())
    way = data.draw(st.sampled_from(places(value)))
    path = layouts.write_json(drawn_pictures / "fuzzed.json", changed(value, way, data.draw(json_values)))
    refused = ""
    try:
        samples, lines = read(open_samples([path], "coco", pictures=drawn_pictures / "images"))
    except FormatError as error:
        refused = str(error)
    assert "fuzzed.json" in refused if refused else len(samples) + len(lines) >= 1


@given(data=st.data())
def test_no_shard_json_does_anything_but_being_named(drawn_pictures: Path, data: st.DataObject) -> None:
    pixels, masks = drawing(0)
    about = describe(masks)
    way = data.draw(st.sampled_from(places(about)))
    text = json.dumps(changed(about, way, data.draw(json_values))).encode()
    path = write_shard(drawn_pictures / "fuzzed.tar", [("a", png(pixels), text)])
    samples, lines = read(open_samples([path]))
    assert (list(samples) == ["a"]) == (not lines or lines[0].startswith("a: mask"))


def test_more_masks_than_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anymask.evaluate.datasets.dataset.MOST_BYTES", HW[0] * HW[1] * 2)
    many = (np.arange(HW[0] * HW[1]).reshape(HW) % 100).astype(np.uint8)
    root = layouts.folder(tmp_path)
    numbers_file(root / "masks/p1.png", many)
    samples, lines = read(open_samples([root]))
    assert list(samples) == ["images/p0.png"]
    assert "60 x 90 pixels do not fit into memory" in lines[0]
