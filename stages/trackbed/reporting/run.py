"""A run as the report sees it: the tables of all stages, each file read once."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trackbed.evaluation import result
from trackbed.pipeline import index, params
from trackbed.reporting import (
    dataset_summary,
    evaluation_tables,
    html,
    previous_runs,
    provenance,
    training_log,
)
from trackbed.reporting.dataset_summary import Dataset
from trackbed.reporting.evaluation_tables import Evaluation
from trackbed.reporting.previous_runs import OtherRun, Previous
from trackbed.reporting.provenance import Revision
from trackbed.reporting.training_log import TrainingLog


@dataclass(frozen=True)
class Options:
    """title: of the page; gallery, samples: numbers of pictures of mistakes and of samples."""

    title: str
    gallery: int
    samples: int


@dataclass(frozen=True)
class Run:
    """What the stages wrote, and what the repository knows of earlier runs.

    records: the folder of the records, for pictures. hashes: SHA-256 of data, folds and model.
    sheet: the pictures that the network sees, a data URI. params: the sections of params.yaml,
    scalars as text.
    """

    options: Options
    records: Path
    data: Dataset
    training: TrainingLog
    evaluation: Evaluation
    sheet: str
    params: dict[str, Any]
    hashes: dict[str, str]
    revision: Revision
    previous: Previous | None
    others: list[OtherRun]


def read(data: Path, models: Path, metrics: Path, plots: Path, options: Options) -> Run:
    """Read the outputs of all stages from the folders of the pipeline.

    Raises UserError for a file that is missing or broken.
    """
    sections, evaluation = params.sections(), evaluation_tables.read(data, metrics, plots)
    scores_path = metrics / result.SCORES_FILE
    return Run(
        options=options,
        records=data / index.RECORDS,
        data=dataset_summary.read(data, metrics),
        training=training_log.read(metrics / training_log.FOLDER),
        evaluation=evaluation,
        sheet=html.sheet(plots / html.SHEET_FILE),
        params=sections,
        hashes=provenance.hashes(data / index.RECORDS, data / index.FOLDS, models),
        revision=provenance.revision(),
        previous=previous_runs.committed(scores_path, evaluation.scores),
        others=previous_runs.listed(scores_path, evaluation.scores, sections),
    )


def parameter_rows(sections: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Sections with their keys and values; a list or a mapping inside as JSON."""

    def text(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return [
        (name, [(key, text(value)) for key, value in section.items()])
        if isinstance(section, dict)
        else (name, [("", text(section))])
        for name, section in sections.items()
    ]
