"""Masks from boxes: COCO's figures against pycocotools used the ordinary way, and what goes into them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from anymask.cli.main import run as anymask
from anymask.core.errors import FormatError
from anymask.core.images import Picture
from anymask.core.masks import iou, mask_box
from anymask.core.rle import Rle, decode, encode
from anymask.evaluate.boxes import BoxesSettings, evaluate_sample, outcomes_of, summarise
from anymask.evaluate.coco_metrics import Judged, Scored, Truth, average_precision
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.detections import Detection, Detections, read_detections
from anymask.evaluate.predictors import Answer, Request
from anymask.evaluate.report import Report, outcomes_path
from anymask.evaluate.samples import Problems, Sample, TrueMask
from tests.evaluate import layouts
from tests.train.toys import drawing

HW = (60, 90)
MASKS = drawing(0, *HW)[1]


@dataclass
class Filler:
    """Answers a box with the box filled, or with the mask it knows for it; says 0.7 of it."""

    known: Sequence[np.ndarray] = ()
    name: str = "filler"
    sha256: str = ""
    opened: int = 0
    boxes: list[Any] = field(default_factory=list)

    def open(self, picture: Picture) -> Filler:
        self.opened += 1
        self.hw = picture.image_hw
        return self

    def predict_many(self, requests: Sequence[Request]) -> list[Answer]:
        self.boxes += [request.box for request in requests]
        return [Answer((self._mask(request.box),), (0.7,)) for request in requests]

    def _mask(self, box: Any) -> np.ndarray:
        for mask in self.known:
            if mask_box(mask) == tuple(map(int, box)):
                return mask
        x0, y0, x1, y1 = map(round, box)
        found = np.zeros(self.hw, bool)
        found[max(y0, 0) : y1, max(x0, 0) : x1] = True
        return found


def sample(*masks: TrueMask, key: str = "toy.png", source: str = "toys") -> Sample:
    return Sample(key, Picture(np.zeros((*HW, 3), np.uint8)), masks, source)


def line(predictor: Filler, true: Sample, **settings: Any) -> dict[str, Any]:
    """A picture's line as the journal gives it back."""
    found: dict[str, Any] = json.loads(
        json.dumps(evaluate_sample(predictor, true, BoxesSettings(**settings)))
    )
    return found


def random_picture(rng: np.random.Generator, objects: int) -> Judged:
    """Rectangles of three classes, some crowds, and masks found that are like them, unlike them, or twice."""
    truths, found = [], []
    for _ in range(objects):
        mask = rectangle(rng)
        truths.append(
            Truth(
                encode(mask), str(rng.choice(["a", "b", "c"])), bool(rng.random() < 0.15), float(mask.sum())
            )
        )
        for _ in range(int(rng.integers(0, 3))):
            moved = np.roll(mask, rng.integers(-6, 7, 2), (0, 1))
            label = truths[-1].label if rng.random() < 0.8 else "b"
            found.append(Scored(encode(moved), round(float(rng.random()), 3), label))
    found += [
        Scored(encode(rectangle(rng)), float(rng.random()), "c") for _ in range(int(rng.integers(0, 3)))
    ]
    return Judged((200, 300), tuple(truths), tuple(found))


def rectangle(rng: np.random.Generator) -> np.ndarray:
    mask = np.zeros((200, 300), bool)
    y, x = rng.integers(0, 150), rng.integers(0, 250)
    mask[y : y + rng.integers(4, 140), x : x + rng.integers(4, 140)] = True
    return mask


def by_the_book(pictures: Sequence[Judged], folder: Path, *, class_agnostic: bool) -> Any:
    """The twelve numbers from files, as pycocotools' documentation does it."""
    ids = {"a": 1, "b": 2, "c": 3}
    annotations, results = [], []
    for image, picture in enumerate(pictures, 1):
        for t in picture.truths:
            assert t.label is not None
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image, "category_id": ids[t.label],
                 "segmentation": t.rle.to_coco(), "area": t.area, "bbox": list(t.rle.box_xywh),
                 "iscrowd": int(t.crowd)}
            )  # fmt: skip
        for f in picture.found:
            assert f.label is not None
            results.append(
                {"image_id": image, "category_id": ids[f.label], "segmentation": f.rle.to_coco(),
                 "score": f.score}
            )  # fmt: skip
    images = [{"id": i, "height": 200, "width": 300} for i, _ in enumerate(pictures, 1)]
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    table = {"info": {}, "images": images, "categories": categories, "annotations": annotations}
    (folder / "truth.json").write_text(json.dumps(table))
    (folder / "results.json").write_text(json.dumps(results))
    truth = COCO(str(folder / "truth.json"))
    evaluation = COCOeval(truth, truth.loadRes(str(folder / "results.json")), "segm")
    evaluation.params.useCats = 0 if class_agnostic else 1
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats


@pytest.mark.parametrize("class_agnostic", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_pycocotools(seed: int, class_agnostic: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    pictures = [random_picture(rng, int(count)) for count in rng.integers(0, 7, 12)]
    found = average_precision(pictures, class_agnostic=class_agnostic)
    expected = by_the_book(pictures, tmp_path, class_agnostic=class_agnostic)
    assert list(found) == [
        "AP",
        "AP50",
        "AP75",
        "APs",
        "APm",
        "APl",
        "AR1",
        "AR10",
        "AR",
        "ARs",
        "ARm",
        "ARl",
    ]
    assert [(-1 if value is None else value) for value in found.values()] == list(expected)
    assert 0 < expected[0] < 1


def polygon_set(folder: Path) -> tuple[Path, Path]:
    """COCO's JSON with polygons, their own areas, a crowd as runs, a class nobody has; and boxes for it."""
    rng = np.random.default_rng(5)
    images, annotations, boxes = [], [], []
    for image in range(1, 7):
        layouts.picture_file(folder / "images" / f"p{image}.png", image)
        images.append({"id": image, "file_name": f"p{image}.png", "height": HW[0], "width": HW[1]})
        for _ in range(int(rng.integers(0, 5))):
            x, y = rng.uniform(0, 60), rng.uniform(0, 35)
            w, h = rng.uniform(3, 30), rng.uniform(3, 25)
            corners = [x, y, x + w, y + h / 4, x + w, y + h, x, y + h]
            known = {"image_id": image, "category_id": int(rng.integers(1, 4))}
            shape = {"segmentation": [corners], "area": w * h * 0.875, "bbox": [x, y, w, h]}
            annotations.append({"id": len(annotations) + 1, **known, **shape, "iscrowd": 0})
            moved = [x + rng.normal(0, 1), y + rng.normal(0, 1), w + rng.normal(0, 0.5), h]
            box = {**known, "bbox": moved}
            boxes.append({**box, "score": round(float(rng.random()), 2)})
    runs = [0, 20 * HW[0], 70 * HW[0]]
    crowd = {"size": list(HW), "counts": runs}
    annotations.append({**annotations[0], "id": 999, "iscrowd": 1, "segmentation": crowd, "area": 1200})
    categories = [{"id": number, "name": f"class {number}"} for number in range(1, 6)]
    table = {"info": {}, "images": images, "annotations": annotations, "categories": categories}
    truth = layouts.write_json(folder / "truth.json", table)
    return truth, layouts.write_json(folder / "boxes.json", boxes)


def test_the_whole_way_is_cocos(tmp_path: Path) -> None:
    """From COCO's files through samples, lines and summary: the numbers that COCO's own tools give."""
    truth, boxes = polygon_set(tmp_path)
    data, problems = open_samples([truth]), Problems()
    settings = BoxesSettings(read_detections(boxes, data, problems))
    lines = [evaluate_sample(Filler(), one, settings) for one in data.samples(problems)]
    assert problems.lines == []
    ids = {key: image for image, key in data.image_keys.items()}
    classes = {name: number for number, name in data.categories.items()}
    rows = [
        {"image_id": ids[one["key"]], "category_id": classes[f["label"]], "score": f["score"],
         "segmentation": {"size": list(HW), "counts": f["counts"]}}
        for one in lines
        for f in one["found"]
    ]  # fmt: skip
    table = COCO(str(truth))
    results_file = layouts.write_json(tmp_path / "results.json", rows)
    evaluation = COCOeval(table, table.loadRes(str(results_file)), "segm")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    found = summarise(json.loads(json.dumps(lines)))["coco"]
    assert [(-1 if value is None else value) for value in found.values()] == list(evaluation.stats)
    assert 0 < evaluation.stats[0] < 1


def test_a_predictor_that_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    truth = [TrueMask(mask, label) for mask, label in zip(MASKS, ("disk", "block"), strict=True)]
    lines = [line(Filler(MASKS), sample(*truth, key=key, source=key)) for key in ("a", "b")]
    summary = summarise(lines)
    assert summary["coco"]["AP"] == pytest.approx(1)
    assert summary["coco"]["AR"] == pytest.approx(1)
    assert summary["mean_over_masks"] == summary["mean_over_sources"] == {"box": 1.0}
    assert (summary["pictures"], summary["masks"], summary["boxes"], summary["sources"]) == (2, 4, 4, 2)
    assert summary["interval_95"] == {"box": [1.0, 1.0]}
    assert capsys.readouterr().out == "", "COCOeval's chatter is data's stdout"


def test_the_true_boxes_and_the_iou_of_each_mask() -> None:
    filler = Filler()
    found = line(filler, sample(*map(TrueMask, MASKS)))
    assert filler.boxes == [tuple(map(float, mask_box(mask))) for mask in MASKS]
    assert [one["score"] for one in found["found"]] == [0.7, 0.7]
    outcomes = list(outcomes_of(found))
    for number, (outcome, mask) in enumerate(zip(outcomes, MASKS, strict=True)):
        x0, y0, x1, y1 = mask_box(mask)
        box = np.zeros(HW, bool)
        box[y0:y1, x0:x1] = True
        assert outcome.number == number
        assert outcome.figures == {"box": pytest.approx(iou(box, mask))}
        assert outcome.box_rle is not None
        assert np.array_equal(decode(Rle(HW, outcome.box_rle)), box)
    assert outcomes[0].figures["box"] == pytest.approx(np.pi / 4, abs=0.05), "a disk in its box"


def test_crowds_are_given_no_box_and_forgive_what_is_inside() -> None:
    crowd = np.zeros(HW, bool)
    crowd[:30] = True
    truth = sample(TrueMask(MASKS[1], "block"), TrueMask(crowd, "block", crowd=True))
    x0, y0, x1, y1 = map(float, mask_box(MASKS[1]))
    inside = Detection((2.0, 2.0, 20.0, 12.0), 0.9, "block")
    boxes = {"toy.png": [inside, Detection((x0, y0, x1, y1), 0.8, "block")]}
    assert len(line(Filler(), truth)["found"]) == 1
    with_crowd = summarise([line(Filler(), truth, detections=Detections("d", "", boxes))])
    without = summarise([line(Filler(), sample(truth.masks[0]), detections=Detections("d", "", boxes))])
    assert with_crowd["coco"]["AP"] == pytest.approx(1)
    assert with_crowd["masks"] == 1
    assert without["coco"]["AP"] == pytest.approx(0.5), "a false alarm before the true find"


def test_pixels_that_are_not_scored_count_neither_way() -> None:
    block = MASKS[1]
    x0, y0, x1, y1 = mask_box(block)
    undecided = np.zeros(HW, bool)
    undecided[y0 - 3 : y0 + 3] = True
    wide = Filler([block])  # answers the smaller box that is left with that box filled
    (outcome,) = outcomes_of(line(wide, sample(TrueMask(block, ignore=undecided))))
    assert outcome.figures["box"] == 1.0
    assert wide.boxes == [(float(x0), float(y0 + 3), float(x1), float(y1))]
    everything = sample(TrueMask(block, ignore=np.ones(HW, bool)))
    assert summarise([line(Filler(), everything)])["masks"] == 0


def test_scores_and_classes_of_a_detector_are_kept() -> None:
    truth = sample(TrueMask(MASKS[0], "disk"), TrueMask(MASKS[1], "block"))
    boxes = [tuple(map(float, mask_box(mask))) for mask in MASKS]
    swapped = Detections(
        "d", "", {"toy.png": [Detection(boxes[0], 0.25, "block"), Detection(boxes[1], 0.5, "disk")]}
    )  # type: ignore[arg-type]
    found = line(Filler(MASKS), truth, detections=swapped)
    assert [(f["score"], f["label"], f["of"]) for f in found["found"]] == [
        (0.25, "block", None), (0.5, "disk", None),
    ]  # fmt: skip
    assert summarise([found])["coco"]["AP"] == 0
    assert summarise([found])["mean_over_masks"]["box"] == 0
    assert summarise([found], class_agnostic=True)["coco"]["AP"] == pytest.approx(1)
    assert summarise([found], class_agnostic=True)["mean_over_masks"]["box"] == 1


def test_a_picture_without_boxes_is_not_opened_and_counts() -> None:
    filler = Filler(MASKS)
    nothing = Detections("d", "", {})
    found = line(filler, sample(TrueMask(MASKS[0])), detections=nothing)
    assert filler.opened == 0
    summary = summarise([found])
    assert summary["coco"]["AP"] == 0
    assert summary["mean_over_masks"]["box"] == 0
    assert line(filler, sample())["truth"] == []


def test_boxes_at_and_beyond_the_border() -> None:
    """A box that reaches out is cut; one that lies quite outside finds nothing, and the others stay."""
    outside, across = Detection((95.0, 5.0, 99.0, 9.0), 0.9), Detection((80.0, -5.0, 120.0, 10.0), 0.8)
    filler, boxes = Filler(), Detections("d", "", {"toy.png": [outside, across]})
    first, second = line(filler, sample(TrueMask(MASKS[0])), detections=boxes)["found"]
    assert filler.boxes == [(80.0, 0.0, 90.0, 10.0)]
    assert (Rle(HW, first["counts"]).area, first["score"]) == (0, 0.9)
    assert Rle(HW, second["counts"]).box_xywh == (80, 0, 10, 10)
    assert second["box_xyxy"] == [80.0, -5.0, 120.0, 10.0], "as the detector said it"


def results(path: Path, rows: Any) -> Path:
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    return path


def test_detections_by_id_and_by_name(tmp_path: Path) -> None:
    data = open_samples([layouts.coco(tmp_path)])
    rows = [
        {"image_id": image, "category_id": 1 + i % 2, "bbox": [1, 2, 30, 40], "score": i / 10}
        for i, image in enumerate((10, 11, "p0.png", "p1", 10.0))
    ]
    problems = Problems()
    found = read_detections(results(tmp_path / "d.json", rows), data, problems)
    assert problems.lines == []
    assert {key: [d.score for d in each] for key, each in found.by_key.items()} == {
        "p0.png": [0, 0.2, 0.4], "p1.png": [0.1, 0.3],
    }  # fmt: skip
    assert found.by_key["p0.png"][0] == Detection((1, 2, 31, 42), 0, "disk")
    assert len(found.sha256) == 64
    agnostic = read_detections(tmp_path / "d.json", data, problems, class_agnostic=True)
    assert agnostic.by_key["p1.png"][0].label is None


def test_what_is_wrong_in_detections_is_named(tmp_path: Path) -> None:
    data = open_samples([layouts.coco(tmp_path)])
    good = {"image_id": 10, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 1}
    wrong = [
        7, {}, {**good, "bbox": [1, 2, 3]}, {**good, "bbox": [1, 2, 0, 3]}, {**good, "score": "high"},
        {**good, "category_id": 9}, {**good, "bbox": ["a", 2, 3, 4]}, {**good, "image_id": [1]},
    ]  # fmt: skip
    strangers = [{**good, "image_id": 4711}, {**good, "image_id": 4711}, {**good, "image_id": "else.png"}]
    problems = Problems()
    found = read_detections(results(tmp_path / "d.json", [good, *wrong, *strangers]), data, problems)
    assert sum(map(len, found.by_key.values())) == 1
    assert [text.split(":")[1].strip() for text in problems.lines[:-1]] == [
        f"detection {i}" for i in range(2, 2 + len(wrong))
    ]
    assert problems.lines[-1].startswith("d.json: 3 detections are of 2 pictures")
    with pytest.raises(FormatError, match=r"d\.json: detection 2"):
        read_detections(tmp_path / "d.json", data, Problems("refuse"))


@pytest.mark.parametrize("text", ["", "{", '{"annotations": []}'])
def test_a_file_that_is_no_list_of_detections(text: str, tmp_path: Path) -> None:
    data = open_samples([layouts.coco(tmp_path)])
    with pytest.raises(FormatError, match=r"d\.json"):
        read_detections(results(tmp_path / "d.json", text), data, Problems())
    with pytest.raises(FormatError, match="cannot read"):
        read_detections(tmp_path / "absent.json", data, Problems())


def test_classes_by_name_where_the_data_has_no_list(tmp_path: Path) -> None:
    data = open_samples([layouts.shard(tmp_path)])
    row = {"image_id": "toys-0", "bbox": [1, 2, 30, 40], "score": 1}
    problems = Problems()
    file = results(tmp_path / "d.json", [{**row, "category": "thing"}, {**row, "category_id": 1}])
    assert [d.label for d in read_detections(file, data, problems).by_key["toys-0"]] == ["thing"]
    assert "--class-agnostic" in problems.lines[0]


def test_the_command_goes_on_where_it_was_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = layouts.coco(tmp_path), tmp_path / "report.json"
    words = ["evaluate", "boxes", str(data), "--model", "grabcut", "-o", str(out)]
    assert anymask(words) == 0
    text = capsys.readouterr().err
    assert "grabcut" in text
    assert "mean IoU over masks" in text
    whole, journal = Report.load(out), outcomes_path(out)
    assert whole.summary["grabcut"]["pictures"] == 3
    assert whole.summary["grabcut"]["mean_over_masks"]["box"] > 0.9, "flat colours are easy"
    lines = journal.read_bytes()
    journal.write_bytes(lines[: len(lines) - 30])
    out.unlink()
    assert anymask([*words, "--quiet"]) == 0
    assert Report.load(out) == whole
    assert journal.read_bytes() == lines
    capsys.readouterr()
    assert anymask([*words, "--class-agnostic"]) == 2
    assert "--fresh" in capsys.readouterr().err


def test_the_command_with_a_detectors_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = layouts.coco(tmp_path)
    value = json.loads(data.read_text())
    rows = [
        {"image_id": a["image_id"], "category_id": a["category_id"], "bbox": a["bbox"], "score": 0.5}
        for a in value["annotations"]
    ]
    words = ["evaluate", "boxes", str(data), "--model", "grabcut", "--json"]
    file = results(tmp_path / "d.json", [*rows, {**rows[0], "image_id": 5}])
    assert anymask([*words, "--boxes", str(file)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["settings"]["boxes"]["file"] == "d.json"
    assert report["summary"]["grabcut"]["coco"]["AP50"] == pytest.approx(1)
    assert report["skipped"] == [
        "d.json: 1 detections are of 1 pictures that the data does not have (the first is 5)"
    ]
    assert anymask([*words, "--boxes", str(file), "--on-error", "refuse"]) == 2
    assert "d.json" in capsys.readouterr().err
