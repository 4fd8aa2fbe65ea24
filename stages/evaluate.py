"""Judge the saved model on the test part: predictions, scores and the RAILS tables."""

import sys
from pathlib import Path

from pydantic import Field

from trackbed import index, params, startup
from trackbed.judging import (
    advantage,
    agreement,
    alarm,
    baselines,
    calibration,
    intervals,
    mistakes,
    predictions,
    refusal,
    scores,
    temperature,
)
from trackbed.learning import embeddings
from trackbed.outputs import replacing_folder, write_csv, write_json
from trackbed.running import unchanged
from trackbed.stage import run

FALSE_INFERENCES = "false_inferences.json"


class EvaluateParams(params.Section):
    """Section `evaluate` of params.yaml."""

    top_k: int = Field(ge=1)  # a right answer is among the k most probable
    batch: int = Field(ge=1)  # images; changes speed and memory alone
    seed: int = Field(ge=0, lt=2**31)  # of the bootstrap intervals
    calibrated: bool  # report the probabilities that the temperature gives
    wanted_precision: float = Field(gt=0, le=1)  # of the answers that are not refused


def main(
    records_path: Path,
    folds_path: Path,
    embeddings_path: Path,
    models_path: Path,
    evaluation_path: Path,
    scores_path: Path,
    summary_path: Path,
    confusion_path: Path,
    reliability_path: Path,
    coverage_path: Path,
) -> None:
    """Write predictions, scores, and the tables of classes, confusions and confidence."""
    p = params.load("evaluate", EvaluateParams)
    unchanged.refuse_another(models_path)
    table = index.assigned(records_path, folds_path)
    rows = table[table["part"] == "test"]
    stored = embeddings.read(embeddings_path)

    startup.tensorflow()
    from trackbed.learning import checkpoint, determinism, inference

    determinism.reproducible(p.seed)
    model, names = checkpoint.load(models_path)
    index.refuse_other_classes(table, names, models_path)
    if stored is None:
        probabilities = inference.probabilities(model, records_path, rows, p.batch)
    else:
        probabilities = inference.checked(model, stored, records_path, table, rows, p.batch)
    degrees = temperature.read(models_path)
    calibrated = temperature.applied(probabilities, degrees)
    validation = predictions.read(models_path, predictions.VALIDATION_FILE)
    held = predictions.probabilities(validation)
    if p.calibrated:
        probabilities, held = calibrated, temperature.applied(held, degrees)
    labels, predicted = rows["label"].to_numpy(), probabilities.argmax(axis=1)
    answers = predictions.answers(rows, names, probabilities)
    with replacing_folder(evaluation_path) as folder:
        predictions.write(folder, answers)
        write_json(folder / FALSE_INFERENCES, mistakes.false_inferences(answers, names))

    matrix = scores.confusion(labels, predicted, len(names))
    per_class = scores.per_class(matrix)
    groups = rows["group"].to_numpy()
    spread = intervals.intervals(labels, predicted, groups, len(names), p.seed)
    summary = scores.summary(per_class, names, spread.f1, spread.overall["macro_f1"])
    write_csv(summary_path, summary)
    write_csv(confusion_path, scores.named(matrix, names))
    bins = [calibration.reliability(said, labels) for said in (probabilities, calibrated)]
    write_csv(reliability_path, calibration.beside(*bins), "%.4f")
    confidence = probabilities.max(axis=1)
    write_csv(coverage_path, refusal.coverage(confidence, predicted == labels), "%.4f")
    overall = intervals.beside(scores.overall(probabilities, labels, p.top_k), spread.overall)
    counts = {"images": len(rows), "classes_without_images": int((per_class["support"] == 0).sum())}
    if stored is not None and not stored.about["exact"]:
        quick = inference.of_embeddings(model, stored.of(rows), p.batch).argmax(axis=1)
        counts |= agreement.agreement(labels, quick, predicted, groups, len(names), p.seed)
    right = (validation["true"] == validation["predicted"]).to_numpy()
    threshold = refusal.threshold(held.max(axis=1), right, p.wanted_precision)
    counts |= refusal.measured(threshold, confidence, labels, predicted, groups, p.seed)
    training = table[(table["part"] == "train") & ~table["record"].isin(validation["record"])]
    floor = baselines.predicted(records_path, training, rows)
    counts |= advantage.advantage(labels, predicted, floor, groups, len(names), p.seed)
    counts |= {"temperature": degrees} | calibration.calibrated_scores(calibrated, labels)
    write_json(scores_path, overall | calibration.scores(probabilities, labels) | counts)
    print(f"macro F1 {overall['macro_f1']:.4f} on {len(rows)} test images")
    if warning := alarm.not_above_baseline(overall | counts):
        print(warning, file=sys.stderr)


if __name__ == "__main__":
    run(main)
