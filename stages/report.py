"""Tell what a run came to: one page to read, and a summary for a pull request."""

from pathlib import Path

from pydantic import Field

from trackbed.curves import log_readers
from trackbed.curves.analysis import analysis
from trackbed.evaluation import predictions, result, robustness, slices
from trackbed.pipeline import index, params, tables
from trackbed.pipeline.outputs import write_csv
from trackbed.pipeline.runner import SECONDS, run
from trackbed.reporting import (
    dataset_summary,
    document,
    evaluation_tables,
    figures,
    html,
    previous_runs,
    provenance,
    training_log,
)
from trackbed.reporting.advice import advice
from trackbed.reporting.provenance import revision, versions


class ReportParams(params.Section):
    """Section `report` of params.yaml."""

    title: str = Field(min_length=1, max_length=200)
    gallery: int = Field(ge=0, le=200)  # pictures of the surest mistakes
    samples: int = Field(ge=0, le=200)  # pictures of sample predictions


def main(data_path: Path, models_path: Path, metrics_path: Path, plots_path: Path) -> None:
    """Write the page, its figures and the Markdown from the tables of the other stages."""
    records_path, folds_path = data_path / index.RECORDS, data_path / index.FOLDS
    scores_path = metrics_path / result.SCORES_FILE
    training_path = metrics_path / training_log.FOLDER
    p, sections = params.load("report", ReportParams), params.sections()
    data = dataset_summary.read(data_path, metrics_path)
    judged = evaluation_tables.read(metrics_path, plots_path)
    reliability = evaluation_tables.reliability(plots_path / result.RELIABILITY_FILE)
    coverage = evaluation_tables.coverage(plots_path / result.COVERAGE_FILE)
    sliced = slices.read(plots_path / result.SLICES_FILE)
    corrupted = robustness.read(plots_path / result.CORRUPTIONS_FILE)
    predicted = tables.read_predictions(data_path / tables.EVALUATION)
    history, training = training_log.read(training_path), training_log.summary(training_path)
    analysed = analysis(log_readers.read_dvclive(training_path))
    samples = predictions.spread(predicted, p.samples)
    mistakes = predictions.surest_mistakes(predicted, p.gallery)
    large = html.enlarged_side(len(mistakes))
    confusions = evaluation_tables.confusions(judged.confusion, document.LISTED_CONFUSIONS)
    pairs = evaluation_tables.pictured_pairs(confusions, predicted, records_path, data.index)
    anchors = [pair.anchor for pair in pairs]
    report = document.Report(
        title=p.title,
        data=data,
        found=dataset_summary.pictured_findings(records_path),
        training=training,
        history=history,
        analysis=analysed,
        results=judged,
        sheet=html.sheet(plots_path / html.SHEET_FILE),
        samples=html.cards(records_path, data.index, samples),
        mistakes=html.cards(records_path, data.index, mistakes, large),
        pairs=pairs,
        figures=figures.all_figures(
            judged, data.counts, history, training, reliability, coverage, corrupted
        ),
        reliability=reliability,
        coverage=coverage,
        slices=sliced,
        corruptions=corrupted,
        balance=figures.balance(data.counts, judged.classes),
        advice=advice(judged, data, predicted, training, analysed, sections, anchors),
        previous=previous_runs.committed(scores_path, judged.scores),
        others=previous_runs.listed(scores_path, judged.scores, sections),
        params=sections,
        versions=versions(),
        revision=revision(),
        hashes=provenance.hashes(records_path, folds_path, models_path),
        hardware=provenance.hardware(),
        seconds=provenance.stage_seconds(SECONDS),
    )
    write_csv(plots_path / figures.BALANCE_FILE, report.balance, "%.4f")
    figures.write(plots_path / figures.FOLDER, report.figures)
    document.write_html(plots_path / document.HTML_FILE, report)
    document.write_markdown(
        metrics_path / document.MARKDOWN_FILE, report, plots_path / document.HTML_FILE
    )


if __name__ == "__main__":
    run(main)
