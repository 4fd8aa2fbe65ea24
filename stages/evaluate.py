"""Judge the saved model on the test part: predictions, scores and the RAILS tables."""

import sys
from pathlib import Path

from pydantic import Field

from trackbed.evaluation import (
    baselines,
    calibration,
    predictions,
    result,
    robustness,
    selective_prediction,
)
from trackbed.integrity import dvc_lock
from trackbed.networks import embeddings
from trackbed.pipeline import index, params, tables, tensorflow_setup
from trackbed.pipeline.outputs import replacing_folder, write_csv, write_json
from trackbed.pipeline.runner import run

FALSE_INFERENCES = "false_inferences.json"


class EvaluateParams(params.Section):
    """Section `evaluate` of params.yaml."""

    top_k: int = Field(ge=1)  # a right answer is among the k most probable
    batch: int = Field(ge=1)  # images; changes speed and memory alone
    seed: int = Field(ge=0, lt=2**31)  # of the bootstrap intervals and of corruptions
    calibrated: bool  # report the probabilities that the temperature gives
    wanted_precision: float = Field(gt=0, le=1)  # of the answers that are not refused
    corruptions: list[robustness.Name]  # that the model is tried on; each takes five evaluations


def main(data_path: Path, models_path: Path, metrics_path: Path, plots_path: Path) -> None:
    """Write predictions, scores, and the tables of classes, confusions, confidence, slices."""
    p = params.load("evaluate", EvaluateParams)
    records_path = data_path / index.RECORDS
    dvc_lock.refuse_changed(models_path)
    table = index.assigned(records_path, data_path / index.FOLDS)
    rows = table[table["part"] == "test"]
    stored = embeddings.read(data_path / embeddings.FOLDER)

    tensorflow_setup.start()
    from trackbed.evaluation import inference
    from trackbed.training import checkpoint

    tensorflow_setup.make_deterministic(p.seed)
    model, names = checkpoint.load(models_path)
    index.refuse_other_classes(table, names, models_path)
    if stored is None:
        probabilities = inference.probabilities(model, records_path, rows, p.batch)
    else:
        probabilities = inference.checked(model, stored, records_path, table, rows, p.batch)
    validation = tables.read_predictions(models_path, tables.VALIDATION_FILE)
    held = tables.probabilities(validation)
    degrees = calibration.fitted_temperature(held, tables.labels(validation))
    calibrated = calibration.with_temperature(probabilities, degrees)
    if p.calibrated:
        probabilities, held = calibrated, calibration.with_temperature(held, degrees)
    test = result.EvaluationResult(rows, names, probabilities, calibrated, p.seed)
    answers = tables.predictions(rows, names, probabilities)
    with replacing_folder(data_path / tables.EVALUATION) as folder:
        tables.write_predictions(folder, answers)
        write_json(folder / FALSE_INFERENCES, predictions.false_inferences(answers, names))
    wanted = list(dict.fromkeys(p.corruptions))
    spoiled = inference.of_corrupted(model, records_path, rows, wanted, p.batch, p.seed)
    robust = robustness.table(test.labels, test.predicted, spoiled, len(names))
    write_csv(plots_path / result.SUMMARY_FILE, test.summary())
    write_csv(plots_path / result.CONFUSION_FILE, test.confusion())
    write_csv(plots_path / result.RELIABILITY_FILE, test.reliability(), "%.4f")
    write_csv(plots_path / result.COVERAGE_FILE, test.coverage(), "%.4f")
    write_csv(plots_path / result.SLICES_FILE, test.slices(), "%.4f")
    write_csv(plots_path / result.CORRUPTIONS_FILE, robust, "%.4f")

    right = (validation["true"] == validation["predicted"]).to_numpy()
    threshold = selective_prediction.threshold(held.max(axis=1), right, p.wanted_precision)
    against = test.groups, len(names), p.seed
    training = table[(table["part"] == "train") & ~table["record"].isin(validation["record"])]
    floor = baselines.predicted(records_path, training, rows)
    scores = test.overall(p.top_k)
    if stored is not None and not stored.about["exact"]:
        quick = inference.of_embeddings(model, stored.of(rows), p.batch).argmax(axis=1)
        scores |= result.precision_check(test.labels, quick, test.predicted, *against)
    scores |= test.refused(threshold)
    scores |= baselines.baseline_gain(test.labels, test.predicted, floor, *against)
    scores |= {"temperature": degrees} | calibration.calibrated_scores(calibrated, test.labels)
    scores |= robustness.mean_accuracy(robust)
    write_json(metrics_path / result.SCORES_FILE, scores)
    print(f"macro F1 {scores['macro_f1']:.4f} on {len(rows)} test images")
    if warning := baselines.baseline_warning(scores):
        print(warning, file=sys.stderr)


if __name__ == "__main__":
    run(main)
