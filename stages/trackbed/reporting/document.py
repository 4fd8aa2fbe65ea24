"""The report of a run, as one HTML page and as short Markdown, the same in every clone.

A section of the page is an entry of SECTIONS and the template `report_ANCHOR.html.j2`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from trackbed.charts import class_curves, training_chart
from trackbed.evaluation import mistakes, result
from trackbed.explanation import evidence_cards, explained
from trackbed.explanation.evidence_cards import EvidenceCard
from trackbed.gallery import class_strip, confusion_cells, picture_block, predicted_pictures
from trackbed.gallery.closer_look import Project
from trackbed.inference import class_activation
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline import index, tables
from trackbed.pipeline.outputs import replacing, write_csv
from trackbed.reporting import (
    class_figures,
    confidence,
    curves_details,
    curves_text,
    dataset_summary,
    evaluation_tables,
    figures,
    formatting,
    html,
    model_card,
    previous_runs,
    provenance,
    training_log,
    verdict,
)
from trackbed.reporting.advice import advice
from trackbed.reporting.run import Run, parameter_rows

HTML_FILE = "report.html"  # in the plots folder
MARKDOWN_FILE = "report.md"  # in the metrics folder
PAIR_SIDE = 120  # pixels of the pictures of confusions
FEW_CLASSES = 8  # of so few a table shows as much as a scatter
# Of the Markdown.
LISTED_CLASSES, WEAKEST_CLASSES, TOP_CONFUSIONS, TOP_ADVICE = 10, 5, 5, 3


@dataclass(frozen=True)
class Section:
    """A section of the page.

    content: what its template shows beside that of `_common`, by name, `figures` (inline SVG by
    name) among it; None leaves the section out.
    """

    anchor: str
    title: str
    content: Callable[[Run], dict[str, Any] | None]


def write(run: Run, metrics: Path, plots: Path) -> None:
    """Write the page with the file beside it, its figures, the class balance, and the Markdown."""
    contents = page_contents(run)
    svgs = {key: svg for content in contents.values() for key, svg in content["figures"].items()}
    balance = figures.class_balance(run.data.counts, run.evaluation.classes)
    write_csv(plots / figures.BALANCE_FILE, balance, "%.4f")
    figures.write(plots / figures.FOLDER, svgs)
    page = write_html(plots / HTML_FILE, run, contents)
    others = previous_runs.listed(metrics / result.SCORES_FILE, run.evaluation.scores, run.params)
    provenance.write_context(plots / provenance.CONTEXT_FILE, page, run, others)
    write_markdown(metrics / MARKDOWN_FILE, run, plots / HTML_FILE)


def closing_lines(run: Run, plots: Path) -> list[str]:
    """What `dvc repro` ends with: where the page is, the verdict, and the next step."""
    step = next((one.text for one in advice(run)), "commit this run, then try other parameters.")
    return [
        verdict.scores_sentence(run.evaluation, bool(run.data.groups.get("groups_known"))),
        f"next: {step}",
        f"report: {(plots / HTML_FILE).resolve()}",
    ]


def page_contents(run: Run) -> dict[Section, dict[str, Any]]:
    """The contents of the sections that the run has, in the order of the page."""
    found = ((section, section.content(run)) for section in SECTIONS)
    return {section: {"figures": {}} | content for section, content in found if content is not None}


def section_html(section: Section, run: Run, content: dict[str, Any]) -> Markup:
    """A section of the page as markup."""
    template = html.environment(autoescape=True).get_template(f"report_{section.anchor}.html.j2")
    return Markup(template.render(_common(run) | content))


def write_html(path: Path, run: Run, contents: dict[Section, dict[str, Any]]) -> str:
    """Write the page; a digest of it, which the page holds too.

    Its Content-Security-Policy allows report.js, which is part of it, and script files beside it.
    """
    sections = [(section, section_html(section, run, own)) for section, own in contents.items()]
    content = (
        _common(run)
        | _verdict(run)
        | _overview(run)
        | html.script(*html.REPORT_SCRIPTS)
        | {"sections": sections, "page": "", "test_pictures": _test_pictures(run)}
    )
    text = html.environment(autoescape=True).get_template("report.html.j2").render(content)
    page = hashlib.sha256(text.encode()).hexdigest()[:16]
    with replacing(path) as temporary:
        text = text.replace('data-page=""', f'data-page="{page}"', 1)
        temporary.write_text(text, "utf-8", newline="\n")
    return page


def _test_pictures(run: Run) -> Markup:
    evaluation = run.evaluation
    part = predicted_pictures.joined(
        evaluation.predictions,
        run.data.index,
        evaluation.positions,
        index.FINDINGS_TABLE.read(run.records),
        evaluation.scores.get("refusal_threshold"),
    )
    project = Project(run.records, run.models, run.exported, run.data.index)
    return picture_block.script(picture_block.content(part, project))


def write_markdown(path: Path, run: Run, html_path: Path) -> None:
    """Write the summary for a pull request; it names the page."""
    environment = html.environment(autoescape=False, finalize=formatting.markdown)
    content = _common(run) | _verdict(run) | _summary(run) | {"html_path": html_path}
    html.write_page(path, environment, "report.md.j2", content)


def _common(run: Run) -> dict[str, Any]:
    """What every template may show."""
    return {
        "run": run,
        "evaluation": run.evaluation,
        "values": run.evaluation.scores,
        "training": run.training.summary,
        "interval": formatting.interval,
        "context_file": provenance.CONTEXT_FILE,
        "most_classes": class_figures.MOST_CLASSES,
    }


def _verdict(run: Run) -> dict[str, Any]:
    return {"advice": advice(run), "verdict": verdict.verdict(run)}


def _overview(run: Run) -> dict[str, Any]:
    """What the top of the page shows beside the verdict."""
    evaluation = run.evaluation

    def pictures(rows: pd.DataFrame) -> list[str]:
        return [card.picture for card in html.cards(run.records, run.data.index, rows)]

    return {
        "strip": class_strip.strip(
            evaluation.classes, evaluation.confusion, evaluation.predictions, pictures
        ),
        "leak": verdict.leak(run.data, run.params),
        "change": previous_runs.change(run.previous, evaluation.scores),
    }


def _summary(run: Run) -> dict[str, Any]:
    """What the Markdown shows beside it."""
    classes, matrix = run.evaluation.classes, run.evaluation.confusion
    if len(classes) > LISTED_CLASSES:
        ranked = classes.sort_values("f1", kind="stable", na_position="last")
        classes = ranked.head(WEAKEST_CLASSES)
    return {
        "scores": evaluation_tables.score_rows(run.evaluation.scores, run.previous),
        "classes": classes,
        "confusions": evaluation_tables.confusions(matrix, TOP_CONFUSIONS),
        "findings": dataset_summary.findings_sentence(run.data.findings, run.data.set_findings),
        "top_advice": TOP_ADVICE,
    }


def _data(run: Run) -> dict[str, Any]:
    return {
        "data": run.data,
        "counts": class_figures.smallest_and_largest(run.data.counts),
        "groups": verdict.group_sentences(run.data, run.params),
        "sizes": dataset_summary.size_ranges(run.data.index),
        "imbalance": dataset_summary.imbalance_sentence(run.data.counts["total"]),
        "formats": dataset_summary.format_counts(run.data.index),
        "figures": {"distribution": class_figures.distribution(run.data.counts)},
    }


def _training(run: Run) -> dict[str, Any]:
    log, best_epoch = run.training, run.training.summary.get("best_epoch")
    curves = ("loss", "accuracy", "macro_f1")
    return {
        "headline": curves_text.headline(log.analysis),
        "curve_sections": curves_text.sections(log.analysis),
        "tables": curves_details.tables(log.analysis),
        "columns": list(training_log.COLUMNS.values()),
        "epochs": training_log.epoch_rows(log.curves, best_epoch),
        "chart_data": training_chart.content(log.curves, best_epoch),
        "figures": {
            name: training_log.curve_figure(log.curves, name, best_epoch) for name in curves
        }
        | {"learning_rate": training_log.learning_rate_figure(log.curves)},
    }


def _scores(run: Run) -> dict[str, Any]:
    return {"score_tables": evaluation_tables.score_tables(run.evaluation.scores, run.previous)}


def _classes(run: Run) -> dict[str, Any]:
    averages, classes = run.evaluation.averages, class_figures.weakest(run.evaluation.classes)
    curves = class_curves.content(
        run.evaluation.predictions, run.evaluation.ranking, class_figures.MOST_CLASSES
    )
    return {
        "classes": classes,
        "curves": curves,
        "extremes": evaluation_tables.extremes(run.evaluation.classes),
        "figures": {
            "class_scores": class_figures.class_scores(classes),
            "errors": class_figures.errors(classes),
            "precision_recall": figures.class_curves_figure(curves, "precision_recall"),
            "roc": figures.class_curves_figure(curves, "roc"),
            "radar": class_figures.radar(averages.loc["macro avg"]),
        },
    }


def _confusions(run: Run) -> dict[str, Any]:
    matrix = run.evaluation.confusion
    frequent = evaluation_tables.confusions(matrix, evaluation_tables.LISTED_CONFUSIONS)
    model = ExportedModel.load(run.exported)
    explainer = class_activation.read(model)

    def cards(rows: pd.DataFrame) -> list[EvidenceCard]:
        found = explained.of_predictions(
            explainer, rows, model.classes, run.records, run.data.index, model.side
        )
        return evidence_cards.cards(found, PAIR_SIDE)

    return {
        "confusions": frequent,
        "matrix": confusion_cells.rows(matrix, class_figures.most_confused(matrix).index),
        "pairs": evaluation_tables.pictured_pairs(frequent, run.evaluation.predictions, cards),
        "has_maps": explainer is not None,
        "figures": {
            "confusion": class_figures.confusion(matrix),
            "confusion_shares": class_figures.confusion(matrix, percent=True),
        },
    }


def _confidence(run: Run) -> dict[str, Any]:
    evaluation, params = run.evaluation, run.params.get("evaluate", {})
    return {
        "temperature": confidence.temperature_text(evaluation.scores, params),
        "refusal": confidence.threshold_text(evaluation.scores, params),
        "figures": {
            "confidence": confidence.histogram_figure(evaluation.reliability),
            "reliability": confidence.reliability_figure(evaluation.reliability),
            "coverage": confidence.coverage_figure(evaluation.coverage, evaluation.scores),
        },
    }


def _slices(run: Run) -> dict[str, Any]:
    whole = run.evaluation.scores.get("accuracy")
    return {"worst_slice": verdict.slice_sentence(run.evaluation.slices, whole)}


def _corruptions(run: Run) -> dict[str, Any] | None:
    svgs = figures.robustness_figures(run.evaluation.corruptions)
    return {"figures": svgs} if svgs else None


def _gallery(run: Run) -> dict[str, Any]:
    surest = mistakes.surest_mistakes(run.evaluation.predictions, run.options.gallery)
    side = html.enlarged_side(len(surest))
    return {"mistakes": html.cards(run.records, run.data.index, surest, side)}


def _map(run: Run) -> dict[str, Any] | None:
    return {} if run.evaluation.images else None


def _balance(run: Run) -> dict[str, Any] | None:
    """Where every class has as many training images, there is nothing to see."""
    if run.data.counts["train"].nunique() < 2:
        return None
    table = figures.class_balance(run.data.counts, run.evaluation.classes)
    scattered = len(table) > FEW_CLASSES
    return {
        "balance": table,
        "correlation": figures.rank_correlation(table) if scattered else None,
        "figures": {"balance": figures.balance_figure(table)} if scattered else {},
    }


def _others(run: Run) -> dict[str, Any]:
    return {}


def _reproduce(run: Run) -> dict[str, Any]:
    formats = tables.parsed_metrics(run.formats)
    return {"parameters": parameter_rows(run.params), "formats": formats}


def _card(run: Run) -> dict[str, Any]:
    return {"card_sections": model_card.model_card(run)}


SECTIONS = (
    Section("gallery", "Pictures", _gallery),
    Section("confusions", "Confusions", _confusions),
    Section("classes", "Classes", _classes),
    Section("map", "Map", _map),
    Section("confidence", "Confidence", _confidence),
    Section("slices", "Slices", _slices),
    Section("corruptions", "Corrupted images", _corruptions),
    Section("scores", "Scores", _scores),
    Section("others", "Other runs", _others),
    Section("training", "Training", _training),
    Section("data", "Data", _data),
    Section("balance", "Balance", _balance),
    Section("reproduce", "Reproduce", _reproduce),
    Section("card", "Model card", _card),
)
