import fabricated
import pandas as pd
import pytest

from trackbed.pipeline import index, tables
from trackbed.pipeline.errors import UserError
from trackbed.reporting import evaluation_tables
from trackbed.reporting.evaluation_tables import Confusion


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
    (tmp_path / "plots/confusion_matrix.csv").write_text("true,B,A\nB,1,0\nA,0,1\n")
    with pytest.raises(UserError, match="the same classes in the same order"):
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
    found = evaluation_tables.pictured_pairs(confusions, table, records, index.read(records))
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
