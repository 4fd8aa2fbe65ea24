"""Tell what a run came to: one page to read, and a summary for a pull request."""

from pathlib import Path

from pydantic import Field

from trackbed import params
from trackbed.history import live_folder
from trackbed.history.analysis import analysis
from trackbed.judging import predictions, robustness, slices
from trackbed.outputs import write_csv
from trackbed.stage import SECONDS, run
from trackbed.telling import (
    balance_figure,
    confused_pairs,
    curves,
    data_findings,
    dataset,
    document,
    figures,
    findings,
    identity,
    machine,
    other_runs,
    pictures,
    previous,
    results,
)
from trackbed.telling.advice import advice
from trackbed.telling.provenance import revision, versions


class ReportParams(params.Section):
    """Section `report` of params.yaml."""

    title: str = Field(min_length=1, max_length=200)
    gallery: int = Field(ge=0, le=200)  # pictures of the surest mistakes
    samples: int = Field(ge=0, le=200)  # pictures of sample predictions


def main(
    records_path: Path,
    counts_path: Path,
    folds_path: Path,
    groups_path: Path,
    training_path: Path,
    sheet_path: Path,
    evaluation_path: Path,
    scores_path: Path,
    summary_path: Path,
    confusion_path: Path,
    reliability_path: Path,
    coverage_path: Path,
    slices_path: Path,
    corruptions_path: Path,
    models_path: Path,
    balance_path: Path,
    figures_path: Path,
    html_path: Path,
    markdown_path: Path,
) -> None:
    """Write the page, its figures and the Markdown from the tables of the other stages."""
    p, sections = params.load("report", ReportParams), params.sections()
    data = dataset.read(records_path, counts_path, folds_path, groups_path)
    judged = results.read(scores_path, summary_path, confusion_path)
    reliability = results.reliability(reliability_path)
    coverage = results.coverage(coverage_path)
    sliced, corrupted = slices.read(slices_path), robustness.read(corruptions_path)
    predicted = predictions.read(evaluation_path)
    history, training = curves.read(training_path), curves.summary(training_path)
    analysed = analysis(live_folder.read(training_path))
    samples = predictions.spread(predicted, p.samples)
    mistakes = predictions.surest_mistakes(predicted, p.gallery)
    large = pictures.enlarged_side(len(mistakes))
    confusions = findings.confusions(judged.confusion, document.LISTED_CONFUSIONS)
    pairs = confused_pairs.shown(confusions, predicted, records_path, data.index)
    anchors = [pair.anchor for pair in pairs]
    report = document.Report(
        title=p.title,
        data=data,
        found=data_findings.shown(records_path),
        training=training,
        history=history,
        analysis=analysed,
        results=judged,
        sheet=pictures.sheet(sheet_path),
        samples=pictures.cards(records_path, data.index, samples),
        mistakes=pictures.cards(records_path, data.index, mistakes, large),
        pairs=pairs,
        figures=figures.drawn(
            judged, data.counts, history, training, reliability, coverage, corrupted
        ),
        reliability=reliability,
        coverage=coverage,
        slices=sliced,
        corruptions=corrupted,
        balance=balance_figure.balance(data.counts, judged.classes),
        advice=advice(judged, data, predicted, training, analysed, sections, anchors),
        previous=previous.committed(scores_path, judged.scores),
        others=other_runs.listed(scores_path, judged.scores, sections),
        params=sections,
        versions=versions(),
        revision=revision(),
        hashes=identity.hashes(records_path, folds_path, models_path),
        hardware=machine.hardware(),
        seconds=machine.stage_seconds(SECONDS),
    )
    write_csv(balance_path, report.balance, "%.4f")
    figures.write(figures_path, report.figures)
    document.write_html(html_path, report)
    document.write_markdown(markdown_path, report, html_path)


if __name__ == "__main__":
    run(main)
