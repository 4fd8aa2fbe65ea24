"""The report of a run, as one HTML page that needs nothing else and as short Markdown."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from trackbed.curves.analysis import Analysis
from trackbed.evaluation import baselines
from trackbed.reporting import (
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
    score_table,
    training_log,
    verdict,
)
from trackbed.reporting.advice import Advice
from trackbed.reporting.dataset_summary import Dataset, Finding
from trackbed.reporting.evaluation_tables import Pair, Results
from trackbed.reporting.html import Card
from trackbed.reporting.previous_runs import OtherRun, Previous
from trackbed.reporting.provenance import Revision

HTML_FILE = "report.html"  # in the plots folder
MARKDOWN_FILE = "report.md"  # in the metrics folder
LISTED_CONFUSIONS = 10
# Of the Markdown.
LISTED_CLASSES, WEAKEST_CLASSES, TOP_CONFUSIONS, TOP_ADVICE = 10, 5, 5, 3


@dataclass(frozen=True)
class Report:
    """All that the report tells.

    found: see data_findings. training: see curves.summary; history: see curves.read. sheet: a
    data URI. figures: inline SVG by name. reliability: see judging.calibration; coverage: see
    judging.refusal; slices: see judging.slices; corruptions: see judging.robustness; balance: see
    balance_figure. params: the sections of params.yaml, scalars as text. hashes: see identity;
    hardware and seconds: see machine.
    """

    title: str
    results: Results
    data: Dataset
    found: list[Finding]
    training: dict[str, Any]
    history: pd.DataFrame
    analysis: Analysis
    sheet: str
    samples: list[Card]
    mistakes: list[Card]
    pairs: list[Pair]
    figures: dict[str, Markup]
    reliability: pd.DataFrame
    coverage: pd.DataFrame
    slices: pd.DataFrame
    corruptions: pd.DataFrame
    balance: pd.DataFrame
    advice: list[Advice]
    previous: Previous | None
    others: list[OtherRun]
    params: dict[str, Any]
    versions: dict[str, str]
    revision: Revision
    hashes: dict[str, str]
    hardware: dict[str, str]
    seconds: dict[str, float]


def write_html(path: Path, report: Report) -> None:
    """Write the page. Of all scripts its Content-Security-Policy allows report.js alone."""
    content = _content(report) | html.script()
    html.write_page(path, html.environment(autoescape=True), "report.html.j2", content)


def write_markdown(path: Path, report: Report, html_path: Path) -> None:
    """Write the summary for a pull request; it names the page."""
    environment = html.environment(autoescape=False, finalize=formatting.markdown)
    classes = report.results.classes
    weakest = classes if len(classes) <= LISTED_CLASSES else _weakest(classes)
    content = _content(report) | {
        "html_path": html_path,
        "classes": weakest,
        "class_count": len(classes),
        "confusions": evaluation_tables.confusions(report.results.confusion, TOP_CONFUSIONS),
        "advice": report.advice[:TOP_ADVICE],
    }
    html.write_page(path, environment, "report.md.j2", content)


def parameter_rows(sections: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Sections with their keys and values; a list or a mapping inside is told as JSON."""

    def told(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return [
        (name, [(key, told(value)) for key, value in section.items()])
        if isinstance(section, dict)
        else (name, [("", told(section))])
        for name, section in sections.items()
    ]


def _content(report: Report) -> dict[str, Any]:
    """What the templates show, beside the fields of the report."""
    results, training = report.results, report.training
    evaluate = report.params.get("evaluate", {})
    return vars(report) | {
        "classes": results.classes,
        "averages": results.averages,
        "images": int(results.confusion.to_numpy().sum()),
        "wrong": int(results.classes["false_negative"].sum()),
        "verdict": verdict.sentences(results, training),
        "against": previous_runs.sentence(report.previous, results.scores),
        "groups": verdict.group_sentences(report.data, report.params),
        "leak_risk": verdict.groups_unknown(report.data),
        "interval": verdict.interval,
        "scores": score_table.rows(results.scores, report.previous),
        "values": results.scores,
        "warning": baselines.baseline_warning(results.scores),
        "temperature": confidence.temperature(results.scores, evaluate),
        "refusal": confidence.refusal(results.scores, evaluate),
        "worst_slice": verdict.slice_sentence(report.slices, results.scores.get("accuracy")),
        "extremes": evaluation_tables.extremes(results.classes),
        "confusions": evaluation_tables.confusions(results.confusion, LISTED_CONFUSIONS),
        "parameters": parameter_rows(report.params),
        "curve_headline": curves_text.headline(report.analysis),
        "curve_sections": curves_text.sections(report.analysis),
        "curve_tables": curves_details.tables(report.analysis),
        "epoch_columns": list(training_log.COLUMNS.values()),
        "epochs": training_log.rows(report.history, training.get("best_epoch")),
        "sizes": dataset_summary.sizes(report.data.index),
        "formats": dataset_summary.formats(report.data.index),
        "found_told": dataset_summary.findings_sentence(report.found),
        "correlation": figures.correlation(report.balance),
        "card_sections": model_card.model_card(
            results, report.data, training, report.params, report.revision
        ),
    }


def _weakest(classes: pd.DataFrame) -> pd.DataFrame:
    return classes.sort_values("f1", kind="stable", na_position="last").head(WEAKEST_CLASSES)
