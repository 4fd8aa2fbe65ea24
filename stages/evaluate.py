"""Evaluate the exported model on the test part: predictions, scores and the RAILS tables."""

import sys
from pathlib import Path

from pydantic import Field

from trackbed.evaluation import baselines, result, robustness
from trackbed.evaluation.classifier import Classifier
from trackbed.inference.exported_model import ExportedModel
from trackbed.integrity import dvc_lock
from trackbed.pipeline import index, params, tables
from trackbed.pipeline.runner import run
from trackbed.records import embedding_store


class EvaluateParams(params.Section):
    """Section `evaluate` of params.yaml."""

    top_k: int = Field(ge=1)  # a right answer is among the k most probable
    batch: int = Field(ge=1)  # images; changes speed and memory alone
    seed: int = Field(ge=0, lt=2**31)  # of the bootstrap intervals and of corruptions
    calibrated: bool  # report the probabilities with the fitted temperature
    wanted_precision: float = Field(gt=0, le=1)  # of the answers that are not refused
    corruptions: list[robustness.Name]  # that the model is tried on; each takes five evaluations


def main(
    data_path: Path, models_path: Path, exported_path: Path, metrics_path: Path, plots_path: Path
) -> None:
    """Write predictions, scores, and the tables of classes, confusions, confidence, slices."""
    p = params.load("evaluate", EvaluateParams)
    for folder in (models_path, exported_path):
        dvc_lock.check_unchanged(folder)
    records_path = data_path / index.RECORDS
    table = index.assigned(records_path, data_path / index.FOLDS)
    validation = tables.VALIDATION_TABLE.read(models_path)
    training = table[(table["part"] == "train") & ~table["record"].isin(validation["record"])]
    rows = table[table["part"] == "test"]
    stored = embedding_store.read(data_path / embedding_store.FOLDER)
    model = ExportedModel.load(exported_path)
    index.refuse_other_classes(table, model.classes, exported_path)
    classifier = Classifier(model, records_path, p.batch)
    probabilities, embedded = classifier.outputs(rows, table, stored)
    evaluated = result.EvaluationResult(
        rows=rows,
        classes=model.classes,
        model_probabilities=probabilities,
        embeddings=embedded,
        validation=validation,
        baselines=baselines.predicted(records_path, training, rows),
        approximate=classifier.approximate(rows, stored),
        corrupted=classifier.corrupted(rows, p.corruptions, p.seed),
        top_k=p.top_k,
        seed=p.seed,
        use_temperature=p.calibrated,
        wanted_precision=p.wanted_precision,
    )
    scores = evaluated.write(data_path / tables.EVALUATION, metrics_path, plots_path)
    print(result.summary(scores, table))
    if warning := baselines.baseline_warning(scores):
        print(warning, file=sys.stderr)


if __name__ == "__main__":
    run(main)
