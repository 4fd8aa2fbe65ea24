import fabricated
import pandas as pd
import pytest

from trackbed.explanation.evidence_cards import EvidenceCard
from trackbed.pipeline import index, tables
from trackbed.pipeline.errors import UserError
from trackbed.reporting import evaluation_tables, html
from trackbed.reporting.evaluation_tables import Confusion, score_rows
from trackbed.reporting.previous_runs import Previous


def read(folder):
    return evaluation_tables.read(folder / "data", folder / "metrics", folder / "plots")


def test_confusions_are_ordered_by_count_then_by_label():
    names = ["A", "B", "C"]
    matrix = pd.DataFrame([[5, 2, 0], [4, 9, 2], [0, 0, 7]], index=names, columns=names)
    pairs = [
        (p.true, p.predicted, p.images, p.support) for p in evaluation_tables.confusions(matrix, 9)
    ]
    assert pairs == [("B", "A", 4, 15), ("A", "B", 2, 7), ("B", "C", 2, 15)]
    assert len(evaluation_tables.confusions(matrix, 1)) == 1


def test_tied_classes_are_all_named():
    f1 = pd.DataFrame({"f1": [0.9, 0.5, 0.9, float("nan")]}, index=["A", "B", "C", "D"])
    found = evaluation_tables.extremes(f1)
    assert (found.best, found.weakest) == (["A", "C"], ["B"])
    assert evaluation_tables.extremes(f1.loc[["D"]]) is None


def test_images_and_mistakes_are_counted(ordinary):
    evaluation = read(ordinary.folder)
    predictions = tables.PREDICTIONS_TABLE.read(ordinary.folder / "data/evaluation")
    assert evaluation.images == len(predictions)
    assert evaluation.mistakes == (predictions["true"] != predictions["predicted"]).sum()


def test_tables_of_different_classes_are_refused(tmp_path):
    fabricated.run(tmp_path, ["A", "B"])
    path = tmp_path / "plots/confusion_matrix.csv"
    path.write_text("true,predicted,images\nB,B,1\nA,A,1\n")
    with pytest.raises(UserError, match="the same classes in the same order"):
        read(tmp_path)
    path.write_text("true,predicted,images\nA,A,1\nB,A,1\n")
    with pytest.raises(UserError, match=r"confusion_matrix\.csv: broken \(no row of right answers"):
        read(tmp_path)


def test_a_broken_table_of_reliability_is_refused(tmp_path):
    fabricated.run(tmp_path, ["A", "B"])
    (tmp_path / "plots/reliability.csv").write_text("low,high,images\n0,1,2\n")
    with pytest.raises(UserError, match=r"reliability\.csv: columns are.*dvc repro -f evaluate"):
        read(tmp_path)


def test_a_pair_shows_the_surest_of_its_own_mistakes(poor):
    records = poor.folder / "data/records"
    table = tables.PREDICTIONS_TABLE.read(poor.folder / "data/evaluation")
    first, second = fabricated.TRACK_BED[:2]
    confusions = [Confusion(second, first, 9, 50), Confusion(first, second, 8, 50)] * 6

    def cards(rows):
        made = html.cards(records, index.read(records), rows)
        return [
            EvidenceCard(one.filename, one.true, one.predicted, one.confidence, one.picture, [])
            for one in made
        ]

    found = evaluation_tables.pictured_pairs(confusions, table, cards)
    assert [pair.anchor for pair in found] == [f"pair-{n}" for n in range(1, 9)]
    mistakes = table[(table["true"] == first) & (table["predicted"] == second)]
    surest = mistakes["confidence"].nlargest(4).tolist()
    assert [card.confidence for card in found[1].cards] == surest
    assert {(card.true, card.predicted) for card in found[1].cards} == {(first, second)}


def test_a_confusion_without_pictures_leads_to_the_table():
    assert [evaluation_tables.pair_anchor(n) for n in (0, 7, 8)] == [
        "pair-1",
        "pair-8",
        "confusions",
    ]


BEFORE = {"macro_f1": 0.80, "macro_f1_low": 0.75, "macro_f1_high": 0.85, "images": 100}
NOW = {"macro_f1": 0.90, "macro_f1_low": 0.86, "macro_f1_high": 0.94, "images": 100, "top_2": 0.9}


def test_a_missing_score_says_why():
    rows = score_rows({"macro_f1": 0.5, "confidence_wrong": None, "images": 9})
    found = {row.label: (row.value, row.reason) for row in rows}
    assert found["Macro F1"] == ("0.500", "")
    assert found["Confidence when wrong"] == ("n/a", "no mistakes")
    assert score_rows({"top_2": 0.75, "images": 9})[0].label == "Top-2 accuracy"
    assert score_rows({"loss": None, "images": 0})[0].reason == "no test images"


def test_the_table_of_scores_shows_the_changes():
    rows = score_rows(NOW, Previous("0" * 40, BEFORE | {"top_2": 0.95, "loss": 1}))
    assert {row.label: row.change for row in rows} == {
        "Macro F1": "+0.100",
        "Top-2 accuracy": "-0.050",
    }
    assert score_rows(NOW)[0].change == ""


def test_bounds_fingerprints_and_unknown_keys_have_no_row():
    values = NOW | {"test_part": "0f6ff011a379", "novel": 1.0, "temperature": 1.2}
    assert [row.label for row in score_rows(values)] == ["Macro F1", "Top-2 accuracy"]


def test_the_macro_f1_of_scikit_learn_has_a_row_where_it_can_differ():
    values = NOW | {"macro_f1_scikit_learn": 0.4, "classes_without_images": 0}
    assert "Macro F1 by scikit-learn" not in [row.label for row in score_rows(values)]
    rows = score_rows(values | {"classes_without_images": 1})
    assert {row.label: row.value for row in rows}["Macro F1 by scikit-learn"] == "0.400"


def test_scores_come_in_a_table_of_answers_and_one_of_probabilities():
    values = {"brier": 0.1, "loss": 0.2, "accuracy": 0.9, "macro_f1": 0.8, "images": 9}
    found = evaluation_tables.score_tables(values)
    assert [[row.label for row in rows] for _, rows in found] == [
        ["Macro F1", "Accuracy"],
        ["Cross-entropy", "Brier score"],
    ]
    assert len(evaluation_tables.score_tables({"macro_f1": 0.8})) == 1
