import numpy as np
import pandas as pd
import pytest

from trackbed.pipeline import index
from trackbed.pipeline.errors import UserError


def indexed(count=6):
    columns = {
        name: ["x"] * count if kind == "str" else [0] * count
        for name, kind in index.INDEX_TABLE.columns.items()
    }
    columns["record"] = list(range(count))
    columns["filename"] = [f"{number}.png" for number in range(count)]
    columns["label"] = [number % 3 for number in range(count)]
    columns["class_name"] = [["NA", "012", 'a,"b"'][number % 3] for number in range(count)]
    return pd.DataFrame(columns)


def folded(count=6):
    fold = [-1 if number == 0 else number % 2 for number in range(count)]
    return pd.DataFrame(
        {
            "record": range(count),
            "filename": [f"{number}.png" for number in range(count)],
            "part": ["test" if number < 0 else "train" for number in fold],
            "fold": fold,
            "group": [f"group {number // 2}" for number in range(count)],
        }
    )


def test_odd_class_names_come_back(tmp_path):
    index.INDEX_TABLE.write(tmp_path, indexed())
    table = index.read(tmp_path)
    assert table["class_name"].tolist()[:3] == ["NA", "012", 'a,"b"']
    assert index.classes(table) == ["NA", "012", 'a,"b"']


def test_a_missing_index_and_other_columns_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"index.csv: no such file. Run `dvc repro`"):
        index.read(tmp_path)
    (tmp_path / "index.csv").write_text("record,name\n1,a\n")
    with pytest.raises(UserError, match="columns are"):
        index.read(tmp_path)


def test_assigned_takes_part_fold_and_group_from_the_split(tmp_path):
    index.INDEX_TABLE.write(tmp_path, indexed())
    index.FOLDS_TABLE.write(tmp_path, folded())
    table = index.assigned(tmp_path, tmp_path)
    assert table["part"].tolist() == ["test", *["train"] * 5]
    assert table["fold"].tolist() == [-1, 1, 0, 1, 0, 1]
    assert table["group"].tolist() == [f"group {number}" for number in (0, 0, 1, 1, 2, 2)]
    assert table["named_group"].tolist() == ["x"] * 6


def test_folds_without_groups_are_refused(tmp_path):
    index.INDEX_TABLE.write(tmp_path, indexed())
    folded().drop(columns="group").to_csv(tmp_path / "folds.csv", index=False)
    with pytest.raises(
        UserError, match=r"columns are .*'fold'\], expected .*'group'\]. Run `dvc repro`"
    ):
        index.assigned(tmp_path, tmp_path)


def test_folds_of_other_records_are_refused(tmp_path):
    index.INDEX_TABLE.write(tmp_path, indexed())
    index.FOLDS_TABLE.write(tmp_path, folded(5))
    with pytest.raises(UserError, match="of other records"):
        index.assigned(tmp_path, tmp_path)


def test_training_and_validation_leave_the_test_part_alone():
    table = indexed().assign(**folded()[["part", "fold"]])
    training, validation = index.training_and_validation(table, fold=1)
    assert training["record"].tolist() == [2, 4]
    assert validation["record"].tolist() == [1, 3, 5]


def test_a_fold_that_does_not_exist_is_refused():
    table = indexed().assign(**folded()[["part", "fold"]])
    with pytest.raises(UserError, match=r"train.fold: must be below split.folds \(2\), got 2"):
        index.training_and_validation(table, fold=2)


def test_a_model_of_other_classes_is_refused(tmp_path):
    with pytest.raises(UserError, match="trained for the classes"):
        index.refuse_other_classes(indexed(), ["NA", "012"], tmp_path)


def test_every_class_has_one_image_before_any_has_two():
    labels = np.array([1, 1, 0, 0, 2, 0])
    assert index.spread_over_classes(labels, 3).tolist() == [2, 0, 4]
    assert index.spread_over_classes(labels, 5).tolist() == [2, 0, 4, 3, 1]
    assert index.spread_over_classes(labels, 99).tolist() == [2, 0, 4, 3, 1, 5]


def test_of_many_classes_a_few_are_spread_evenly():
    assert index.spread_over_classes(np.arange(43), 8).tolist() == [
        0,
        6,
        12,
        18,
        24,
        30,
        36,
        42,
    ]
