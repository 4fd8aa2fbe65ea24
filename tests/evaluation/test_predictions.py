import numpy as np
import pandas as pd
import pytest

from trackbed.evaluation import predictions
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
    assert predictions.false_inferences(table, ["A", "B", "C"]) == {
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
    assert predictions.surest_mistakes(wrong, 9)["record"].tolist() == [2, 0, 3]
    assert predictions.surest_mistakes(wrong, 1)["record"].tolist() == [2]


def test_samples_are_spread_over_the_classes():
    many = pd.concat([table(["b", "a"])] * 6, ignore_index=True)  # 6 of each class
    many["record"] = range(12)
    chosen = predictions.spread(many, 4)
    # Ordered by label (b first) and record: 0 2 4 6 8 10 | 1 3 5 7 9 11; middles of 4 x 3.
    assert chosen["record"].tolist() == [2, 8, 3, 9]
    assert len(predictions.spread(many, 99)) == 12
    assert predictions.spread(many, 0).empty


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
