"""Histories as programs write them, recognised by content."""

import json

import histories
import numpy as np
import pytest

from trackbed.curves import log_readers
from trackbed.pipeline.errors import UserError

KERAS = "epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\n"
KERAS += "0,0.5,0.001,1.5,0.4,1.6\n1,0.7,0.001,1.0,0.6,1.2\n"
# Headers of YOLOv5 and of early Ultralytics are padded with blanks, and so are the values.
PADDED = """\
          epoch,   train/box_loss,   metrics/mAP50(B),  metrics/mAP50-95(B),  val/cls_loss, lr/pg0
              0,            1.25 ,                0.1,                 0.05,           inf,  0.001
              1,            1.00 ,                   ,                 0.07,           2.5,  0.002
"""
LIGHTNING = """\
epoch,lr-Adam,step,train_loss,val_acc,val_loss
,0.01,0,,,
0,,4,2.0,,
0,,9,1.0,,
0,,9,,0.5,1.8
,0.001,10,,,
1,,14,0.8,,
1,,19,,0.6,1.4
"""


def test_keras_counts_epochs_from_0(tmp_path):
    history = histories.written(tmp_path / "log.csv", KERAS)
    assert history.table.index.tolist() == [1, 2]
    assert "from 0" in " ".join(history.notes)
    assert history.table["val_loss"].tolist() == [1.6, 1.2]
    known = {column.name: (column.role, column.part) for column in history.columns}
    assert known == {
        "accuracy": ("metric", "train"),
        "learning_rate": ("rate", ""),
        "loss": ("loss", "train"),
        "val_accuracy": ("metric", "validation"),
        "val_loss": ("loss", "validation"),
    }


def test_the_object_of_lists_that_keras_keeps(tmp_path):
    values = {"loss": [1.5, 1.0], "val_f1": [[0.2, 0.4], [0.5, 0.6]]}
    for text in (json.dumps(values), json.dumps({"history": values})):
        history = histories.written(tmp_path / "history.json", text)
        assert history.table["loss"].tolist() == [1.5, 1.0]
        # A score of every class becomes a column of every class.
        assert history.table["val_f1[1]"].tolist() == [0.4, 0.6]


def test_scores_of_classes_in_a_cell_of_the_csv_logger(tmp_path):
    text = 'epoch,loss,f1\n0,1.0,"""[0.1, 0.2]"""\n1,0.9,"""[0.3, 0.4]"""\n'
    history = histories.written(tmp_path / "log.csv", text)
    assert history.table["f1[0]"].tolist() == [0.1, 0.3]
    assert [column.role for column in history.columns] == ["loss", "metric", "metric"]


def test_padded_headers_infinite_and_empty_cells(tmp_path):
    history = histories.written(tmp_path / "results.csv", PADDED)
    assert history.kind == "Ultralytics"
    assert history.facts["monitor"] == "metrics/mAP50-95(B)"
    assert history.table["val/cls_loss"].tolist() == [np.inf, 2.5]
    assert history.finite("val/cls_loss").to_dict() == {2: 2.5}
    assert history.table["metrics/mAP50(B)"].isna().tolist() == [False, True]


def test_ultralytics_time_restarts_with_a_resume(tmp_path):
    rows = "epoch,time,train/loss,lr/pg0\n1,10,3,0.1\n2,25,2,0.1\n3,12,1,0.1\n4,24,1,0.1\n"
    history = histories.written(tmp_path / "results.csv", rows)
    assert history.seconds.tolist() == [10, 15, 12, 12]


def test_the_rows_of_an_epoch_are_joined(tmp_path):
    history = histories.written(tmp_path / "metrics.csv", LIGHTNING)
    assert history.kind == "PyTorch Lightning"
    assert history.table.index.tolist() == [1, 2]
    assert history.table["train_loss"].tolist() == [1.5, 0.8]  # the mean of 2.0 and 1.0
    assert history.table["val_loss"].tolist() == [1.8, 1.4]
    assert history.table["lr-Adam"].tolist() == [0.01, 0.001]


def test_the_folder_that_dvclive_writes_with_its_summary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # Live looks for a repository around it
    from dvclive import Live

    folder = tmp_path / "train"
    with Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None) as live:
        for epoch in (1, 2, 3):
            live.step = epoch
            live.log_metric("train/loss", 1 / epoch)
            live.log_metric("val/loss", 2 / epoch)
            live.log_metric("seconds", 4.0)
        live.summary["monitor"] = "val_loss"
    history = log_readers.read(folder)
    assert history.table["val/loss"].tolist() == [2.0, 1.0, 2 / 3]
    assert history.seconds.tolist() == [4.0, 4.0, 4.0]
    assert history.facts["monitor"] == "val_loss"


def test_unknown_columns_are_kept_and_words_are_named(tmp_path):
    text = "epoch,loss,gradient norm,host\n1,2.0,0.5,a\n2,1.0,0.4,b\n"
    history = histories.written(tmp_path / "log.csv", text)
    assert history.table["gradient norm"].tolist() == [0.5, 0.4]
    assert {column.name: column.role for column in history.columns}["gradient norm"] == "other"
    assert "Left out, no numbers: host." in history.notes


def test_a_second_header_begins_a_second_run(tmp_path):
    (tmp_path / "log.csv").write_text(KERAS + KERAS)
    first, second = log_readers.runs(tmp_path / "log.csv")
    assert first.table.equals(second.table)
    assert first.table["loss"].tolist() == [1.5, 1.0]
    assert (first.name, second.name) == tuple(f"{tmp_path}/log.csv, run {run}" for run in (1, 2))
    with pytest.raises(UserError, match="holds 2 runs"):
        log_readers.read(tmp_path / "log.csv")


def test_a_folder_that_holds_one_log(tmp_path):
    (tmp_path / "results.csv").write_text(PADDED)
    assert log_readers.read(tmp_path).kind == "Ultralytics"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no training history|broken"),
        ("epoch,loss\n", "no row of values"),
        ("epoch,colour\n1,red\n", "no loss and no score"),
        ("date,price\n1,2\n", "no column 'epoch'"),
        ("class,precision,f1\nA,1,1\n", "one row per class; give it with --classes"),
        ("epoch,loss\n-1,2\n", "other things than whole numbers"),
        ('{"loss": [1], "val_loss": [1, 2]}', "as long as one another"),
        ('{"loss": 0.5}', "single values"),
        ("[1, 2]", "object of lists"),
        ("{", "not valid JSON"),
        ("epoch,loss,loss\n1,2,3\n", None),  # pandas numbers the second: loss.1
    ],
)
def test_what_is_no_history_is_refused_in_words(tmp_path, text, words):
    if words is None:
        assert "loss.1" in histories.written(tmp_path / "log.csv", text).table
        return
    with pytest.raises(UserError, match=words):
        histories.written(tmp_path / "log.csv", text)


def test_missing_files_pictures_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        log_readers.read(tmp_path / "log.csv")
    (tmp_path / "log.csv").write_bytes(b"\x89PNG\r\n\xff\xfe")
    with pytest.raises(UserError, match="not readable as text"):
        log_readers.read(tmp_path / "log.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="none of results"):
        log_readers.read(tmp_path / "empty")
