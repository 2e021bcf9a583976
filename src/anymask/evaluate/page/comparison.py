"""The page of a comparison: two predictors on the same masks, what differs and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anymask.core.errors import InputError
from anymask.evaluate.compare import MARGIN, Comparison, Difference, Pair, better
from anymask.evaluate.page import figures
from anymask.evaluate.page.cases import drawing, pick, shown, window
from anymask.evaluate.page.gallery import main_figure, names_of, picture_key, prompt_of
from anymask.evaluate.page.layout import changes, document, facts, figure, keys, section, signed, table
from anymask.evaluate.page.markup import Markup, join, tag
from anymask.evaluate.page.plots import Axis, Line, lines, scatter
from anymask.evaluate.samples import Sample


def shown_pairs(found: Comparison, main: str) -> dict[str, list[Pair]]:
    """The pairs shown as pictures: where b gains most by a figure, and where it loses most."""
    by_key = {(pair.b.key, pair.b.number): pair for pair in found.pairs}

    def gain(pair: Pair) -> float:
        return better(main, pair.difference(main))

    groups = {}
    for name, sign in (("wins", -1), ("losses", 1)):
        rows = [pair.b for pair in found.pairs if -sign * gain(pair) > MARGIN]
        best = pick(rows, lambda row, sign=sign: sign * gain(by_key[row.key, row.number]))  # type: ignore[misc]
        groups[name] = [by_key[row.key, row.number] for row in best]
    return groups


def ranking_figure(found: Comparison, wanted: str | None = None) -> str:
    """The figure by which sources and pictures are ranked: `wanted`, or the main one of the common figures.

    Raises InputError if `wanted` is not common to both sides.
    """
    if wanted is not None and wanted not in found.over_masks:
        raise InputError(
            f"figure '{wanted}' is not in both reports; give one of {', '.join(found.over_masks)}"
        )
    return wanted or main_figure(list(found.over_masks))


def comparison_page(found: Comparison, samples: Mapping[str, Sample], wanted: str | None = None) -> str:
    """The whole page as HTML.

    samples: key -> picture with masks, for the pictures; what is not there is not shown. wanted: the figure
    by which sources and pictures are ranked.
    Raises InputError if the figure is not common, FormatError if the samples are of other data.
    """
    main = ranking_figure(found, wanted)
    a, b = names(found)
    return document(
        f"{b} against {a}",
        join(tag("p", _lead(found), class_="lead"), keys(*_key_numbers(found, main))),
        section("Differences", _note(a, b), _table(found)),
        _plots(found, main),
        _by_source(found, main),
        _pictures(found, samples, main),
        _about(found),
    )


def names(found: Comparison) -> tuple[str, str]:
    """What the two sides are called; equal names are told apart by the start of the weights' hash."""
    if found.a.name != found.b.name:
        return found.a.name, found.b.name
    if found.a.sha256 != found.b.sha256:
        return f"{found.a.name} ({found.a.sha256[:8]})", f"{found.b.name} ({found.b.sha256[:8]})"
    return f"{found.a.name} (A)", f"{found.b.name} (B)"


def verdict(name: str, difference: Difference) -> str:
    """Which side is better by a figure, if its interval says so: "better", "worse" or "not clear"."""
    if not difference.sure:
        return "not clear"
    return "better" if better(name, difference.difference) > 0 else "worse"


def _lead(found: Comparison) -> str:
    text = (
        f"The same {len(found.pairs)} masks in {found.pictures} pictures of {len(found.by_source)} sources; "
        "differences are taken mask by mask."
    )
    if found.only_a or found.only_b:
        one, other = found.only_a, found.only_b
        text += f" Not common and left out: {one} masks of the first report, {other} of the second."
    return text


def _key_numbers(found: Comparison, main: str) -> list[tuple[str, str, str]]:
    entries = []
    for name in dict.fromkeys([main, "click1", "click5", "box"]):
        if name in found.over_sources:
            one = found.over_sources[name]
            low, high = one.interval_95
            entries.append(
                (figures.title(name), _signed(name, one.difference), f"95 %: {low:+.3f} to {high:+.3f}")
            )
    one = found.over_masks[main]
    entries.append(
        (
            f"masks won / lost, {figures.title(main)}",
            f"{one.wins} / {one.losses}",
            f"{one.equal} within {MARGIN}",
        )
    )
    return entries


def _note(a: str, b: str) -> str:
    return (
        f"{b} minus {a}, with 95 % bootstrap intervals of the paired difference: over sources, sources drawn "
        "with replacement; over masks, pictures. Better and worse are said where the interval leaves out 0. "
        f"Won and lost: how many sources or masks changed by more than {MARGIN}."
    )


def _table(found: Comparison) -> Markup:
    a, b = names(found)
    rows: list[list[object]] = []
    for title, group in (("Over sources", found.over_sources), ("Over masks", found.over_masks)):
        rows.append([title])
        rows += [_row(name, group[name]) for name in figures.headline(group)]
    head = ["", a, b, "difference", "95 % interval", "", "won", "lost", "equal"]
    return table(head, rows, words=(0, 5), full=True)


def _row(name: str, one: Difference) -> list[object]:
    low, high = one.interval_95
    word = verdict(name, one)
    return [
        figures.title(name),
        figures.text(name, one.a),
        figures.text(name, one.b),
        _signed(name, one.difference),
        f"{signed(low)} to {signed(high)}",
        tag("span", word, class_=word if one.sure else "note"),
        one.wins,
        one.losses,
        one.equal,
    ]


def _plots(found: Comparison, main: str) -> Markup:
    return section(
        "Plots", None, tag("div", _curve(found), _gain(found), _scatter(found, main), class_="plots")
    )


def _curve(found: Comparison) -> Markup | None:
    curve = figures.clicks(found.over_sources)
    if len(curve) < 2:
        return None
    both = names(found)
    series = [
        Line(both[0], list(curve), [found.over_sources[f].a for f in curve.values()]),
        Line(both[1], list(curve), [found.over_sources[f].b for f in curve.values()]),
    ]
    x = _clicks_axis(curve)
    return figure(
        "IoU over clicks, mean over sources",
        lines(series, x, Axis.share("mean IoU"), about="Mean IoU of both over clicks"),
        names=both,
    )


def _gain(found: Comparison) -> Markup | None:
    curve = figures.clicks(found.over_sources)
    if len(curve) < 2:
        return None
    ones = [found.over_sources[f] for f in curve.values()]
    low, high = [o.interval_95[0] for o in ones], [o.interval_95[1] for o in ones]
    line = Line("difference", list(curve), [o.difference for o in ones], low, high)
    y = Axis.around_zero("difference of mean IoU", max(map(abs, [*low, *high])))
    plot = lines([line], _clicks_axis(curve), y, about="Difference over clicks with its interval", zero=True)
    return figure("Difference over clicks", plot, "Band: 95 % bootstrap interval, over sources.")


def _scatter(found: Comparison, main: str) -> Markup | None:
    if figures.counts_clicks(main):
        return None
    a, b = names(found)
    points = [(source, *ends[main]) for source, ends in found.by_source.items()]
    about = f"{figures.title(main)} of every source, {a} across, {b} upwards"
    plot = scatter(points, Axis.share(a), Axis.share(b), about=about)
    return figure(
        f"Sources, {figures.title(main)}", plot, "One dot per source; above the dashed line the second wins."
    )


def _clicks_axis(curve: Mapping[int, str]) -> Axis:
    most = max(curve)
    return Axis("clicks", min(curve), most, figures.click_ticks(min(curve), most), 0)


def _by_source(found: Comparison, main: str) -> Markup | None:
    counts: dict[str, int] = {}
    for pair in found.pairs:
        counts[pair.a.source] = counts.get(pair.a.source, 0) + 1
    rows = [
        (source, better(main, ends[main][1] - ends[main][0]), counts[source])
        for source, ends in found.by_source.items()
    ]
    if len(rows) < 2:
        return None
    rows.sort(key=lambda row: (-row[1], row[0]))
    note = f"{figures.title(main)}, difference of the means over the masks of a source, with their number."
    if figures.counts_clicks(main):
        note += " Fewer clicks count upwards."
    return section("Sources", note, changes(rows))


def _pictures(found: Comparison, samples: Mapping[str, Sample], main: str) -> Markup | None:
    a, b = names(found)
    groups: list[Markup] = []
    for kind, pairs in shown_pairs(found, main).items():
        cases = [_pair(pair, samples, main, (a, b)) for pair in pairs]
        if any(cases):
            heading = f"{b} wins most" if kind == "wins" else f"{b} loses most"
            groups += [tag("h3", heading), tag("div", *cases, class_="cases pairs")]
    if not groups:
        return None
    note = (
        f"The largest differences of {figures.title(main)}, one mask per source while there are enough; "
        f"left {a}, right {b}."
    )
    return section("Pictures", note, picture_key(main), *groups)


def _pair(pair: Pair, samples: Mapping[str, Sample], main: str, both: Sequence[str]) -> Markup | None:
    sides = (pair.a, pair.b)
    cases = [shown(row, samples, prompt=prompt_of(main)) for row in sides]
    view = window(*(case for case in cases if case is not None)) if any(cases) else None
    drawings = [
        drawing(case, f"{name}: {figures.title(main)} {figures.text(main, row.figures[main])}", view)
        for case, row, name in zip(cases, sides, both, strict=True)
        if case is not None
    ]
    if len(drawings) < len(sides):
        return None
    values = (f"{row.figures[main]:.2f}" for row in sides)
    caption = tag("figcaption", tag("strong", " → ".join(values)), *names_of(pair.b))
    return tag("figure", tag("div", *drawings, class_="pair"), caption, class_="case")


def _about(found: Comparison) -> Markup:
    entries: list[tuple[str, object]] = [
        ("First", join(found.a.name, " ", tag("code", found.a.sha256[:16]), f" on {found.data[0]}")),
        ("Second", join(found.b.name, " ", tag("code", found.b.sha256[:16]), f" on {found.data[1]}")),
        ("Protocol", found.protocol),
    ]
    if found.left_out:
        entries.append(("Figures of one side", ", ".join(map(figures.title, found.left_out))))
    return section("What was compared", None, facts(entries))


def _signed(name: str, value: float) -> str:
    return signed(value, 2 if figures.counts_clicks(name) else 3)
