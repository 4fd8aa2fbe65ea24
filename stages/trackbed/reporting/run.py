"""A run as the report sees it: the tables of all stages, each file read once."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trackbed.evaluation import result
from trackbed.inference import exported_model
from trackbed.pipeline import index, params
from trackbed.pipeline.errors import UserError
from trackbed.reporting import dataset_summary, evaluation_tables, html, previous_runs, training_log
from trackbed.reporting.dataset_summary import Dataset
from trackbed.reporting.evaluation_tables import Evaluation
from trackbed.reporting.previous_runs import Previous
from trackbed.reporting.training_log import TrainingLog

MODEL_FILE = "model.keras"  # in the models folder
FORMATS_FILE = "export.json"  # in the metrics folder


@dataclass(frozen=True)
class Options:
    """title: of the page; gallery: number of mistakes that it shows on paper."""

    title: str
    gallery: int


@dataclass(frozen=True)
class Run:
    """What the stages wrote, and the last committed scores: the same in every clone.

    records: the folder of the records, for pictures. models, exported: of the trained and of the
    exported model. hashes: SHA-256 of data, folds and model. sheet: the pictures that the network
    sees, a data URI. params: the sections of params.yaml, scalars as text. formats: the content of
    metrics/export.json.
    """

    options: Options
    records: Path
    models: Path
    exported: Path
    data: Dataset
    training: TrainingLog
    evaluation: Evaluation
    sheet: str
    params: dict[str, Any]
    hashes: dict[str, str]
    formats: bytes
    previous: Previous | None


def read(
    data: Path, models: Path, exported: Path, metrics: Path, plots: Path, options: Options
) -> Run:
    """Read the outputs of all stages from the folders of the pipeline.

    Raises UserError for a file that is missing or broken.
    """
    sections, evaluation = params.sections(), evaluation_tables.read(data, metrics, plots)
    scores_path = metrics / result.SCORES_FILE
    return Run(
        options=options,
        records=data / index.RECORDS,
        models=models,
        exported=exported,
        data=dataset_summary.read(data, metrics),
        training=training_log.read(metrics / training_log.FOLDER),
        evaluation=evaluation,
        sheet=html.sheet(plots / html.SHEET_FILE),
        params=sections,
        hashes=hashes(data / index.RECORDS, data / index.FOLDS, models, exported),
        formats=_bytes(metrics / FORMATS_FILE),
        previous=previous_runs.committed(scores_path, evaluation.scores),
    )


def hashes(
    records_path: Path, folds_path: Path, models_path: Path, exported_path: Path
) -> dict[str, str]:
    """SHA-256 of index, folds, model and exported model, hexadecimal.

    The index holds the SHA-256 of every source image: equal indexes mean equal pictures.
    Raises UserError for a missing file.
    """
    files = {
        "data": records_path / index.INDEX_TABLE.name,
        "folds": folds_path / index.FOLDS_TABLE.name,
        "model": models_path / MODEL_FILE,
        "exported model": exported_path / exported_model.MODEL_FILE,
    }
    return {name: hashlib.sha256(_bytes(path)).hexdigest() for name, path in files.items()}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}. Run `dvc repro` or `dvc pull`.") from None


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
