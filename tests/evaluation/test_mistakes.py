import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from trackbed.evaluation import mistakes
from trackbed.pipeline import tables
from trackbed.pipeline.errors import Diverged, UserError


def test_false_inferences_by_hand():
    table = pd.DataFrame(
        [
            ("1.png", "A", "A", 0.9),
            ("2.png", "A", "B", 0.6),
            ("3.png", "B", "C", 0.8),
            ("4.png", "C", "C", 0.7),
        ],
        columns=["filename", "true", "predicted", "confidence"],
    ).assign(record=range(4))
    assert mistakes.false_inferences(table, ["A", "B", "C"]) == {
        "false_positive": {"A": [], "B": ["2.png"], "C": ["3.png"]},
        "false_negative": {"A": ["2.png"], "B": ["3.png"], "C": []},
        "misclassified": [
            {"file": "3.png", "true": "B", "predicted": "C", "confidence": 0.8},
            {"file": "2.png", "true": "A", "predicted": "B", "confidence": 0.6},
        ],
    }


NAMES = ["NA", "012", 'NO, "really"', "<b>", " two  spaces ", "line\nbreak"]


def table(names=NAMES):
    """One right prediction per class, of growing confidence."""
    shares = np.full((len(names), len(names)), 1 / 3, dtype=np.float32)
    rows = [(n, f"{n}, {name}.jpg", "", name, name, 0.5 + n / 20) for n, name in enumerate(names)]
    fixed = pd.DataFrame(rows, columns=list(tables.PREDICTION_COLUMNS))
    return fixed.assign(**{f"p_{name}": shares[:, n] for n, name in enumerate(names)})


def test_names_of_any_kind_and_every_digit_come_back(tmp_path):
    written = table()
    tables.PREDICTIONS_TABLE.write(tmp_path, written)
    back = tables.PREDICTIONS_TABLE.read(tmp_path)
    assert back[["filename", "true", "predicted"]].equals(
        written[["filename", "true", "predicted"]]
    )
    assert tables.predicted_classes(back) == NAMES
    assert tables.probabilities(back).shape == (len(NAMES), len(NAMES))
    assert (back["p_012"].astype(np.float32) == written["p_012"]).all()


def test_those_of_the_validation_fold_lie_in_a_file_of_their_own(tmp_path):
    tables.VALIDATION_TABLE.write(tmp_path, table(["a", "b"]))
    assert [path.name for path in tmp_path.iterdir()] == ["validation.csv"]
    assert tables.VALIDATION_TABLE.read(tmp_path)["true"].tolist() == ["a", "b"]
    with pytest.raises(UserError, match="evaluate"):
        tables.PREDICTIONS_TABLE.read(tmp_path)
    with pytest.raises(UserError, match="train"):
        tables.VALIDATION_TABLE.read(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        ("", "broken"),
        ("record,filename\n1,a\n", "columns are"),
        ("record,filename,group,true,predicted,confidence,p_a\n0,f,g,a,a,sure,1\n", "broken"),
    ],
)
def test_a_missing_or_broken_table_is_refused(tmp_path, text, words):
    if text is not None:
        (tmp_path / "predictions.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        tables.PREDICTIONS_TABLE.read(tmp_path)


def test_the_surest_mistakes_come_first_and_ties_by_record():
    wrong = table(["a", "b", "c", "d"]).assign(
        predicted=["b", "b", "a", "a"], confidence=[0.7, 0.99, 0.9, 0.7]
    )
    assert mistakes.surest_mistakes(wrong, 9)["record"].tolist() == [2, 0, 3]
    assert mistakes.surest_mistakes(wrong, 1)["record"].tolist() == [2]


def test_answers_by_hand():
    rows = pd.DataFrame(
        {"record": [4, 9], "filename": ["a.png", "b.png"], "group": ["g", "h"], "label": [1, 0]},
        index=[17, 3],
    )
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float32)
    assert tables.predictions(rows, ["NO", "012"], probabilities).to_dict("list") == {
        "record": [4, 9],
        "filename": ["a.png", "b.png"],
        "group": ["g", "h"],
        "true": ["012", "NO"],
        "predicted": ["012", "NO"],  # of two equal probabilities the first
        "confidence": [0.75, 0.5],
        "p_NO": [0.25, 0.5],
        "p_012": [0.75, 0.5],
    }


def test_probabilities_that_are_not_finite_are_refused_by_name():
    rows = pd.DataFrame({"record": [0, 1], "filename": ["a", "b"], "group": "", "label": [0, 1]})
    with pytest.raises(Diverged, match="for 1 of 2 images, such as b"):
        tables.predictions(rows, ["x", "y"], np.array([[0.5, 0.5], [np.nan, 0.5]]))


def label_table(probabilities, labels, fold=0):
    """Out-of-fold predictions for classes a, b, ..."""
    probabilities, labels = np.asarray(probabilities, float), np.asarray(labels)
    names = [chr(ord("a") + place) for place in range(probabilities.shape[1])]
    count = len(labels)
    rows = pd.DataFrame(
        {"record": np.arange(count), "filename": [f"{n}.png" for n in range(count)]}
    )
    rows["group"], rows["label"] = rows["filename"], labels
    return tables.predictions(rows, names, probabilities).assign(fold=fold)


def noisy(images=500, classes=4, seed=0):
    """Random answers that mostly agree with random labels."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, images)
    logits = draw.normal(0, 1.5, (images, classes))
    logits[np.arange(images), labels] += 2
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True), labels


def test_ranking_by_hand_with_a_tie():
    given = [0, 1, 2, 0]
    shares = [[0.1, 0.7, 0.2], [0.3, 0.4, 0.3], [0.8, 0.1, 0.1], [0.9, 0.05, 0.05]]
    found = mistakes.ranked(label_table(shares, given, fold=3))
    assert list(found.columns) == [
        *("rank", "record", "filename", "group", "given", "suggested"),
        *("self_confidence", "confidence", "fold"),
    ]
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found["record"].tolist() == [0, 2, 1, 3]  # records 0 and 2 have 0.1 both
    assert found["given"].tolist() == ["a", "c", "b", "a"]
    assert found["suggested"].tolist() == ["b", "a", "b", "a"]
    assert found["self_confidence"].tolist() == [0.1, 0.1, 0.4, 0.9]
    assert found["confidence"].tolist() == [0.7, 0.8, 0.4, 0.9]
    assert set(found["fold"]) == {3}
    assert mistakes.doubted(found)["record"].tolist() == [0, 2]


def test_the_models_of_several_seeds_answer_by_their_mean():
    first, second = (
        label_table([[0.9, 0.1], [0.2, 0.8]], [0, 0]),
        label_table([[0.3, 0.7], [0.4, 0.6]], [0, 0]),
    )
    mean = mistakes.averaged([one.drop(columns="fold") for one in (first, second)])
    np.testing.assert_allclose(mean[["p_a", "p_b"]], [[0.6, 0.4], [0.3, 0.7]])
    assert mean["predicted"].tolist() == ["a", "b"]
    np.testing.assert_allclose(mean["confidence"], [0.6, 0.7])


def test_pairs_are_counted_the_most_frequent_first():
    shares = [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.2, 0.8]]
    counted = mistakes.pairs(mistakes.ranked(label_table(shares, [0, 1, 1, 1])))
    assert counted.to_numpy().tolist() == [["b", "a", 2], ["a", "b", 1]]


def test_changed_labels_of_real_digits_come_first():
    pictures, true = load_digits(return_X_y=True)
    draw = np.random.default_rng(0)
    changed = draw.choice(len(true), 90, replace=False)  # 5 %
    given = true.copy()
    given[changed] = (true[changed] + draw.integers(1, 10, 90)) % 10
    shares = cross_val_predict(
        KNeighborsClassifier(10), pictures, given, cv=5, method="predict_proba"
    )
    found = mistakes.ranked(label_table(shares, given))
    assert np.isin(found["record"].head(90), changed).mean() > 0.8  # by chance: 0.05


@pytest.mark.parametrize("seed", range(3))
def test_the_scores_are_those_of_cleanlab(seed):
    rank = pytest.importorskip("cleanlab.rank")
    shares, given = noisy(seed=seed)
    found = mistakes.ranked(label_table(shares, given)).sort_values("record")
    expected = rank.get_label_quality_scores(given, shares, method="self_confidence")
    np.testing.assert_allclose(found["self_confidence"], expected)


def test_cleanlab_keeps_its_issues_in_its_own_order():
    filtering = pytest.importorskip("cleanlab.filter")
    shares, given = noisy()
    options = {"filter_by": "low_self_confidence", "return_indices_ranked_by": "self_confidence"}
    expected = filtering.find_label_issues(given, shares, n_jobs=1, **options)
    found = mistakes.ranked(label_table(shares, given), by_cleanlab=True)
    assert 0 < len(found) < len(given)
    assert found["record"].tolist() == list(expected)
    assert found["rank"].tolist() == list(range(1, len(expected) + 1))


@pytest.mark.parametrize("wrong", [1, 2, 3, 5])
def test_cleanlab_lists_a_class_whose_labels_are_all_wrong(wrong):
    pytest.importorskip("cleanlab")
    given = np.array([0, 1] * 20 + [2] * wrong)  # no image is of the third class
    shares = np.full((len(given), 3), 0.01)
    shares[np.arange(len(given)), np.where(given == 2, 0, given)] = 0.98
    found = mistakes.ranked(label_table(shares, given), by_cleanlab=True)
    assert found["record"].tolist() == list(range(40, 40 + wrong))


def test_cleanlab_takes_a_class_without_images():
    pytest.importorskip("cleanlab")
    shares = [[0.9, 0.1, 0], [0.8, 0.2, 0], [0.1, 0.9, 0], [0.9, 0.1, 0]]
    found = mistakes.ranked(label_table(shares, [0, 0, 1, 1]), by_cleanlab=True)
    assert found["record"].tolist() == [3]


def test_labels_of_a_single_class_are_refused():
    pytest.importorskip("cleanlab")
    with pytest.raises(UserError, match=r"--method cleanlab: .*at least 2 classes"):
        mistakes.ranked(label_table([[0.9, 0.1], [0.2, 0.8]], [0, 0]), by_cleanlab=True)


def test_without_cleanlab_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.count", None)  # as if it were not installed
    with pytest.raises(UserError, match=r"needs cleanlab, which is not installed\. Run `make susp"):
        mistakes.ranked(label_table([[0.9, 0.1]], [0]), by_cleanlab=True)
