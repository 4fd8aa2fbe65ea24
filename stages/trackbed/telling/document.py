"""The report of a run, as one HTML page that needs nothing else and as short Markdown."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from trackbed.telling import findings, page, scoreboard, verdict, wording
from trackbed.telling.dataset import Dataset
from trackbed.telling.pictures import Card
from trackbed.telling.provenance import Revision
from trackbed.telling.results import Results

LISTED_CONFUSIONS = 10
# Of the Markdown.
LISTED_CLASSES, WEAKEST_CLASSES, TOP_CONFUSIONS = 12, 5, 5


@dataclass(frozen=True)
class Report:
    """All that the report tells.

    training: see curves.summary. sheet: a data URI. figures: inline SVG by name.
    params: the sections of params.yaml, scalars as text.
    """

    title: str
    results: Results
    data: Dataset
    training: dict[str, Any]
    sheet: str
    samples: list[Card]
    mistakes: list[Card]
    figures: dict[str, Markup]
    params: dict[str, Any]
    versions: dict[str, str]
    revision: Revision


def write_html(path: Path, report: Report) -> None:
    """Write the page."""
    page.write(path, page.environment(autoescape=True), "report.html.j2", _content(report))


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
    return vars(report) | {
        "classes": report.results.classes,
        "averages": report.results.averages,
        "images": int(report.results.confusion.to_numpy().sum()),
        "wrong": int(report.results.classes["false_negative"].sum()),
        "verdict": verdict.sentences(report.results, report.training),
        "interval": verdict.interval,
        "scores": scoreboard.rows(report.results.scores),
        "values": report.results.scores,
        "extremes": findings.extremes(report.results.classes),
        "confusions": findings.confusions(report.results.confusion, LISTED_CONFUSIONS),
        "parameters": parameter_rows(report.params),
    }


def _weakest(classes: pd.DataFrame) -> pd.DataFrame:
    return classes.sort_values("f1", kind="stable", na_position="last").head(WEAKEST_CLASSES)
