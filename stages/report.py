"""Tell what a run came to: one page to read, and a summary for a pull request."""

from pathlib import Path

from pydantic import Field

from trackbed import params
from trackbed.judging import predictions
from trackbed.problems import run
from trackbed.telling import curves, dataset, document, figures, pictures, results
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
    training_path: Path,
    sheet_path: Path,
    evaluation_path: Path,
    scores_path: Path,
    summary_path: Path,
    confusion_path: Path,
    html_path: Path,
    markdown_path: Path,
) -> None:
    """Write the page and the Markdown from the tables of the other stages."""
    p = params.load("report", ReportParams)
    data = dataset.read(records_path, counts_path, folds_path)
    judged = results.read(scores_path, summary_path, confusion_path)
    predicted = predictions.read(evaluation_path)
    history, training = curves.read(training_path), curves.summary(training_path)
    samples = predictions.spread(predicted, p.samples)
    mistakes = predictions.surest_mistakes(predicted, p.gallery)
    report = document.Report(
        title=p.title,
        data=data,
        training=training,
        results=judged,
        sheet=pictures.sheet(sheet_path),
        samples=pictures.cards(records_path, data.index, samples),
        mistakes=pictures.cards(records_path, data.index, mistakes),
        figures=figures.drawn(judged, data.counts, history, training),
        params=params.sections(),
        versions=versions(),
        revision=revision(),
    )
    document.write_html(html_path, report)
    document.write_markdown(markdown_path, report, html_path)


if __name__ == "__main__":
    run(main)
