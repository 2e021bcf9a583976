"""`anymask everything`: the library's masks in files, jobs that are taken up again, amg.py's flags."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import anymask
import anymask.predict.load as loading
from anymask.automatic import (
    PRESETS,
    AutomaticState,
    generate_masks,
    partition,
    preset_settings,
    with_parents,
)
from anymask.cli.everything_job import amg_model
from anymask.cli.job_log import NAME
from anymask.cli.main import run
from anymask.core.errors import InputError, OutputError
from anymask.core.record import MaskRecord
from anymask.formats import read
from tests.cli.conftest import Command
from tests.fake_runtime import FakeRuntime, fake_model, scene

SMALL = ("--points-per-side", 8)
ROOT = Path(__file__).parents[2]
FLOWER = ROOT / "examples" / "flower.jpg"


def plain(records: list[MaskRecord]) -> list[dict[str, Any]]:
    return [record.to_json() for record in records]


def expected(preset: str | None = None, **settings: Any) -> list[MaskRecord]:
    return generate_masks(fake_model(), scene(), preset_settings(preset, **{"points_per_side": 8} | settings))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three pictures, the second of which is broken, and a text."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(scene()).save(folder / "a.png")
    (folder / "b.png").write_bytes(b"no picture")
    Image.fromarray(scene()[:, ::-1]).save(folder / "c.png")
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_a_preset_gives_the_librarys_masks(
    command: Command, photo: Path, tmp_path: Path, preset: str | None
) -> None:
    words = () if preset is None else ("--preset", preset)
    done = command("everything", photo, *SMALL, *words)
    assert (done.code, done.out) == (0, b"")
    records = expected(preset)
    assert plain(read(tmp_path / "photo-masks.json")) == plain(records)
    assert f"photo.png: {len(records)} masks -> photo-masks.json" in done.err


@pytest.mark.parametrize(
    "settings",
    [
        {"pred_iou_thresh": 0.75, "stability_score_thresh": 0.5, "stability_score_offset": 0.5},
        {"box_nms_thresh": 0.3, "crop_n_layers": 1, "crop_nms_thresh": 0.2, "crop_overlap_ratio": 0.4},
        {"crop_n_layers": 1, "crop_n_points_downscale_factor": 2, "min_mask_region_area": 30.0},
        {"pred_iou_thresh": 0.0, "min_area": 900.0, "max_area_share": 0.4, "points_per_batch": 5},
        {"pred_iou_thresh": 0.0, "mask_nms_thresh": 0.6, "nested": "whole", "containment_thresh": 0.5},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_every_setting_means_what_it_means_in_python(
    command: Command, photo: Path, settings: dict[str, Any]
) -> None:
    words = [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", value)]
    done = command("everything", photo, *SMALL, *words, "--json", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["annotations"] == plain(expected(**settings))


def test_layers_of_crops_by_the_size_of_each_picture(command: Command, photos: Path, tmp_path: Path) -> None:
    (photos / "b.png").unlink()
    large = scene().repeat(4, axis=0).repeat(4, axis=1)  # 640 pixels for an input of 256: one layer
    Image.fromarray(large).save(photos / "a.png")
    words = ("everything", photos, "--points-per-side", 4, "--stability-score-thresh", 0.2, "-o", "out")
    assert command(*words, "--crop-n-layers", "auto").code == 0
    for name, pixels, layers in (("a", large, 1), ("c", scene()[:, ::-1], 0)):
        records = generate_masks(
            fake_model(), pixels, points_per_side=4, stability_score_thresh=0.2, crop_n_layers=layers
        )
        assert plain(read(tmp_path / "out" / f"{name}.json")) == plain(records)
    assert "other settings" in command(*words, "--crop-n-layers", 0).err


def test_overlay_label_map_and_tree(command: Command, photo: Path, tmp_path: Path) -> None:
    done = command(
        "everything", photo, *SMALL, "--pred-iou-thresh", 0, "--tree", "--gaps", "fill",
        "-o", "m.json", "--overlay", "o.png", "--label-map", "l.png",
    )  # fmt: skip
    assert done.code == 0
    records = with_parents(expected(pred_iou_thresh=0.0))
    assert any(record.parent is not None for record in records)
    assert plain(read(tmp_path / "m.json")) == plain(records)
    with Image.open(tmp_path / "l.png") as image:
        np.testing.assert_array_equal(np.asarray(image), partition(records, gaps="fill").labels)
    with Image.open(tmp_path / "o.png") as image:
        drawn = np.asarray(image)
    assert drawn.shape == scene().shape
    assert (drawn != scene()).any()


def test_formats_and_stdout(command: Command, photo: Path, tmp_path: Path) -> None:
    assert command("everything", photo, *SMALL, "-o", "m.coco.json").code == 0
    assert [record.area for record in read(tmp_path / "m.coco.json")] == [one.area for one in expected()]
    done = command("everything", photo, *SMALL, "-o", "-", "-q")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["annotations"] == plain(expected())


def test_what_a_format_loses_is_told(command: Command, photo: Path) -> None:
    every = ("everything", photo, *SMALL, "--pred-iou-thresh", 0)
    count = len(expected(pred_iou_thresh=0.0))
    assert f"scores: {count}, stability scores: {count})" in command(*every, "-o", "m.xml").err
    told = command(*every, "-o", "m.png").err
    assert "not kept: masks partly under smaller ones: " in told
    assert "scores" not in told
    assert "not kept" not in command(*every, "-o", "m.json").err
    done = command(*every, "--format", "voc", "-o", "out")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "anymask convert FOLDER OUT --to voc" in done.err


def test_a_picture_without_masks_has_an_empty_result(command: Command, photo: Path, tmp_path: Path) -> None:
    words = ("-o", "m.json", "--label-map", "l.png", "--overlay", "o.jpg")
    done = command("everything", photo, *SMALL, "--pred-iou-thresh", 2, *words)
    assert done.code == 0
    assert "0 masks (try lower --pred-iou-thresh" in done.err
    assert read(tmp_path / "m.json") == []
    with Image.open(tmp_path / "l.png") as image:
        assert not np.asarray(image).any()


def test_a_state_is_filtered_again_without_a_model(
    command: Command, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = command("everything", photo, *SMALL, "-o", "m.json", "--save-state", "s.safetensors")
    assert done.code == 0
    assert plain(read(tmp_path / "m.json")) == plain(expected())
    assert AutomaticState.load(tmp_path / "s.safetensors").records() == expected()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(loading, "load", refuse)
    again = ("everything", "--refilter", "s.safetensors")
    assert command(*again, "--pred-iou-thresh", 0, "--min-area", 900, "-o", "again.json").code == 0
    assert plain(read(tmp_path / "again.json")) == plain(expected(pred_iou_thresh=0.0, min_area=900))
    assert command(*again, photo, "--preset", "objects", "-o", "o.json", "--overlay", "o.png").code == 0
    assert plain(read(tmp_path / "o.json")) == plain(expected("objects"))
    for words, hint in (
        ((*again, "--overlay", "x.png"), "give the image beside --refilter"),
        ((*again, "--points-per-side", 4), "needs a new run"),
        ((*again, photo, photo), "at most one"),
    ):
        done = command(*words)
        assert (done.code, len(done.error_lines)) == (2, 1)
        assert hint in done.err
    Image.fromarray(scene()[::-1]).save(tmp_path / "other.png")
    assert "the state of another image" in command(*again, tmp_path / "other.png").err


def test_a_broken_picture_is_named_and_the_rest_is_done(
    command: Command, photos: Path, tmp_path: Path
) -> None:
    done = command("everything", photos, *SMALL, "-o", "out", "--json")
    assert done.code == 1
    assert len(done.error_lines) == 1
    assert "b.png" in done.error_lines[0]
    assert "2 images done" not in done.err
    assert "2 of 3 images done, 0 were complete, 1 failed" in done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [NAME, "a.json", "c.json"]
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [Path(line["source"]).name for line in lines] == ["a.png", "b.png", "c.png"]
    assert "error" in lines[1]


def test_a_job_goes_on_where_it_stopped(
    command: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped by a full disk after the first image; then the result is that of an undisturbed run."""
    (photos / "b.png").unlink()
    Image.fromarray(scene()[::-1]).save(photos / "b.png")
    words = ("everything", photos, *SMALL, "--overlay", "drawn", "-o")
    assert command(*words, "whole").code == 0
    from anymask.cli import everything_results

    real = everything_results.write_atomically

    def full(path: Path, data: bytes) -> Path:
        if path.name == "b.jpg":
            raise OutputError("the disk is full")
        return real(path, data)

    monkeypatch.setattr(everything_results, "write_atomically", full)
    done = command(*words, "out")
    assert (done.code, len(done.error_lines)) == (1, 1)
    assert "1 of 3 images done" in done.err
    with (tmp_path / "out" / NAME).open("a") as log:
        log.write('{"files": ["torn')
    monkeypatch.setattr(everything_results, "write_atomically", real)
    done = command(*words, "out")
    assert done.code == 0
    assert "2 of 3 images done, 1 were complete, 0 failed" in done.err
    for name in ("a.json", "b.json", "c.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert "0 of 3 images done, 3 were complete" in command(*words, "out").err


@pytest.mark.slow
def test_a_killed_job_goes_on(command: Command, photos: Path, tmp_path: Path) -> None:
    """Killed while it works, started again: the files of an undisturbed run."""
    (photos / "b.png").unlink()
    for name in "bdef":
        Image.fromarray(np.roll(scene(), 10 * ord(name), axis=1)).save(photos / f"{name}.png")
    words = ("everything", photos, *SMALL, "--label-map", "maps", "--model", "slow", "-o")
    line = [sys.executable, "-m", "tests.cli.fake_anymask", *map(str, words), "out"]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    with subprocess.Popen(line, env={**os.environ, "PYTHONPATH": paths}, stderr=subprocess.DEVNULL) as job:
        second, last = tmp_path / "out" / "b.json", tmp_path / "out" / "f.json"
        while not second.is_file() and job.poll() is None:  # so the first is in the log
            time.sleep(0.02)
        job.kill()
    assert second.is_file()
    assert not last.is_file()
    done = command(*words, "out")
    assert done.code == 0
    assert " 0 were complete" not in done.err
    assert command(*words, "whole").code == 0
    for name in "abcdef":
        file = f"{name}.json"
        assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
        assert (tmp_path / "maps" / f"{name}.png").is_file()


def test_a_job_does_again_what_changed_or_is_gone(command: Command, photos: Path, tmp_path: Path) -> None:
    (photos / "b.png").unlink()
    words = ("everything", photos, *SMALL, "-o", "out")
    assert command(*words).code == 0
    (tmp_path / "out" / "a.json").unlink()
    assert "1 of 2 images done, 1 were complete" in command(*words).err
    Image.fromarray(scene()[::2]).save(photos / "c.png")
    assert "1 of 2 images done, 1 were complete" in command(*words).err
    assert {record.image_hw for record in read(tmp_path / "out" / "c.json")} == {(60, 160)}
    assert "2 of 2 images done, 0 were complete" in command(*words, "--overwrite").err
    other = command(*words, "--min-area", 50)
    assert (other.code, len(other.error_lines)) == (2, 1)
    assert "other settings" in other.err
    assert command(*words, "--min-area", 50, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((), "no image is given"),
        (("photo.png", "--preset", "best"), "preset 'best' is not known"),
        (("photo.png", "--points-per-side", "0"), "points_per_side is 0"),
        (("photo.png", "--crop-n-layers", "all"), "--crop-n-layers is 'all'"),
        (("photo.png", "--format", "docx"), "--format 'docx' is not known"),
        (("photo.png", "-o", "m.docx"), "no ending that names a format"),
        (("photo.png", "--overlay", "m.json"), "unknown picture ending"),
        (("photo.png", "-o", "-", "--json"), "stdout"),
        (("photo.png", "-o", "m.png", "--label-map", "m.png"), "twice"),
        (("photo.png", "-o", "photo.png"), "would replace the image"),
        (("photos", "--overlay", "photos"), "writes pictures among the images"),
        (("photo.png", "--model-type", "vit_x"), "--model-type 'vit_x' is not known"),
        (("photo.png", "--model", "lite", "--model-type", "vit_b"), "both given"),
        (("nowhere.png",), "nowhere.png"),
        (("--refilter", "photo.png"), "is damaged"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_line(
    command: Command, photo: Path, photos: Path, words: tuple[str, ...], hint: str
) -> None:
    done = command("everything", *words)
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert hint in done.err


def test_an_empty_folder_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no picture" in command("everything", "empty").err


def test_the_flags_of_amg(
    command: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def load(name: str, **_: object) -> anymask.Model:
        asked.append(name)
        return anymask.Model(FakeRuntime(), sha256="0" * 64)

    monkeypatch.setattr(loading, "load", load)
    (photos / "b.png").unlink()
    done = command(
        "everything", "--input", photos, "--output", "out", "--model-type", "default", "--device", "cuda",
        "--convert-to-rle", *SMALL, "--pred-iou-thresh", 0.8,
    )  # fmt: skip
    assert done.code == 0
    assert asked == ["vit_h"]
    assert "--device cuda is not used" in done.err
    annotation = json.loads((tmp_path / "out" / "a.json").read_text())["annotations"][0]
    fields = ("segmentation", "area", "bbox", "predicted_iou", "point_coords", "stability_score", "crop_box")
    assert all(field in annotation for field in fields)


def test_a_checkpoint_is_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from anymask.models import importer
    from anymask.models.folder import ModelFolder

    class Imported:
        path = tmp_path / "model"

    given: list[str] = []

    def import_checkpoint(path: str) -> ModelFolder:
        given.append(path)
        return Imported()  # type: ignore[return-value]

    monkeypatch.setattr(importer, "import_checkpoint", import_checkpoint)
    chosen = amg_model(None, model_type="vit_b", checkpoint="sam.pth", device=None)
    assert (chosen, given) == (str(tmp_path / "model"), ["sam.pth"])
    assert amg_model(None, model_type=None, checkpoint=None, device="cpu") == "lite"
    with pytest.raises(InputError, match="both given"):
        amg_model("lite", model_type=None, checkpoint="sam.pth", device=None)


@pytest.mark.slow
def test_the_model_in_the_box_finds_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way with nothing faked: the command's masks are those of Python."""
    monkeypatch.chdir(tmp_path)
    settings = {"points_per_side": 4, "pred_iou_thresh": 0.1, "stability_score_thresh": 0.1}
    words = [str(w) for name, value in settings.items() for w in (f"--{name.replace('_', '-')}", value)]
    exact = ["--precision", "exact", "--threads", "1"]
    code = run(["everything", str(FLOWER), *words, *exact, "-o", "m.json", "--save-state", "s.safetensors"])
    assert code == 0
    model = anymask.load("lite", precision="exact", threads=1)
    records = generate_masks(model, FLOWER, **settings)
    assert len(records) >= 2
    assert plain(read("m.json")) == plain(records)
    assert plain(AutomaticState.load("s.safetensors").records()) == plain(records)
