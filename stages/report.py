"""Write one page to read about a run, and a summary for a pull request."""

from pathlib import Path

from pydantic import Field

from trackbed.pipeline import params
from trackbed.pipeline.runner import run
from trackbed.reporting import document
from trackbed.reporting.run import Options, read


class ReportParams(params.Section):
    """Section `report` of params.yaml."""

    title: str = Field(min_length=1, max_length=200)
    # Pictures of the surest mistakes, on paper and without script.
    gallery: int = Field(ge=0, le=200)
    samples: int = Field(default=0, ge=0, le=200)  # of older versions, whose page had samples alone


def main(
    data_path: Path, models_path: Path, exported_path: Path, metrics_path: Path, plots_path: Path
) -> None:
    """Write the page, its figures and the Markdown from the tables of the other stages."""
    options = Options(**params.load("report", ReportParams).model_dump(exclude={"samples"}))
    found = read(data_path, models_path, exported_path, metrics_path, plots_path, options)
    document.write(found, metrics_path, plots_path)
    print(*document.closing_lines(found, plots_path), sep="\n")


if __name__ == "__main__":
    run(main)
