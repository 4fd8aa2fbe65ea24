"""The report of a run, as one HTML page that needs nothing else and as short Markdown."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from trackbed.history.analysis import Analysis
from trackbed.judging import alarm
from trackbed.telling import (
    balance_figure,
    confidence_words,
    data_findings,
    epochs,
    findings,
    group_words,
    history_tables,
    history_words,
    model_card,
    page,
    previous,
    scoreboard,
    slice_words,
    verdict,
    wording,
)
from trackbed.telling.class_rules import Advice
from trackbed.telling.confused_pairs import Pair
from trackbed.telling.data_findings import Finding
from trackbed.telling.dataset import Dataset
from trackbed.telling.other_runs import OtherRun
from trackbed.telling.pictures import Card
from trackbed.telling.previous import Previous
from trackbed.telling.provenance import Revision
from trackbed.telling.results import Results

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
    content = _content(report) | page.script()
    page.write(path, page.environment(autoescape=True), "report.html.j2", content)


def write_markdown(path: Path, report: Report, html_path: Path) -> None:
    """Write the summary for a pull request; it names the page."""
    environment = page.environment(autoescape=False, finalize=wording.markdown)
    classes = report.results.classes
    weakest = classes if len(classes) <= LISTED_CLASSES else _weakest(classes)
    content = _content(report) | {
        "html_path": html_path,
        "classes": weakest,
        "class_count": len(classes),
        "confusions": findings.confusions(report.results.confusion, TOP_CONFUSIONS),
        "advice": report.advice[:TOP_ADVICE],
    }
    page.write(path, environment, "report.md.j2", content)


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
        "against": previous.sentence(report.previous, results.scores),
        "groups": group_words.sentences(report.data, report.params),
        "leak_risk": group_words.unknown(report.data),
        "interval": verdict.interval,
        "scores": scoreboard.rows(results.scores, report.previous),
        "values": results.scores,
        "warning": alarm.not_above_baseline(results.scores),
        "temperature": confidence_words.temperature(results.scores, evaluate),
        "refusal": confidence_words.refusal(results.scores, evaluate),
        "worst_slice": slice_words.sentence(report.slices, results.scores.get("accuracy")),
        "extremes": findings.extremes(results.classes),
        "confusions": findings.confusions(results.confusion, LISTED_CONFUSIONS),
        "parameters": parameter_rows(report.params),
        "curve_headline": history_words.headline(report.analysis),
        "curve_sections": history_words.sections(report.analysis),
        "curve_tables": history_tables.tables(report.analysis),
        "epoch_columns": list(epochs.COLUMNS.values()),
        "epochs": epochs.rows(report.history, training.get("best_epoch")),
        "sizes": data_findings.sizes(report.data.index),
        "formats": data_findings.formats(report.data.index),
        "found_told": data_findings.told(report.found),
        "correlation": balance_figure.correlation(report.balance),
        "card_sections": model_card.model_card(
            results, report.data, training, report.params, report.revision
        ),
    }


def _weakest(classes: pd.DataFrame) -> pd.DataFrame:
    return classes.sort_values("f1", kind="stable", na_position="last").head(WEAKEST_CLASSES)
