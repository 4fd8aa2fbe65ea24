import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from trackbed.evaluation import (
    calibration,
    metrics,
    result,
    robustness,
    scores,
    selective_prediction,
    slices,
)
from trackbed.pipeline import tables
from trackbed.pipeline.errors import Diverged

CLASSES = ["A", "B", "C"]
LABELS = np.repeat([0, 1, 2], 40)
EXACT = np.where(np.arange(120) % 10 == 0, (LABELS + 1) % 3, LABELS)
QUICK = np.where(np.arange(120) % 10 < 3, (LABELS + 1) % 3, LABELS)


def probabilities(predicted, seed=0):
    """Shares with the predicted class on top."""
    chance = np.random.default_rng(seed).dirichlet(np.ones(3), len(predicted))
    return (chance + 1.1 * np.eye(3)[predicted]) / 2.1


def index_rows(labels):
    count = len(labels)
    return pd.DataFrame(
        {
            "record": range(count),
            "filename": [f"{number}.png" for number in range(count)],
            "label": labels,
            "class_name": np.array(CLASSES)[labels],
            "pixel_hash": [f"{number:032x}" for number in range(count)],
            "group": [str(number // 2) for number in range(count)],
            "width": 32,
            "height": np.arange(count) % 7 + 20,
            "brightness": np.arange(count) % 5.0,
            "contrast": np.arange(count) % 3.0,
            "sharpness": 1.0,
        }
    )


@pytest.fixture
def evaluated():
    """All parts, also those that a run without frozen backbone or corruptions has not."""
    rows = index_rows(LABELS)
    return result.EvaluationResult(
        rows=rows,
        classes=CLASSES,
        model_probabilities=probabilities(EXACT),
        embeddings=probabilities(EXACT),
        validation=tables.predictions(rows, CLASSES, probabilities(QUICK, seed=1)),
        baselines={"majority": np.zeros(120, int), "logistic": QUICK},
        approximate=QUICK,
        corrupted=[robustness.Prediction("jpeg", 1, QUICK)],
        top_k=2,
        seed=0,
        use_temperature=False,
        wanted_precision=0.8,
    )


def without_bounds(values):
    return [key for key in values if not scores.is_bound(key)]


def test_every_defined_score_has_a_value_and_its_place(evaluated):
    keys = [score.key.format(k=2) for score in scores.SCORES]
    assert without_bounds(evaluated.scores()) == keys


def test_an_interval_follows_its_score(evaluated):
    keys = list(evaluated.scores())
    for name in ("macro_f1", "accuracy", "refusal_precision", "above_baseline"):
        place = keys.index(name)
        assert keys[place + 1 : place + 3] == [f"{name}_low", f"{name}_high"]


def test_what_did_not_run_has_no_scores(evaluated):
    values = replace(evaluated, approximate=None, corrupted=[]).scores()
    assert not [key for key in values if key.startswith(("embed_", "corrupted_"))]


def test_the_k_is_at_most_the_number_of_classes(evaluated):
    assert replace(evaluated, top_k=5).scores()["top_3"] == 1


def test_a_temperature_changes_probabilities_but_no_answer(evaluated):
    with_temperature = replace(evaluated, use_temperature=True)
    values, before = with_temperature.scores(), evaluated.scores()
    assert values["loss"] == before["calibrated_loss"] != before["loss"]
    assert values["macro_f1"] == before["macro_f1"]


def test_tables_agree_with_the_scores(evaluated, tmp_path):
    evaluated.write_tables(tmp_path)
    values = evaluated.scores()
    summary = metrics.SUMMARY_TABLE.read(tmp_path).set_index("class_name")
    assert summary.loc["macro avg", "f1"] == pytest.approx(values["macro_f1"])
    matrix = metrics.confusion_counts(metrics.CONFUSION_TABLE.read(tmp_path)).to_numpy()
    assert np.trace(matrix) / matrix.sum() == pytest.approx(values["accuracy"])
    assert len(calibration.RELIABILITY_TABLE.read(tmp_path)) == calibration.BINS
    assert not selective_prediction.COVERAGE_TABLE.read(tmp_path).empty
    assert not slices.SLICES_TABLE.read(tmp_path).empty
    corrupted = robustness.CORRUPTIONS_TABLE.read(tmp_path)
    assert corrupted["accuracy"].tolist() == pytest.approx(
        evaluated.corruptions["accuracy"], abs=1e-4
    )


def test_predictions_and_mistakes_are_written_together(evaluated, tmp_path):
    evaluated.write_predictions(tmp_path / "evaluation")
    table = tables.PREDICTIONS_TABLE.read(tmp_path / "evaluation")
    wrong = (table["true"] != table["predicted"]).sum()
    listed = json.loads((tmp_path / "evaluation" / result.FALSE_INFERENCES_FILE).read_text())
    assert len(listed["misclassified"]) == wrong == 12


def test_probabilities_that_are_not_finite_are_refused(evaluated, tmp_path):
    broken = evaluated.model_probabilities.copy()
    broken[3] = np.nan
    with pytest.raises(Diverged, match=r"3\.png"):
        replace(evaluated, model_probabilities=broken).write_predictions(tmp_path / "evaluation")
    assert not (tmp_path / "evaluation").exists()


def test_all_files_are_written_and_the_scores_returned(evaluated, tmp_path):
    values = evaluated.write(tmp_path / "evaluation", tmp_path / "metrics", tmp_path / "plots")
    path = tmp_path / "metrics" / result.SCORES_FILE
    assert tables.metrics(path, "") == values
    assert set(json.loads(path.read_text())) == {"macro_f1", "details"}
    assert (tmp_path / "evaluation" / "predictions.csv").exists()
    assert (tmp_path / "plots" / "slices.csv").exists()


def precision_check(approximate, exact):
    return result.precision_check(LABELS, approximate, exact, np.arange(120), 3, seed=0)


def test_equal_predictions_differ_in_nothing():
    assert set(precision_check(EXACT, EXACT).values()) == {1.0, 0.0}


def test_the_difference_agrees_with_scikit_learn():
    values = precision_check(QUICK, EXACT)
    assert values["embed_equal"] == pytest.approx(0.8)  # two of every ten differ
    expected = f1_score(LABELS, QUICK, average="macro") - f1_score(LABELS, EXACT, average="macro")
    assert values["embed_macro_f1_difference"] == pytest.approx(expected)
    low, high = (values[f"embed_macro_f1_difference_{end}"] for end in ("low", "high"))
    assert low < expected < high < 0  # twenty points are more than chance


def test_the_line_of_the_terminal_says_where_images_count_as_independent():
    found = {"macro_f1": 0.9, "macro_f1_low": 0.85, "macro_f1_high": 0.95, "images": 120}
    line = "macro F1 0.9000 (95 % interval 0.8500 to 0.9500) on 120 test images"
    grouped = pd.DataFrame({"named_group": ["a", "a", "b"]})
    assert result.summary(found, grouped) == line
    single = pd.DataFrame({"named_group": ["a", "b", "c"]})
    assert result.summary(found, single).startswith(f"{line}\nNo two images have a group")
    unknown = found | {"macro_f1_low": None, "macro_f1_high": None}
    assert result.summary(unknown, single) == "macro F1 0.9000 on 120 test images"
