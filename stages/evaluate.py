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
    judged,
    mistakes,
    predictions,
    refusal,
    robustness,
    temperature,
)
from trackbed.learning import corruptions, embeddings
from trackbed.outputs import replacing_folder, write_csv, write_json
from trackbed.running import unchanged
from trackbed.stage import run

FALSE_INFERENCES = "false_inferences.json"


class EvaluateParams(params.Section):
    """Section `evaluate` of params.yaml."""

    top_k: int = Field(ge=1)  # a right answer is among the k most probable
    batch: int = Field(ge=1)  # images; changes speed and memory alone
    seed: int = Field(ge=0, lt=2**31)  # of the bootstrap intervals and of corruptions
    calibrated: bool  # report the probabilities that the temperature gives
    wanted_precision: float = Field(gt=0, le=1)  # of the answers that are not refused
    corruptions: list[corruptions.Name]  # that the model is tried on; each takes five evaluations


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
    slices_path: Path,
    corruptions_path: Path,
) -> None:
    """Write predictions, scores, and the tables of classes, confusions, confidence, slices."""
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
    test = judged.Judged(rows, names, probabilities, calibrated, p.seed)
    answers = predictions.answers(rows, names, probabilities)
    with replacing_folder(evaluation_path) as folder:
        predictions.write(folder, answers)
        write_json(folder / FALSE_INFERENCES, mistakes.false_inferences(answers, names))
    wanted = list(dict.fromkeys(p.corruptions))
    spoiled = inference.of_corrupted(model, records_path, rows, wanted, p.batch, p.seed)
    robust = robustness.table(test.labels, test.predicted, spoiled, len(names))
    write_csv(summary_path, test.summary())
    write_csv(confusion_path, test.confusion())
    write_csv(reliability_path, test.reliability(), "%.4f")
    write_csv(coverage_path, test.coverage(), "%.4f")
    write_csv(slices_path, test.slices(), "%.4f")
    write_csv(corruptions_path, robust, "%.4f")

    right = (validation["true"] == validation["predicted"]).to_numpy()
    threshold = refusal.threshold(held.max(axis=1), right, p.wanted_precision)
    against = test.groups, len(names), p.seed
    training = table[(table["part"] == "train") & ~table["record"].isin(validation["record"])]
    floor = baselines.predicted(records_path, training, rows)
    scores = test.overall(p.top_k)
    if stored is not None and not stored.about["exact"]:
        quick = inference.of_embeddings(model, stored.of(rows), p.batch).argmax(axis=1)
        scores |= agreement.agreement(test.labels, quick, test.predicted, *against)
    scores |= test.refused(threshold)
    scores |= advantage.advantage(test.labels, test.predicted, floor, *against)
    scores |= {"temperature": degrees} | calibration.calibrated_scores(calibrated, test.labels)
    scores |= robustness.mean_accuracy(robust)
    write_json(scores_path, scores)
    print(f"macro F1 {scores['macro_f1']:.4f} on {len(rows)} test images")
    if warning := alarm.not_above_baseline(scores):
        print(warning, file=sys.stderr)


if __name__ == "__main__":
    run(main)
