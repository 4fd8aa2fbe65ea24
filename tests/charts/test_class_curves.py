import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import average_precision_score, precision_score, recall_score

from trackbed.charts import class_curves
from trackbed.evaluation import ranking
from trackbed.pipeline import tables

NAMES = ["A", "B", "C", "<D>"]


def case(images=900):
    """Predictions for the first three classes, the first the hardest, and their areas."""
    random = np.random.default_rng(4)
    labels = np.arange(images) % 3
    logits = random.normal(0, 1, (images, 4))
    logits[np.arange(images), labels] += np.array([1.0, 2.0, 3.0])[labels]
    probabilities = softmax(logits, axis=1)
    rows = pd.DataFrame({"record": range(images), "label": labels})
    rows["filename"] = rows["group"] = rows["record"].map(str)
    ranked = ranking.table(probabilities, labels, rows["group"].to_numpy(), NAMES)
    table = tables.predictions(rows, NAMES, probabilities)
    return table, ranked.set_index("class_name"), probabilities, labels


def test_the_class_of_the_lowest_area_comes_first_and_empty_ones_not_at_all():
    table, ranked, probabilities, labels = case()
    found = class_curves.content(table, ranked, 10)["classes"]
    assert [one["name"] for one in found] == ["A", "B", "C"]
    expected = average_precision_score(labels == 0, probabilities[:, 0])
    assert found[0]["average_precision"][0] == pytest.approx(expected, abs=1e-4)
    assert [one["name"] for one in class_curves.content(table, ranked, 2)["classes"]] == ["A", "B"]


def test_a_point_is_what_its_threshold_accepts():
    table, ranked, probabilities, labels = case()
    one = class_curves.content(table, ranked, 1)["classes"][0]
    scale = class_curves.SCALE
    for place in (3, 40, 80):
        threshold = one["threshold"][place] / scale
        accepted = probabilities[:, 0] >= threshold - 0.5 / scale
        assert one["precision"][place] / scale == pytest.approx(
            precision_score(labels == 0, accepted), abs=0.01
        )
        assert one["recall"][place] / scale == pytest.approx(
            recall_score(labels == 0, accepted), abs=0.01
        )
        assert one["alarms"][place] / scale == pytest.approx(accepted[labels != 0].mean(), abs=0.01)


def test_few_points_keep_both_ends_and_the_shape():
    table, ranked, probabilities, labels = case()
    one = class_curves.content(table, ranked, 1)["classes"][0]
    assert len(one["recall"]) <= class_curves.POINTS + 2
    assert one["recall"][-1] == one["alarms"][-1] == class_curves.SCALE
    assert one["threshold"] == sorted(one["threshold"], reverse=True)
    recall, precision = (
        np.array(one[name]) / class_curves.SCALE for name in ("recall", "precision")
    )
    area = np.sum(np.diff(recall, prepend=0) * precision)
    whole = average_precision_score(labels == 0, probabilities[:, 0])
    assert area == pytest.approx(whole, abs=0.02)


def test_the_block_is_json_without_nan_where_intervals_are_unknown():
    table, ranked, *_ = case()
    ranked["auroc_low"] = np.nan
    found = class_curves.content(table, ranked, 10)
    assert found["classes"][0]["auroc"][1] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found
