"""Pages: what they show is what was measured, whatever the data's names are, and nothing is loaded."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anymask.core.errors import FormatError, InputError, OutputError
from anymask.core.images import load_image
from anymask.evaluate.boxes import BoxesSettings
from anymask.evaluate.boxes import evaluate_sample as evaluate_boxes
from anymask.evaluate.boxes import summarise as summarise_boxes
from anymask.evaluate.compare import compare
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.edges.scores import EdgeCounts, thresholds
from anymask.evaluate.edges.scores import summarise as summarise_edges
from anymask.evaluate.page.cases import Shown, drawing, extremes, pick, read_samples, window
from anymask.evaluate.page.comparison import comparison_page, shown_pairs
from anymask.evaluate.page.markup import Markup, join, tag, visible
from anymask.evaluate.page.plots import (
    Axis,
    Curve,
    Line,
    bubbles,
    histogram,
    lines,
    precision_recall,
    scatter,
)
from anymask.evaluate.page.published import PUBLISHED
from anymask.evaluate.page.write import report_page, save_page
from anymask.evaluate.predictors import ModelPredictor
from anymask.evaluate.proposals import summarise as summarise_proposals
from anymask.evaluate.report import DataInfo, Outcome, PredictorInfo, Report
from anymask.evaluate.samples import Problems, Sample, TrueMask
from tests.evaluate.pages import read, section
from tests.evaluate.runs import HW, lines_of, moved, outcome, rectangle, report_of
from tests.fake_runtime import fake_model
from tests.train.toys import toy_shard

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}",
    "a&lt;b & c",
    "javascript:alert(1)",
    "zwei\nZeilen\x00\x1b[31m\u202egnp.exe \udc80",
)


def rows_of(count: int = 12, sources: int = 4, predictor: str = "one@1") -> list[Outcome]:
    return [
        outcome(
            f"s{i % sources}-{i}",
            click=(7 * i % count) / count,
            predictor=predictor,
            zero_shot=i % sources == 0,
        )
        for i in range(count)
    ]


def page_of(rows: list[Outcome], **more: Any) -> str:
    return report_page(report_of(rows, **more), lines_of(rows))


def samples_of(rows: list[Outcome]) -> dict[str, Sample]:
    """A sample for every key, whose masks are one rectangle and more."""
    pixels = np.random.default_rng(0).integers(0, 255, (*HW, 3), np.uint8)
    true = TrueMask(rectangle(22, 12, 42, 30))
    return {row.key: Sample(row.key, load_image(pixels), (true, true), row.source) for row in rows}


# Markup


@given(st.text(), st.text())
def test_text_stays_text(text: str, value: str) -> None:
    element = read(tag("p", text, title=value)).inside[0]
    assert (element.name, element.inside) == ("p", [])
    assert element.text == visible(text)
    assert element.attributes == {"title": visible(value)}
    join(text).encode("utf-8")


def test_markup_is_kept_and_everything_else_is_escaped() -> None:
    inner = tag("b", "x")
    assert tag("p", inner, None, [1, ["<"]], hidden=True, lang=None) == "<p hidden><b>x</b>1&lt;</p>"
    assert isinstance(inner, Markup)
    assert tag("p", str.__str__(inner) + "") == "<p>&lt;b&gt;x&lt;/b&gt;</p>"
    assert tag("svg", viewBox="0 0 1 1", class_="a", aria_label='"') == (
        '<svg viewBox="0 0 1 1" class="a" aria-label="&quot;"></svg>'
    )
    for name in ("p onclick", "p>", "", "1p"):
        with pytest.raises(ValueError, match="is not the name"):
            tag(name)
        with pytest.raises(ValueError, match="is not the name"):
            tag("p", **{name: "x"})


# Plots


def text_boxes(plot: str) -> list[tuple[float, float, float, float]]:
    """Where the texts of a plot lie, generously: 6.6 units for a character, 11 for a line."""
    boxes = []
    for text in read(plot).all("text"):
        x, y, width = float(text.attributes["x"] or 0), float(text.attributes["y"] or 0), 6.6 * len(text.text)
        anchor = text.attributes.get("text-anchor")
        left = x - {"middle": width / 2, "end": width}.get(anchor or "", 0.0)
        boxes.append((left, y - 9, left + width, y + 2))
    return boxes


def overlapping(boxes: list[tuple[float, float, float, float]]) -> bool:
    return any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        for i, a in enumerate(boxes)
        for b in boxes[:i]
    )


@given(st.floats(1e-6, 1e6))
def test_an_axis_holds_its_values_in_round_steps_with_texts_that_differ(highest: float) -> None:
    for axis in (Axis.upwards("y", highest), Axis.around_zero("y", highest)):
        assert axis.high >= highest * (1 - 1e-6)
        assert axis.low in (0.0, -axis.high)
        assert axis.ticks[0] == axis.low
        assert axis.ticks[-1] == pytest.approx(axis.high)
        assert len(set(axis.texts)) == len(axis.texts) == len(axis.ticks) <= 8
        assert [float(text) for text in axis.texts] == pytest.approx(list(axis.ticks), abs=1e-9)


@given(st.floats(0.01, 300), st.integers(2, 20))
def test_texts_of_a_plot_do_not_overlap_and_stay_inside(highest: float, clicks: int) -> None:
    from anymask.evaluate.page.figures import click_ticks

    x = Axis("clicks", 1, clicks, click_ticks(1, clicks), 0)
    series = [Line("a", [1.0, clicks], [0.0, highest])]
    plots = [
        lines(series, x, Axis.upwards("% of masks", highest), about="x"),
        lines(series, x, Axis.around_zero("difference of mean IoU", highest), about="x", zero=True),
        histogram([("a", np.full(20, highest))], Axis.share("IoU"), "% of masks", about="x"),
        precision_recall([Curve("a", [0.1, 0.9], [0.9, 0.2], (0.5, 0.6))], about="x"),
    ]
    for plot in plots:
        boxes = text_boxes(plot)
        assert not overlapping(boxes)
        width, height = map(float, (read(plot).inside[0].attributes["viewbox"] or "").split()[2:])
        assert all(b[0] >= 0 and b[1] >= 0 and b[2] <= width + 1 and b[3] <= height for b in boxes)


def test_points_stand_where_their_values_are() -> None:
    plot = read(lines([Line("a", [0.0, 1.0], [0.0, 0.5])], Axis.share("x"), Axis.share("y"), about="x"))
    ticks = {text.text: text for text in plot.all("text") if text.attributes.get("text-anchor") == "end"}
    first, second = plot.all("circle")
    assert float(first.attributes["cy"] or 0) == pytest.approx(
        float(ticks["0.0"].attributes["y"] or 0) - 3.8, abs=0.1
    )
    middle = (float(ticks["0.4"].attributes["y"] or 0) + float(ticks["0.6"].attributes["y"] or 0)) / 2 - 3.8
    assert float(second.attributes["cy"] or 0) == pytest.approx(middle, abs=0.1)


def test_a_series_without_points_keeps_the_others_colours() -> None:
    share = Axis.share("x")
    plot = lines([Line("a", [], []), Line("b", [0.0, 1.0], [0.2, 0.4])], share, share, about="x")
    assert [e.attributes["class"] for e in read(plot).of_class("line") if e.attributes["d"]] == ["line s1"]
    plot = bubbles([(Line("a", [], []), []), (Line("b", [0.5], [0.5]), [1.0])], share, share, about="x")
    assert len(read(plot).all("circle")) == 1
    assert len(read(scatter([("x", 0.1, 0.2)], share, share, about="x")).all("circle")) == 1


# Cases


@given(st.permutations(range(12)), st.integers(1, 15))
def test_the_choice_does_not_depend_on_the_order_and_changes_sources(order: list[int], count: int) -> None:
    rows = rows_of()
    chosen = pick([rows[i] for i in order], lambda o: o.figures["click1"], count)
    assert chosen == pick(rows, lambda o: o.figures["click1"], count)
    assert len(chosen) == min(count, 12)
    assert len({o.source for o in chosen}) == min(count, 4)
    assert chosen[0] == min(rows, key=lambda o: (o.figures["click1"], o.key))


def test_extremes_are_the_best_the_median_and_the_worst_and_disjoint() -> None:
    rows = rows_of(40, 8)
    groups = extremes(rows, "click1")
    assert list(groups) == ["Best", "Median", "Worst"]
    clicks = {name: [o.figures["click1"] for o in found] for name, found in groups.items()}
    assert clicks["Best"][0] == max(o.figures["click1"] for o in rows)
    assert clicks["Worst"][0] == min(o.figures["click1"] for o in rows)
    assert min(clicks["Best"]) > max(clicks["Median"]) > min(clicks["Median"]) > max(clicks["Worst"])
    keys = [o.key for found in groups.values() for o in found]
    assert len(set(keys)) == len(keys)
    assert extremes(rows[:1], "click1") == {"Best": rows[:1]}
    assert extremes(rows, "absent") == {}


places = st.tuples(st.integers(0, 70), st.integers(0, 40), st.integers(1, 90), st.integers(1, 60))


@given(places, places, st.tuples(st.integers(0, 89), st.integers(0, 59)))
def test_a_view_holds_masks_and_prompt(
    true: tuple[int, int, int, int], found: tuple[int, int, int, int], point: tuple[int, int]
) -> None:
    masks = [rectangle(x, y, x + width, y + height) for x, y, width, height in (true, found)]
    case = Shown(np.zeros((*HW, 3), np.uint8), masks[0], masks[1], point, None)
    view = window(case)
    assert 0 <= view.x0 < view.x1 <= HW[1]
    assert 0 <= view.y0 < view.y1 <= HW[0]
    outside = masks[0] | masks[1]
    outside[view.y0 : view.y1, view.x0 : view.x1] = False
    assert not outside.any()
    assert view.x0 <= point[0] <= view.x1
    assert view.y0 <= point[1] <= view.y1
    together = window(case, replace(case, found=np.ones(HW, bool)))
    assert together == (0, 0, HW[1], HW[0])


def test_a_drawing_is_the_picture_with_outlines_and_prompt_in_place() -> None:
    pixels = np.full((300, 400, 3), (200, 30, 30), np.uint8)
    true = rectangle(100, 60, 300, 240, (300, 400))
    case = Shown(pixels, true, rectangle(120, 60, 300, 240, (300, 400)), (199.5, 149.5), None)
    svg = read(drawing(case, "a case"))
    _, _, width, height = map(float, (svg.inside[0].attributes["viewbox"] or "").split())
    image = svg.all("image")[0].attributes
    kind, encoded = (image["href"] or "").split(",")
    assert kind == "data:image/webp;base64"
    stored = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))
    assert np.abs(stored.astype(int).mean((0, 1)) - (200, 30, 30)).max() < 8
    # The picture's middle is the object's middle is the canvas's middle.
    circle = svg.all("circle")[0].attributes
    assert (float(circle["cx"] or 0), float(circle["cy"] or 0)) == pytest.approx(
        (width / 2, height / 2), abs=0.6
    )
    (outline,) = svg.of_class("true")
    numbers = np.array(re.findall(r"([\d.]+),([\d.]+)", outline.attributes["d"] or ""), float)
    scale = float(image["width"] or 0) / (window(case).x1 - window(case).x0)
    assert np.ptp(numbers, axis=0) == pytest.approx((200 * scale, 180 * scale), abs=0.6)
    boxed = read(drawing(replace(case, point_xy=None, box_xyxy=(100.0, 60.0, 300.0, 240.0)), "a case"))
    assert float(boxed.all("rect")[0].attributes["width"] or 0) == pytest.approx(200 * scale, abs=0.6)


def test_an_empty_answer_can_be_drawn() -> None:
    case = Shown(np.zeros((*HW, 3), np.uint8), rectangle(1, 1, 2, 2), np.zeros(HW, bool), (1, 1), None)
    svg = read(drawing(case, "nothing found"))
    assert len(svg.of_class("true")) == 1
    assert svg.of_class("found") == []


def test_only_the_wanted_pictures_are_read(tmp_path: Path) -> None:
    data = open_samples([toy_shard(tmp_path / "toys.tar", 5)])
    keys = [sample.key for sample in data.samples(Problems())]
    assert list(read_samples(data, [keys[3], keys[1]])) == [keys[1], keys[3]]
    assert read_samples(data, []) == {}
    with pytest.raises(FormatError, match=r"'toys\.tar' has no readable picture 'absent'"):
        read_samples(data, [keys[0], "absent"])


# The pages


def test_the_table_shows_the_figures_of_the_report() -> None:
    rows = rows_of() + moved(rows_of(), 0.1)
    report = report_of(rows)
    table = [[cell.text for cell in row.every() if cell.name in ("th", "td")]
             for row in section(page_of(rows), "Results").all("tr")]  # fmt: skip
    assert table[0] == ["averaged over", "1 click", "best of 3", "2 clicks", "box"]
    assert [row[0] for row in table if len(row) == 1] == ["one@1", "other@1"]
    for name, start in (("one@1", 2), ("other@1", 7)):
        summary = report.summary[name]
        low, high = summary["interval_95"]["click1"]
        expected = f"{summary['mean_over_sources']['click1']:.3f}{low:.3f}–{high:.3f}"
        assert table[start][:2] == ["all sources", expected]
        assert table[start + 1][2] == f"{summary['mean_over_trained_sources']['oracle1']:.3f}"
        assert table[start + 2][1] == f"{summary['mean_over_zero_shot_sources']['click1']:.3f}"
        assert table[start + 3][0] == "masks"
        assert table[start + 3][4].startswith(f"{summary['mean_over_masks']['box']:.3f}")


def test_sources_are_sorted_and_zero_shot_is_marked() -> None:
    rows = rows_of()
    page = section(page_of(rows), "Sources")
    shown = [
        (e.of_class("name")[0].text, e.of_class("value")[0].text) for e in page.of_class("rows")[0].all("li")
    ]
    means = {f"s{i}": np.mean([o.figures["click1"] for o in rows if o.source == f"s{i}"]) for i in range(4)}
    ranked = sorted(means, key=lambda name: (-means[name], name))
    assert shown == [(name + (" ◇" if name == "s0" else ""), f"{means[name]:.3f}") for name in ranked]
    widths = [
        float(re.findall(r"width:([\d.]+)%", e.attributes["style"] or "")[0]) for e in page.of_class("bar")
    ]
    assert widths == pytest.approx([100 * means[name] for name in ranked], abs=0.01)


def test_published_figures_are_marked_and_cite_their_source() -> None:
    quoted = section(page_of(rows_of()), "Figures from papers")
    assert "Not measured here" in quoted.text
    row = next(row for row in quoted.all("tr") if row.text.startswith("SAM, ViT-H"))
    assert [cell.text for cell in row.all("td")] == ["58.1", "81.3", "SAM 2, table 6"]
    for table in PUBLISHED.values():
        for entry in table.rows:
            assert len(entry.figures) == len(table.columns)
            assert entry.address.startswith("https://")


def test_cases_are_shown_where_their_pictures_are() -> None:
    rows = rows_of(40, 8)
    report = report_of(rows)
    from anymask.evaluate.page.interactive import interactive_page

    page = section(interactive_page(report, {"one@1": rows}, samples_of(rows)), "Cases")
    assert [e.text for e in page.all("h3")] == ["Best", "Median", "Worst"]
    best = max(rows, key=lambda o: o.figures["click1"])
    first = page.of_class("case")[0]
    assert f"IoU {best.figures['click1']:.2f}, predicted 0.60" in first.text
    assert f"{best.key}, mask 0" in first.text
    assert all(len(case.all("image")) == 1 for case in page.of_class("case"))
    without = interactive_page(report, {"one@1": rows}, {})
    assert not [s for s in read(without).all("section") if s.all("h2")[0].text == "Cases"]
    wrong = {key: replace(s, masks=()) for key, s in samples_of(rows).items()}
    with pytest.raises(FormatError, match="is another picture than the report was made on"):
        interactive_page(report, {"one@1": rows}, wrong)


def check_harmless(page: str) -> None:
    """Nothing is loaded, nothing runs, whatever the names were."""
    tree = read(page)
    page.encode("utf-8")
    assert {e.name for e in tree.every()}.isdisjoint(
        {"script", "iframe", "object", "embed", "form", "base", "img"}
    )
    assert len(tree.all("style")) == 1
    assert "url(" not in tree.all("style")[0].text
    assert "@import" not in tree.all("style")[0].text
    addresses = {entry.address for table in PUBLISHED.values() for entry in table.rows}
    for element in tree.every():
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"<{element.name} {name}>"
            assert name not in ("src", "srcset", "xlink:href", "action", "data")
            if name == "href":
                wanted = {"a": value in addresses, "image": str(value).startswith("data:image/webp;base64,")}
                assert wanted[element.name], value
            if name == "style":
                assert re.fullmatch(r"((left|width):[\d.]+%;?)+", value or ""), value
    policy = [m for m in tree.all("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert (policy[0].attributes["content"] or "").startswith("default-src 'none'")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_and_does_nothing(name: str) -> None:
    rows = [
        outcome(
            f"{name}-{i}",
            click=0.1 * i,
            source=f"{name} {i % 3}",
            label=name,
            kind=f"{name} {i % 2}",
            predictor=name,
        )
        for i in range(6)
    ]
    report = report_of(
        rows,
        data=DataInfo(name, 6),
        settings={name: name},
        skipped=(f"{name}: broken",),
        versions={name: name},
        machine={name: [name]},
    )
    from anymask.evaluate.page.interactive import interactive_page

    page = interactive_page(report, {name: rows}, samples_of(rows))
    check_harmless(page)
    text = read(page).text
    assert f"Interactive segmentation: {visible(name)}" in text
    assert f"{visible(name)}: broken" in text
    assert len(section(page, "Cases").of_class("case")) == 6
    found = compare(
        "interactive", (name, name), report.predictors[0], rows, PredictorInfo("b"), moved(rows, 0.1)
    )
    page = comparison_page(found, samples_of(rows))
    check_harmless(page)
    assert f"b against {visible(name)}" in read(page).text


def test_wins_and_losses_are_shown_side_by_side() -> None:
    rows = rows_of()
    changes = [0.3, -0.2, 0.005, *[0.1] * 9]
    b = [
        replace(row, figures={**row.figures, "click1": row.figures["click1"] + c})
        for row, c in zip(rows, changes, strict=True)
    ]
    found = compare("interactive", ("x", "x"), PredictorInfo("a"), rows, PredictorInfo("b"), b)
    groups = shown_pairs(found, "click1")
    assert groups["wins"][0].a.key == rows[0].key
    assert [pair.a.key for pair in groups["losses"]] == [rows[1].key]
    assert rows[2].key not in [pair.a.key for group in groups.values() for pair in group]
    page = section(comparison_page(found, samples_of(rows)), "Pictures")
    first = page.of_class("case")[0]
    assert len(first.all("svg")) == 2
    assert "0.00 → 0.30" in first.text
    with pytest.raises(InputError, match="figure 'noc85' is not in both reports"):
        comparison_page(found, {}, "noc85")


def test_a_single_mask_makes_a_page() -> None:
    page = page_of([outcome(predicted=None)])
    check_harmless(page)
    titles = [s.all("h2")[0].text for s in read(page).all("section")]
    assert titles == ["Results", "Plots", "Figures from papers", "How it was measured"]


def test_numbers_of_clicks_have_their_own_places() -> None:
    rows = [replace(o, figures={**o.figures, "noc85": 7.0 + i}) for i, o in enumerate(rows_of(4))]
    results = section(page_of(rows), "Results")
    assert "NoC: clicks until that IoU" in results.text
    assert [c.text for c in results.all("tr")[-1].all("td")][-1].startswith("8.50")


def test_boxes_proposals_and_edges_have_pages(tmp_path: Path) -> None:
    data = open_samples([toy_shard(tmp_path / "toys.tar", 3)])
    model = ModelPredictor(fake_model())
    lines = [evaluate_boxes(model, sample, BoxesSettings()) for sample in data.samples(Problems())]
    boxes = Report(
        "boxes",
        {"boxes": "true", "class_agnostic": False},
        (PredictorInfo(model.name, model.sha256),),
        DataInfo("toys.tar", 3),
        {model.name: summarise_boxes(lines)},
    )
    page = report_page(boxes, {model.name: lines}, data)
    check_harmless(page)
    coco = boxes.summary[model.name]["coco"]
    assert section(page, "COCO's mask AP").all("td")[0].text == f"{100 * coco['AP']:.1f}"
    assert len(section(page, "Cases").of_class("case")) == 6

    hits = {
        size: {k: np.full(10, 2).tolist() for k in ("10", "100", "1000")}
        for size in ("all", "small", "medium", "large")
    }
    objects = {"all": 4, "small": 4, "medium": 0, "large": 0}
    line = {"source": "toys", "proposals": 7, "objects": objects, "hits": hits, "truth": []}
    proposals = replace(boxes, protocol="proposals", summary={model.name: summarise_proposals([line, line])})
    page = report_page(proposals, {})
    check_harmless(page)
    cells = [cell.text for cell in section(page, "Average recall").all("td")]
    assert cells[:3] == ["0.5000.500–0.500", "0.5000.500–0.500", "–"]

    counts = EdgeCounts(*(np.array(v) for v in ([80, 60, 20], [100, 100, 100], [70, 55, 20], [140, 80, 22])))
    summary = {**summarise_edges([counts], thresholds(3)), "drawings": 5, "known": 1.0, "by_source": {}}
    edges = replace(boxes, protocol="edges", summary={model.name: summary, "canny": {"pictures": 0}},
                    predictors=(*boxes.predictors, PredictorInfo("canny")))  # fmt: skip
    page = report_page(edges, {})
    check_harmless(page)
    assert section(page, "Results").all("td")[0].text == f"{summary['ods']['f']:.3f}"
    (curve,) = section(page, "Precision over recall").of_class("line")
    assert len((curve.attributes["d"] or "").split("L")) == 3
    with pytest.raises(InputError, match="there is no page for a report of 'poetry'"):
        report_page(replace(boxes, protocol="poetry"), {})


def test_a_page_is_the_same_each_time_and_is_written_whole(tmp_path: Path) -> None:
    rows = rows_of()
    report = report_of(rows)
    first = save_page(tmp_path / "a.html", report, lines_of(rows)).read_bytes()
    assert first == save_page(tmp_path / "b.html", report, lines_of(rows[::-1])).read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "b.html"}
    with pytest.raises(OutputError, match="does not exist"):
        save_page(tmp_path / "absent" / "a.html", report, lines_of(rows))


@pytest.mark.parametrize("protocol", ["interactive", "boxes", "proposals", "edges", "speed"])
def test_a_damaged_report_is_refused(protocol: str) -> None:
    for summary in ({}, {"one@1": {}}, {"one@1": None}):
        report = Report(protocol, {}, (PredictorInfo("one@1"),), DataInfo("x", 1), summary)  # type: ignore[arg-type]
        with pytest.raises(FormatError, match="run it again"):
            report_page(report, {})


def test_times_have_a_page_with_a_logarithmic_scale() -> None:
    def task(ms: float) -> dict[str, Any]:
        times = {"ms": ms, "median_ms": ms * 1.1, "p10_ms": ms / 10, "p90_ms": ms * 10, "best_ms": ms / 10}
        return {**times, "rounds": 7, "foreign": None}

    tasks = {"open": task(20.0), "click": task(2.0), "prompts16": task(200.0)}
    report = Report(
        "speed",
        {"sizes": "1024 x 768", "rounds": 7},
        (PredictorInfo("one@1"),),
        DataInfo("drawn", 1),
        {"one@1": {"tasks": tasks, "peak_mb": 123.4}},
        machine={"cores": 2, "load_of_others": 0.5},
    )
    page = report_page(report, {})
    check_harmless(page)
    assert "Other processes used 0.50 of 2 cores meanwhile, so the times are too long." in read(page).text
    rows = section(page, "Times").all("tr")
    assert rows[1].text == "one@1: 123 MB of memory at most, in a new process"
    assert [cell.text for cell in rows[2].all("td")] == ["20.0", "22.0", "2.0", "200", "2.0", "–"]
    spread = section(page, "Spread")
    assert [b.text for b in spread.all("b")] == ["0.1", "1", "10", "100", "1000", "10000"]
    ticks = [float((e.attributes["style"] or "")[5:].split("%")[0]) for e in spread.of_class("tick")]
    # A factor of ten is the same step everywhere on the scale.
    assert np.diff([ticks[1], ticks[0], ticks[2]]) == pytest.approx([20, 20], abs=0.02)
