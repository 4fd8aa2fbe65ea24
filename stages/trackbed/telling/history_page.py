"""Analysed training histories as text, Markdown, JSON and one HTML page that needs nothing else."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trackbed.history.analysis import Analysis
from trackbed.history.class_scores import ClassScores
from trackbed.history.history import History
from trackbed.history.side_by_side import SideBySide
from trackbed.outputs import write_json
from trackbed.telling import history_figures, history_tables, history_words, page, wording
from trackbed.telling.history_tables import Table

STEM = "curves"


@dataclass(frozen=True)
class Findings:
    """All that one call found: runs in the order given, what they have in common, classes."""

    histories: list[History]
    analyses: list[Analysis]
    compared: SideBySide | None = None
    classes: ClassScores | None = None


def text(findings: Findings) -> str:
    """The findings for a terminal."""
    lines = []
    for analysis in findings.analyses:
        lines += [f"{analysis.name} ({analysis.kind})", history_words.headline(analysis)]
        lines += [f"  {note}" for note in analysis.notes]
        for section in history_words.sections(analysis):
            lines += [f"{section.title}:", *(f"  {said}" for said in section.sentences)]
        lines.append("")
    if findings.compared:
        lines += ["Side by side:", *_aligned(history_tables.side_by_side(findings.compared))]
        lines += [*history_words.comparison(findings.compared), ""]
    elif len(findings.analyses) > 1:
        lines += ["Side by side: no loss or score of validation that all runs have.", ""]
    if findings.classes:
        lines += ["Classes:", *(f"  {said}" for said in history_words.classes(findings.classes))]
    return "\n".join(map(_printable, lines)).rstrip()


def write(folder: Path, findings: Findings) -> list[Path]:
    """Write curves.html, curves.md and curves.json; the paths."""
    paths = [folder / f"{STEM}.{ending}" for ending in ("html", "md", "json")]
    compared = findings.compared
    runs = [
        _run(history, analysis, f"run{place}")
        for place, (history, analysis) in enumerate(
            zip(findings.histories, findings.analyses, strict=True)
        )
    ]
    content = {
        "runs": runs,
        "several": len(runs) > 1,
        "compared": history_tables.side_by_side(compared) if compared else None,
        "said": history_words.comparison(compared) if compared else [],
        "together": history_figures.together(findings.histories, compared) if compared else None,
        "classes": history_words.classes(findings.classes) if findings.classes else [],
    }
    page.write(paths[0], page.environment(autoescape=True), "history.html.j2", content)
    plain = page.environment(autoescape=False)
    plain.filters["markdown"] = wording.markdown
    page.write(paths[1], plain, "history.md.j2", content)
    write_json(paths[2], values(findings))
    return paths


def values(findings: Findings) -> dict[str, Any]:
    """The findings as JSON takes them, with the curves themselves."""
    pairs = zip(findings.histories, findings.analyses, strict=True)
    return {
        "runs": [analysis.values() | {"curves": _curves(history)} for history, analysis in pairs],
        "side_by_side": asdict(findings.compared) if findings.compared else None,
        "classes": asdict(findings.classes) if findings.classes else None,
    }


def _curves(history: History) -> dict[str, list[float]]:
    return {"epoch": history.table.index.tolist()} | history.table.to_dict("list")


def _run(history: History, analysis: Analysis, key: str) -> dict[str, Any]:
    left_out = len(history_figures.quantities_of(history)) - history_figures.MOST
    return {
        "key": key,
        "analysis": analysis,
        "headline": history_words.headline(analysis),
        "sections": history_words.sections(analysis),
        "tables": history_tables.tables(analysis),
        "figures": history_figures.drawn(history, analysis, key),
        "left_out": max(0, left_out),
    }


def _printable(line: str) -> str:
    """Names of columns may hold what moves a terminal's cursor."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line
    )


def _aligned(table: Table) -> list[str]:
    rows = [table.head, *table.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.head))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
