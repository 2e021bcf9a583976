"""Edges: matching against brute force, the benchmark's figures by hand, the recipe on drawn pictures."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from anymask.core.errors import FormatError, InputError
from anymask.core.geometry import InputFrame
from anymask.core.images import Picture
from anymask.evaluate.baselines import open_baseline
from anymask.evaluate.edges import strength
from anymask.evaluate.edges.classical import canny_edges, sobel_edges
from anymask.evaluate.edges.detectors import check_detectors, edge_baseline
from anymask.evaluate.edges.matching import match_edges
from anymask.evaluate.edges.protocol import EdgesSettings, evaluate_sample, summarise_lines
from anymask.evaluate.edges.scores import EdgeCounts, count_edges, rates, summarise, thinned, thresholds
from anymask.evaluate.edges.strength import EdgeSettings, boundary_gradient, edge_strength, model_edges
from anymask.evaluate.edges.thinning import suppress_edges
from anymask.evaluate.edges.truth import edge_truth, region_borders
from anymask.evaluate.predictors import ModelPredictor
from anymask.evaluate.samples import Sample, TrueMask
from tests.fake_runtime import fake_model, scene

few = arrays(bool, (3, 3))


def cheapest(found: np.ndarray, drawn: np.ndarray, tolerance: float) -> tuple[int, float]:
    """Most pairs, and the least sum of distances with so many, over all ways to pair.

    One pixel of `found` after the other, keeping for each set of taken pixels of `drawn` the least sum.
    """
    columns = np.argwhere(drawn)
    sums = {0: 0.0}
    for row in np.argwhere(found):
        after = dict(sums)
        for taken, total in sums.items():
            for number, distance in enumerate(np.hypot(*(columns - row).T)):
                bit = 1 << number
                if distance <= tolerance and not taken & bit:
                    after[taken | bit] = min(after.get(taken | bit, np.inf), total + float(distance))
        sums = after
    most = max(taken.bit_count() for taken in sums)
    return most, min(total for taken, total in sums.items() if taken.bit_count() == most)


@given(few, few, st.sampled_from([0.0, 1.0, 1.5, 2.3]))
def test_matching_is_the_best_of_all(found: np.ndarray, drawn: np.ndarray, tolerance: float) -> None:
    matches = match_edges(found, drawn, tolerance)
    pairs, total = cheapest(found, drawn, tolerance)
    assert matches.found.sum() == matches.drawn.sum() == pairs
    assert not (matches.found & ~found).any()
    assert not (matches.drawn & ~drawn).any()
    # Those that were chosen can all be paired with one another, at the least cost of all choices.
    again, cost = cheapest(matches.found, matches.drawn, tolerance)
    assert again == pairs
    assert cost == pytest.approx(total)


@given(few, few)
def test_matching_does_not_mind_the_order(found: np.ndarray, drawn: np.ndarray) -> None:
    there, back = match_edges(found, drawn, 2.0), match_edges(drawn, found, 2.0)
    assert there.found.sum() == back.found.sum()
    far = match_edges(found, drawn, 3.0)
    assert far.found.sum() >= there.found.sum()


@given(st.integers(0, 10**6), st.floats(0, 5))
def test_matching_pairs_as_many_as_a_flow_can(seed: int, tolerance: float) -> None:
    """Larger maps: the number of pairs is the maximum flow from one map's pixels to the other's."""
    rng = np.random.default_rng(seed)
    found, drawn = rng.random((2, 24, 30)) < rng.uniform(0, 0.3, (2, 1, 1))
    rows, columns = np.argwhere(found), np.argwhere(drawn)
    near = np.hypot(*(rows[:, None] - columns[None]).transpose(2, 0, 1)) <= tolerance
    count, ends = len(rows), len(rows) + len(columns)
    edges = np.zeros((ends + 2, ends + 2), np.int32)
    edges[:count, count:ends] = near
    edges[ends, :count] = edges[count:ends, ends + 1] = 1
    flow = maximum_flow(csr_matrix(edges), ends, ends + 1).flow_value
    assert match_edges(found, drawn, tolerance).drawn.sum() == flow


def test_matching_is_one_to_one() -> None:
    """Two lines beside one drawn line: only one of them can be it."""
    found, drawn = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    drawn[10, 2:18] = True
    found[9, 2:18] = found[11, 2:18] = True
    assert match_edges(found, drawn, 3.0).found.sum() == 16
    crossing = np.zeros((20, 20), bool)
    crossing[:, 10] = True
    assert int(match_edges(crossing, drawn, 1.0).found.sum()) == 2  # the one in common cannot serve all


def test_matching_pairs_as_many_as_possible() -> None:
    """a could take the nearer one, but then b would have none."""
    found, drawn = np.zeros((1, 8), bool), np.zeros((1, 8), bool)
    found[0, [2, 3]] = True  # a, b
    drawn[0, [0, 2]] = True
    matches = match_edges(found, drawn, 2.0)
    assert matches.found.sum() == matches.drawn.sum() == 2


@pytest.mark.parametrize(("shape", "tolerance"), [((3, 4), 1.0), ((4, 5), -1.0), ((4, 5), float("nan"))])
def test_matching_of_what_cannot_be(shape: tuple[int, int], tolerance: float) -> None:
    with pytest.raises(InputError, match=r"shapes|tolerance"):
        match_edges(np.ones((4, 5), bool), np.ones(shape, bool), tolerance)


def square(size: int = 60, start: int = 15, stop: int = 40) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[start:stop, start:stop] = True
    return mask


BORDER = region_borders([square()])


def figures(edges: np.ndarray, *drawings: np.ndarray, **more: object) -> dict[str, object]:
    counts = count_edges(edges.astype(np.float32), drawings, thresholds(9), **more)  # type: ignore[arg-type]
    return summarise([counts], thresholds(9))


def test_a_perfect_map() -> None:
    found = figures(BORDER, BORDER)
    assert found["ods"] == {"f": 1, "precision": 1, "recall": 1, "threshold": pytest.approx(0.1)}
    assert found["ois"] == {"f": 1, "precision": 1, "recall": 1}
    assert found["r50"] == 1


def test_an_empty_map_finds_nothing() -> None:
    found = figures(np.zeros_like(BORDER), BORDER)
    assert (found["ods"]["f"], found["ois"]["f"], found["ap"], found["r50"]) == (0, 0, 0, 0)


def test_a_shifted_map_counts_within_the_tolerance() -> None:
    """The diagonal has 84.9 pixels: 0.03 of it are 2.5."""
    shifted = {by: np.roll(BORDER, by, (0, 1)) for by in (1, 2)}
    assert figures(shifted[1], BORDER, tolerance=0.03)["ods"]["f"] == 1
    assert figures(shifted[2], BORDER, tolerance=0.03)["ods"]["f"] < 1  # 2.8 pixels at the corners
    assert figures(shifted[1], BORDER, tolerance=0.01)["ods"]["f"] < 0.1


def test_precision_takes_anybody_recall_everybody() -> None:
    other = region_borders([square(start=20, stop=50)])
    counts = count_edges(BORDER.astype(np.float32), [BORDER, other], np.array([0.5]), tolerance=0)
    both = int((BORDER & other).sum())
    assert counts.matched_found.tolist() == counts.found.tolist() == [BORDER.sum()]
    assert counts.drawn.tolist() == [BORDER.sum() + other.sum()]
    assert counts.matched_drawn.tolist() == [BORDER.sum() + both]


def test_edges_where_nobody_decided_do_not_count() -> None:
    clutter = BORDER.copy()
    clutter[50:58, 50:58] = np.eye(8, dtype=bool)
    known = np.zeros_like(BORDER)
    known[:45, :45] = True
    assert figures(clutter, BORDER)["ods"]["precision"] < 1
    assert figures(clutter, BORDER, known=known)["ods"]["precision"] == 1


def test_thick_edges_are_thinned_before_they_are_counted() -> None:
    thick = BORDER | np.roll(BORDER, 1, 0) | np.roll(BORDER, 1, 1)
    counts = count_edges(thick.astype(np.float32), [BORDER], np.array([0.5]), tolerance=0.03)
    assert counts.found[0] < 1.1 * BORDER.sum()
    np.testing.assert_array_equal(thinned(BORDER), BORDER)


def counts_of(*rows: tuple[int, int, int, int]) -> EdgeCounts:
    return EdgeCounts(*np.array(rows, np.int64).T)


def test_figures_by_hand() -> None:
    """Two pictures, two thresholds; drawn 100 and 300."""
    one = counts_of((80, 100, 40, 80), (40, 100, 30, 40))
    two = counts_of((150, 300, 150, 400), (120, 300, 150, 200))
    found = summarise([one, two], np.array([0.25, 0.75]))
    assert found["curve"]["recall"] == pytest.approx([230 / 400, 160 / 400])
    assert found["curve"]["precision"] == pytest.approx([190 / 480, 180 / 240])
    # best of picture one: F 0.8, 0.5 -> 0.615 beats 0.4, 0.75; of picture two: 0.4, 0.75 -> 0.522 beats 0.429
    assert found["ois"] == {
        "recall": pytest.approx((80 + 120) / 400),
        "precision": pytest.approx((40 + 150) / (80 + 200)),
        "f": pytest.approx(2 / (400 / 200 + 280 / 190)),
    }
    # between the thresholds both move linearly
    share = np.linspace(0, 1, 100)
    recall, precision = 0.575 - 0.175 * share, 190 / 480 + (0.75 - 190 / 480) * share
    f = 2 * recall * precision / (recall + precision)
    assert found["ods"]["f"] == pytest.approx(f.max())
    assert found["ods"]["threshold"] == pytest.approx(0.25 + 0.5 * share[f.argmax()])
    # recalls from 0.4 to 0.575 are reached, 0.40 ... 0.57
    places = np.arange(101) / 100
    reached = places[(places >= 0.4) & (places <= 0.575)]
    line = 0.75 + (190 / 480 - 0.75) * (reached - 0.4) / 0.175
    assert found["ap"] == pytest.approx(line.sum() / 100)
    assert found["r50"] == pytest.approx(0.575 - 0.175 * (0.5 - 190 / 480) / (0.75 - 190 / 480))


@given(
    st.lists(st.tuples(*[st.integers(0, 20)] * 4), min_size=1, max_size=4),
    st.integers(1, 3),
)
def test_figures_stay_between_nothing_and_one(rows: list[tuple[int, int, int, int]], pictures: int) -> None:
    sensible = [(min(a, b), b, min(c, d), d) for a, b, c, d in rows]
    levels = thresholds(len(sensible))
    found = summarise([counts_of(*sensible)] * pictures, levels)
    values = [*found["ods"].values(), *found["ois"].values(), found["r50"]]
    assert all(0 <= value <= 1 for value in values)
    assert 0 <= found["ap"] <= 1.01
    assert found["ods"]["f"] >= max(rates(counts_of(*sensible)).f) - 1e-12
    assert found["ois"]["f"] == pytest.approx(max(rates(counts_of(*sensible)).f))


def test_counts_are_kept_as_json() -> None:
    counts = counts_of((1, 2, 3, 4), (5, 6, 7, 8))
    again = EdgeCounts.from_json(json.loads(json.dumps(counts.to_json())))
    assert again.to_json() == counts.to_json()
    with pytest.raises(FormatError, match="counts of an edge map"):
        EdgeCounts.from_json({"drawn": [1]})


def test_thresholds() -> None:
    np.testing.assert_allclose(thresholds(99), np.arange(1, 100) / 100)
    with pytest.raises(InputError, match="at least 1"):
        thresholds(0)


def test_a_thick_ridge_keeps_its_crest_in_every_direction() -> None:
    y, x = np.mgrid[:64, :64].astype(np.float32)
    for angle in np.linspace(0, np.pi, 9):
        distance = (x - 31.3) * np.cos(angle) + (y - 31.6) * np.sin(angle)
        ridge = np.exp(-0.5 * (distance / 2) ** 2).astype(np.float32)
        inner = np.hypot(x - 31, y - 31) < 25
        kept = (suppress_edges(ridge) > 0) & inner
        assert np.abs(distance[kept]).max() <= 1
        along = np.abs(distance) <= 0.5
        steps = 50 * max(abs(np.cos(angle)), abs(np.sin(angle)))  # pixels of a thin line so long
        assert (kept & along).sum() >= 0.9 * steps
        np.testing.assert_array_equal(suppress_edges(ridge)[kept], ridge[kept])


def disk_logits(size: int = 64, radius: float = 14.0) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return (radius - np.hypot(x - 30, y - 33)).astype(np.float32)


def test_the_edge_of_a_mask_lies_just_outside_it() -> None:
    frame = InputFrame((64, 64), 64)
    edge = boundary_gradient(disk_logits(), frame)
    assert edge is not None
    window, values = edge
    whole = np.zeros((64, 64), np.float32)
    whole[window.slices] = values
    mask = disk_logits() > 0
    near = np.zeros_like(mask)
    for dy, dx in itertools.product((-1, 0, 1), repeat=2):
        near |= np.roll(mask, (dy, dx), (0, 1))
    np.testing.assert_array_equal(whole > 0, near & ~mask)
    everywhere = strength.gradient((1 / (1 + np.exp(-disk_logits()))).astype(np.float32))
    np.testing.assert_allclose(whole[whole > 0], everywhere[whole > 0], rtol=1e-5)


def test_a_mask_at_the_pictures_border_has_no_edge_there() -> None:
    frame = InputFrame((40, 64), 64)
    logits = np.full((64, 64), 9, np.float32)
    logits[:, 30:] = -9
    edge = boundary_gradient(logits, frame)
    assert edge is not None
    window, values = edge
    assert set(np.nonzero(values)[1] + window.x0) == {30}
    assert len(np.unique(values[:, 30 - window.x0])) == 1


def test_a_mask_without_pixels_has_no_edge() -> None:
    assert boundary_gradient(np.full((64, 64), -1, np.float32), InputFrame((64, 64), 64)) is None


def test_normalised_maps_reach_from_nothing_to_one() -> None:
    scaled = strength.normalise(np.array([[2.0, 3.0], [4.0, 6.0]], np.float32))
    np.testing.assert_allclose(scaled, [[0, 0.25], [0.5, 1]])
    assert not strength.normalise(np.full((2, 2), 5, np.float32)).any()


def test_a_model_that_sees_colours_finds_their_borders() -> None:
    """The fake model answers a click with the region of its colour."""
    picture = Picture(scene())
    model = fake_model()
    raw = edge_strength(model, picture, EdgeSettings())
    batches = model.runtime.batches  # type: ignore[attr-defined]
    assert sum(len(batch) for batch, _ in batches) == 256
    assert all(tokens == slice(1, 4) for _, tokens in batches)
    edges = model_edges(model, picture, EdgeSettings())
    assert edges.shape == raw.shape == (120, 160)
    assert edges.max() == 1
    unsmoothed = model_edges(model, picture, EdgeSettings(smoothing=0))
    assert not unsmoothed[raw == 0].any()
    np.testing.assert_allclose(unsmoothed[unsmoothed > 0], (raw / raw.max())[unsmoothed > 0], rtol=1e-5)
    objects = np.zeros((2, 120, 160), bool)
    objects[0, 20:70, 30:80] = objects[1, 40:110, 100:150] = True
    drawn = region_borders(list(objects))
    counts = count_edges(edges, [drawn], np.array([0.05]), tolerance=0.02)  # cells of 2.5 pixels
    assert rates(counts).recall[0] > 0.9


def test_a_picture_of_one_colour_has_no_edges() -> None:
    flat = Picture(np.full((60, 80, 3), 90, np.uint8))
    for edges in (model_edges(fake_model(), flat, EdgeSettings(4)), sobel_edges(flat), canny_edges(flat)):
        assert edges.shape == (60, 80)
        assert not edges.any()


@pytest.mark.parametrize("name", ["sobel", "canny"])
def test_baselines_find_the_border_of_a_square(name: str) -> None:
    pixels = np.where(square()[..., None], 220, 30).astype(np.uint8).repeat(3, axis=2)
    found = edge_baseline(name).find(Picture(pixels))
    assert found.dtype == np.float32
    assert 0.98 < found.max() <= 1
    assert figures(found, BORDER, tolerance=0.03)["ods"]["f"] > 0.9


def test_borders_are_drawn_once_between_masks_that_touch() -> None:
    left = np.zeros((20, 30), bool)
    left[:, :12] = True
    expected = np.zeros((20, 30), bool)
    expected[:, 11] = True
    np.testing.assert_array_equal(region_borders([left, ~left]), expected)
    assert not region_borders([np.ones((5, 6), bool)]).any()


def sample(**more: object) -> Sample:
    picture = Picture(np.where(square()[..., None], 220, 30).astype(np.uint8).repeat(3, axis=2))
    return Sample("one.png", picture, (TrueMask(square()),), **more)  # type: ignore[arg-type]


def test_what_a_sample_says_about_edges() -> None:
    assert edge_truth(sample(), 2.0) is None
    drawn = edge_truth(sample(boundaries=(BORDER, BORDER)), 2.0)
    assert drawn is not None
    assert (len(drawn.drawings), drawn.known) == (2, None)
    parts = edge_truth(sample(exhaustive=True), 2.0)
    assert parts is not None
    assert parts.known is not None
    np.testing.assert_array_equal(parts.drawings[0], BORDER)
    assert parts.known[13:42, 20].all()
    assert not parts.known[12, 20]


def test_the_protocol_on_one_picture() -> None:
    settings = EdgesSettings(thresholds=9, tolerance=0.03)
    (line,) = evaluate_sample(edge_baseline("canny"), sample(exhaustive=True), settings)
    assert (line["key"], line["drawings"]) == ("one.png", 1)
    found = summarise_lines([json.loads(json.dumps(line))], settings)
    assert found["pictures"] == found["drawings"] == 1
    assert found["ods"]["f"] > 0.9
    assert found["by_source"]["unknown"]["ods"] == found["ods"]
    assert "curve" not in found["by_source"]["unknown"]
    assert 0.2 < found["known"] < 0.4
    assert evaluate_sample(ModelPredictor(fake_model()), sample(), settings) == []
    assert summarise_lines([], settings) == {"pictures": 0}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (lambda: EdgeSettings(points_per_side=0), "points_per_side is 0"),
        (lambda: EdgeSettings(points_per_side=64), "from 1 to 32"),
        (lambda: EdgeSettings(box_nms_thresh=1.5), "box_nms_thresh is 1.5"),
        (lambda: EdgeSettings(smoothing=-1), "smoothing is -1"),
        (lambda: EdgesSettings(tolerance=5), "share of the diagonal"),
        (lambda: EdgesSettings(thresholds=0), "at least 1"),
        (lambda: edge_baseline("prewitt"), "one of sobel, canny"),
        (lambda: check_detectors([open_baseline("grabcut")]), "grabcut cannot click everywhere"),
        (lambda: edge_baseline("sobel").open(Picture(scene())), "answers no prompts"),
    ],
)
def test_what_cannot_be_meant(settings: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        settings()  # type: ignore[operator]
