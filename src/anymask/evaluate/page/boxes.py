"""The page of a boxes report: COCO's mask AP, the mean IoU, groups and cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anymask.evaluate.page.common import about_the_run, quoted, skipped
from anymask.evaluate.page.gallery import gallery
from anymask.evaluate.page.groups import by_group, by_source
from anymask.evaluate.page.interactive import results, spread
from anymask.evaluate.page.layout import document, section, table
from anymask.evaluate.page.markup import tag
from anymask.evaluate.report import Outcome, Report
from anymask.evaluate.samples import Sample

_COCO = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR", "ARs", "ARm", "ARl")


def boxes_page(
    report: Report, outcomes: Mapping[str, Sequence[Outcome]], samples: Mapping[str, Sample]
) -> str:
    """The whole page as HTML; arguments as in `interactive_page`."""
    names = [predictor.name for predictor in report.predictors]
    summaries = [report.summary[name] for name in names]
    rows = [outcomes.get(name, ()) for name in names]
    first = summaries[0]
    given = "the true masks' own boxes" if report.settings["boxes"] == "true" else "a detector's boxes"
    lead = (
        f"{report.data.name}: {first['masks']} masks in {first['pictures']} pictures of {first['sources']} "
        f"sources, prompted with {given}."
    )
    return document(
        f"Masks from boxes: {', '.join(names)}",
        tag("p", lead, class_="lead"),
        section(
            "COCO's mask AP",
            "Average precision and recall in per cent, by COCO's own evaluation; s, m, l: small, medium and "
            "large objects. Its scores are the detector's, or the predictor's own guess for true boxes.",
            table(["", *_COCO], [[n, *_coco(s["coco"])] for n, s in zip(names, summaries, strict=True)]),
        ),
        section("IoU", "Of each true mask with the mask found for it.", results(names, summaries)),
        tag("div", spread(names, rows, "box", "IoU for the box"), class_="plots"),
        by_group(names, summaries, "box", (("by_size", "By size"),)),
        by_source(names, summaries, "box", sorted({o.source for o in rows[0] if o.zero_shot})),
        gallery(names[0], rows[0], samples),
        quoted("boxes"),
        about_the_run(report),
        skipped(report),
    )


def _coco(figures: Mapping[str, float | None]) -> list[str]:
    values = [figures.get(name) for name in _COCO]
    return ["–" if value is None else f"{100 * value:.1f}" for value in values]
