"""Composed pictures: masks are exact, settings are kept, the same call gives the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anymask.cli.main import run
from anymask.core.errors import InputError
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.samples import Problems
from anymask.synthesize import Cutout, SynthesisSettings, compose, synthesize
from anymask.synthesize.backgrounds import PictureFolder
from anymask.synthesize.compose import Placed, in_picture, transformed
from anymask.synthesize.cutouts import MARGIN, cut, read_cutouts
from anymask.synthesize.lighting import matched_tone, relative, with_shadow
from tests.train.toys import toy_shard

PLAIN = SynthesisSettings(
    objects=(3, 3), scale=(1, 1), turn=0, flip=0, match=0, shadow=0, light=0, grain=0, feather=0, overlap=1
)
GREY = np.full((80, 120, 3), 128, np.uint8)


def disk(colour: tuple[int, int, int] = (255, 0, 0), radius: int = 10) -> Cutout:
    size = 2 * radius + 2 * MARGIN + 1
    y, x = np.mgrid[:size, :size] - size // 2
    pixels = np.full((size, size, 3), 30, np.uint8)
    mask = x**2 + y**2 <= radius**2
    pixels[mask] = colour
    return Cutout(pixels, mask, "disk", "disk#0")


@pytest.mark.parametrize("seed", range(8))
def test_masks_are_exactly_the_pixels_that_were_painted(seed: int):
    """Every object has its own colour and nothing blurs, so colours tell whose pixel each is."""
    things = [disk((255, 0, 0)), disk((0, 255, 0), 14), disk((0, 0, 255), 7)]
    found = compose(GREY, things, PLAIN, np.random.default_rng(seed))
    painted = (found.pixels != 128).any(-1)
    covered = np.zeros(painted.shape, int)
    for one in found.objects:
        colours = np.unique(found.pixels[one.mask], axis=0)
        assert len(colours) == 1
        assert tuple(colours[0]) != (128, 128, 128)
        covered += one.mask
    assert covered.max() == 1
    hidden = painted & (covered == 0)  # of objects that were left out since too little of them is visible
    assert len(found.objects) == 3 or hidden.sum() < 700
    if len(found.objects) == 3:
        np.testing.assert_array_equal(covered == 1, painted)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_hidden_is_taken_from_the_backgrounds_own_masks(seed: int):
    own = np.zeros((80, 120), bool)
    own[20:70, 20:100] = True
    wall = Placed(own, int(own.sum()), "wall", "background")
    found = compose(GREY, [disk(radius=16)], PLAIN, np.random.default_rng(seed), own=[wall])
    kept = next(one for one in found.objects if one.label == "wall")
    over = np.logical_or.reduce([one.mask for one in found.objects if one.label == "disk"])
    np.testing.assert_array_equal(kept.mask, own & ~over)
    assert kept.visible == pytest.approx(kept.mask.sum() / own.sum())


def test_nothing_is_hidden_by_more_than_the_setting():
    settings = SynthesisSettings(objects=(12, 12), visible=0.7, overlap=1, scale=(1, 1))
    for seed in range(5):
        found = compose(GREY, [disk(radius=13)], settings, np.random.default_rng(seed))
        assert all(one.visible >= 0.7 for one in found.objects)
        assert len(found.objects) > 1


def test_objects_stay_inside_the_region():
    region = np.zeros((80, 120), bool)
    region[30:75, 40:110] = True
    for seed in range(10):
        found = compose(GREY, [disk(radius=8)], PLAIN, np.random.default_rng(seed), region=region)
        assert found.objects
        assert all(region[one.mask].all() for one in found.objects)
    with pytest.raises(InputError, match="region"):
        compose(GREY, [disk()], PLAIN, np.random.default_rng(0), region=np.zeros((80, 120), bool))


def test_the_same_seed_gives_the_same_picture_and_another_another():
    settings = SynthesisSettings()
    one, same, other = (compose(GREY, [disk()], settings, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.pixels, same.pixels)
    assert not np.array_equal(one.pixels, other.pixels)


def test_a_shadow_darkens_beside_the_object_and_is_no_part_of_its_mask():
    settings = SynthesisSettings(
        objects=(1, 1), scale=(1, 1), match=0, shadow=1, darkness=(0.5, 0.5), light=0, grain=0, feather=0
    )
    found = compose(GREY, [disk()], settings, np.random.default_rng(3))
    (one,) = found.objects
    outside = found.pixels[~one.mask]
    assert (outside <= 128).all()
    assert (outside < 100).any()
    mask = np.zeros((40, 40), bool)
    mask[10:20, 10:20] = True
    shaded = with_shadow(np.full((40, 40, 3), 200, np.float32), mask, 0.0, 8, 0.5, 0.5)
    assert shaded[15, 25, 0] == pytest.approx(100, abs=2)
    assert shaded[15, 5, 0] == pytest.approx(200, abs=1)


def test_tone_goes_to_that_of_the_place_by_the_given_share():
    thing = disk((200, 100, 60))
    place = np.full((*thing.mask.shape, 3), 80, np.float32)
    patch = thing.pixels.astype(np.float32)
    np.testing.assert_allclose(matched_tone(patch, thing.mask, place, 1.0)[thing.mask].mean(0), 80, atol=0.1)
    half = matched_tone(patch, thing.mask, place, 0.5)[thing.mask].mean(0)
    np.testing.assert_allclose(half, [140, 90, 70], atol=0.1)


def test_a_ratio_keeps_the_texture_of_the_place():
    """A scratch half as light as its surroundings makes every place half as light, stripes and all."""
    thing = disk((50, 50, 50))
    thing.pixels[~thing.mask] = 100
    stripes = np.tile(np.array([60, 180], np.float32), thing.mask.shape[1])[: thing.mask.shape[1]]
    place = np.repeat(np.tile(stripes, (thing.mask.shape[0], 1))[..., None], 3, 2)
    found = relative(thing.pixels.astype(np.float32), thing.mask, place)
    np.testing.assert_allclose(found[thing.mask], place[thing.mask] / 2, atol=0.5)


@pytest.mark.parametrize("blend", ["soft", "poisson", "ratio"])
def test_every_blend_changes_only_where_the_object_lies(blend: str):
    settings = SynthesisSettings.from_dict({**PLAIN.to_dict(), "blend": blend, "objects": [1, 1]})
    noise = np.random.default_rng(0).integers(100, 156, GREY.shape).astype(np.uint8)
    found = compose(noise, [disk((250, 20, 20), 12)], settings, np.random.default_rng(4))
    (one,) = found.objects
    np.testing.assert_array_equal(found.pixels[~one.mask], noise[~one.mask])
    changed = (found.pixels[one.mask] != noise[one.mask]).any(-1).mean()
    assert changed > 0.5


def test_scaling_and_turning_keep_the_shape():
    settings = SynthesisSettings(scale=(2, 2), turn=90)
    moved = transformed(disk(), (500, 500), settings, np.random.default_rng(0))
    assert moved.mask.sum() == pytest.approx(4 * disk().mask.sum(), rel=0.03)
    sized = SynthesisSettings(size=(0.5, 0.5), turn=0)
    ys, xs = np.nonzero(transformed(disk(), (200, 100), sized, np.random.default_rng(0)).mask)
    assert max(np.ptp(ys), np.ptp(xs)) + 1 == pytest.approx(100, abs=3)


def test_a_mask_that_reaches_out_of_the_picture_is_cut():
    thing = disk(radius=5).mask
    whole = in_picture(thing, (-thing.shape[1] // 2, 10), (60, 60))
    assert 0 < whole.sum() < thing.sum()
    assert whole[:, 0].any()
    assert in_picture(thing, (200, 200), (60, 60)).sum() == 0


def make_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        noise = np.random.default_rng(i).integers(0, 255, (60, 90, 3)).astype(np.uint8)
        Image.fromarray(noise).save(folder / f"{i}.png")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_the_folder_reads_as_a_data_set_with_the_same_masks(tmp_path: Path):
    out = tmp_path / "out"
    made = synthesize(
        out, [disk()], PictureFolder(make_folder(tmp_path), 1024), PLAIN, 6, Problems("refuse"), lossless=True
    )
    data = open_samples([out])
    samples = list(data.samples(Problems("refuse")))
    assert len(samples) == made.images
    assert sum(len(s.masks) for s in samples) == made.masks > 6
    for sample in samples:
        for true in sample.masks:
            assert true.label == "disk"
            np.testing.assert_array_equal(np.unique(sample.picture.pixels[true.mask], axis=0), [[255, 0, 0]])


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path):
    shard = toy_shard(tmp_path / "toys.tar")
    arguments = [str(shard), "-n", "40", "--seed", "3", "--set", "objects=[1,3]", "-q"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run(["synthesize", *arguments, "-o", str(whole)]) == 0
    child = subprocess.Popen(
        [sys.executable, "-m", "anymask", "synthesize", *arguments, "-o", str(broken)],
        stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while not len(list((broken / ".synthesis").glob("0*.json"))) > 3:
        assert child.poll() is None
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert run(["synthesize", *arguments, "-o", str(broken)]) == 0
    leftovers = {name for name in contents(broken) if ".anymask-" in name}
    assert {k: v for k, v in contents(broken).items() if k not in leftovers} == contents(whole)


def test_another_plan_does_not_mix_with_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    shard = toy_shard(tmp_path / "toys.tar")
    out = tmp_path / "out"
    assert run(["synthesize", str(shard), "-n", "2", "-o", str(out), "-q"]) == 0
    before = contents(out)
    assert run(["synthesize", str(shard), "-n", "2", "-o", str(out), "--seed", "9", "-q"]) == 2
    assert "other settings or data" in capsys.readouterr().err
    assert contents(out) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep")
    assert run(["synthesize", str(shard), "-n", "2", "-o", str(tmp_path / "mine"), "-q"]) == 2
    assert "holds something else" in capsys.readouterr().err


def test_transparent_pictures_are_objects_and_others_are_named(tmp_path: Path):
    folder = tmp_path / "cut"
    (folder / "cat").mkdir(parents=True)
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[10:30, 10:30] = (200, 10, 10, 255)
    Image.fromarray(rgba).save(folder / "cat/one.png")
    Image.fromarray(rgba[..., :3]).save(folder / "opaque.png")
    (folder / "broken.png").write_bytes(b"no picture")
    problems = Problems()
    (found,) = read_cutouts(folder, problems)
    assert (found.label, int(found.mask.sum())) == ("cat", 400)
    assert sorted(line.split(":")[0] for line in problems.lines) == ["broken.png", "opaque.png"]


def test_a_folder_of_photos_with_other_json_beside_them_is_a_background(tmp_path: Path):
    folder, cut_out = make_folder(tmp_path), tmp_path / "cut"
    (folder / "notes.json").write_text('{"photos": []}')
    cut_out.mkdir()
    rgba = np.dstack([disk().pixels, np.where(disk().mask, 255, 0).astype(np.uint8)])
    Image.fromarray(rgba).save(cut_out / "one.png")
    out = tmp_path / "out"
    assert run(["synthesize", str(cut_out), "--onto", str(folder), "-n", "3", "-o", str(out), "-q"]) == 0
    assert len(list(open_samples([out]).samples(Problems("refuse")))) == 3


def test_a_broken_background_is_named_and_another_taken(tmp_path: Path):
    folder = make_folder(tmp_path)
    (folder / "0.png").write_bytes(b"nothing")
    problems = Problems()
    made = synthesize(tmp_path / "out", [disk()], PictureFolder(folder, 1024), PLAIN, 5, problems)
    assert made.images == 5
    assert all(line.startswith("0.png:") for line in problems.lines)


def test_defects_lie_on_the_part(tmp_path: Path):
    """--region: the masks of the clean pictures say where the part is."""
    shard, out = toy_shard(tmp_path / "toys.tar"), tmp_path / "out"
    arguments = ["--onto", str(shard), "--region", "--set", "blend=ratio", "scale=[0.2,0.3]"]
    arguments = [*arguments[:-1], "--set", arguments[-1], "--lossless", "-n", "5", "-o", str(out), "-q"]
    assert run(["synthesize", str(shard), *arguments]) == 0
    regions = {s.key: s for s in open_samples([shard]).samples(Problems("refuse"))}
    for path in (out / ".synthesis").glob("0*.json"):
        about = json.loads(path.read_text())
        part = np.logical_or.reduce([true.mask for true in regions[about["background"]].masks])
        for record in about["records"]:
            from anymask.core.record import MaskRecord

            assert part[MaskRecord.from_json(record).mask].all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "objects=[3,1]"], "give the least first"),
        (["--set", "blend=glue"], "soft, poisson, ratio"),
        (["--set", "nothing=1"], "NAME one of blend"),
        (["--set", "flip"], "NAME=VALUE"),
        (["--set", "turn=word"], "turn"),
        (["--labels", "unicorn"], "no object labelled unicorn"),
        (["--keys", "zzz"], "matches no picture"),
        (["--region"], "--region needs --onto"),
        (["-n", "0"], "at least 1"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
):
    shard = toy_shard(tmp_path / "toys.tar")
    assert run(["synthesize", str(shard), "-o", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
    assert not (tmp_path / "out" / "annotations.json").exists()


def test_a_cut_has_its_margin_and_stays_in_the_picture():
    mask = np.zeros((50, 50), bool)
    mask[20:25, 2:6] = True
    found = cut(np.zeros((50, 50, 3), np.uint8), mask, None, "x")
    assert found.mask.shape == (5 + 2 * MARGIN, 6 + MARGIN)
    assert found.mask.sum() == mask.sum()
