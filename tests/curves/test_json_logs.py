"""Logs in JSON, in the shapes that programs write."""

import json

import histories
import pandas as pd
import pytest

from trackbed.curves import log_readers
from trackbed.pipeline.errors import UserError

VALUES = {"loss": [3.0, 2.0, 1.5, 1.0], "val_loss": [3.1, 2.1, 1.6, 1.2]}
TABLE = pd.DataFrame(VALUES)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(VALUES),
        json.dumps({"history": VALUES}),
        str(VALUES),
        json.dumps({"params": {"epochs": 9}, "epoch": [0, 1, 2, 3], "history": VALUES}),
        json.dumps({"best_epoch": 4, "name": "x"} | VALUES),
        *(TABLE.to_json(orient=form) for form in ("columns", "index", "records", "split", "table")),
        TABLE.to_json(orient="records", lines=True),
        TABLE.to_json(orient="records", lines=True) + '{"loss": 0.',  # under way
    ],
)
def test_shapes_that_keras_and_pandas_write(tmp_path, text):
    history = histories.written(tmp_path / "history.json", text)
    assert {name: history.table[name].tolist() for name in VALUES} == VALUES


def test_records_by_part(tmp_path):
    values = {part: [{"epoch": e, "loss": 2 / e} for e in (1, 2)] for part in ("train", "val")}
    history = histories.written(tmp_path / "log.json", json.dumps(values))
    assert history.table["val/loss"].tolist() == [2, 1]


def test_planned_epochs_of_keras(tmp_path):
    text = json.dumps({"params": {"epochs": 9}, "history": VALUES})
    assert histories.written(tmp_path / "history.json", text).facts["planned_epochs"] == 9


@pytest.mark.parametrize(("count", "epochs"), [(2, [2, 4]), (1, [4])])
def test_validation_every_few_epochs(tmp_path, count, epochs):
    values = {"loss": [3, 2, 1.5, 1], "val_loss": [3.1, 2.1][:count]}
    history = histories.written(tmp_path / "history.json", json.dumps(values))
    assert history.finite("val_loss").index.tolist() == epochs
    assert any("validation_freq" in note for note in history.notes)


def test_another_validation_freq_that_fits_is_named(tmp_path):
    # Keras with validation_freq=5 validates at epochs 5 and 10 of 12; with 6 at 6 and 12.
    values = {"loss": list(range(12, 0, -1)), "val_loss": [3, 2]}
    history = histories.written(tmp_path / "history.json", json.dumps(values))
    assert any("6 epochs (validation_freq; 5 would fit as well)" in one for one in history.notes)


def test_results_of_xgboost_by_set(tmp_path):
    values = {f"validation_{n}": {"logloss": [0.5 + n, 0.4 + n]} for n in (0, 1)}
    history = histories.written(tmp_path / "results.json", json.dumps(values))
    (train,), (val,) = (history.of("loss", part) for part in ("train", "validation"))
    assert (train.name, val.name) == ("validation_0/logloss", "validation_1/logloss")


def test_the_trainer_state_of_hugging_face(tmp_path):
    log = []
    for epoch in (1, 2, 3):
        log.append({"epoch": epoch - 0.5, "step": epoch * 10 - 5, "loss": 4 / epoch})
        log.append({"epoch": float(epoch), "step": epoch * 10, "loss": 2 / epoch})
        log.append({"epoch": float(epoch), "step": epoch * 10, "eval_loss": 3 / epoch})
    log.append({"epoch": 3.0, "step": 30, "train_loss": 9.0, "train_runtime": 60.0})
    text = json.dumps({"log_history": log, "num_train_epochs": 5, "max_steps": 50})
    history = histories.written(tmp_path / "trainer_state.json", text)
    assert history.table["loss"].tolist() == [3, 1.5, 1]
    assert history.table["eval_loss"].tolist() == [3, 1.5, 1]
    assert "train_loss" not in history.table
    assert history.facts["planned_epochs"] == 5


def test_evaluations_within_an_epoch_are_counted_themselves(tmp_path):
    log = []
    for step in range(10, 410, 10):
        log.append({"epoch": step / 1000, "step": step, "loss": float(step)})
        if step % 100 == 0:
            log.append({"epoch": step / 1000, "step": step, "eval_loss": 100 / step})
    text = json.dumps({"log_history": log, "num_train_epochs": 1})
    history = histories.written(tmp_path / "trainer_state.json", text)
    assert history.table["eval_loss"].tolist() == [100 / step for step in (100, 200, 300, 400)]
    assert history.table["loss"].tolist() == [55, 155, 255, 355]
    assert "planned_epochs" not in history.facts


def test_an_object_of_runs(tmp_path):
    (tmp_path / "runs.json").write_text(json.dumps({"adam": VALUES, "sgd": VALUES, "seed": 3}))
    runs = log_readers.runs(tmp_path / "runs.json")
    assert [run.facts["run"] for run in runs] == ["adam", "sgd"]
    assert runs[1].table["loss"].tolist() == VALUES["loss"]


def test_lines_of_mmdetection_name_their_mode(tmp_path):
    lines = [{"env_info": "x"}]
    for epoch in (1, 2):
        lines.append({"mode": "train", "epoch": epoch, "iter": 50, "loss": 2 / epoch})
        lines.append({"mode": "val", "epoch": epoch, "iter": 9, "bbox_mAP": epoch / 4})
    text = "\n".join(map(json.dumps, lines))
    history = histories.written(tmp_path / "a.log.json", text)
    (score,) = history.of("metric", "validation")
    assert history.table[score.name].tolist() == [0.25, 0.5]
    assert [one.part for one in history.of("loss")] == ["train"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"epochs": 5, "lr": 0.1}', "a file of parameters or scores"),
        ('{"loss": [1, 2, 3], "val_loss": [1], "val_acc": [1, 2]}', "as long as one another"),
        ('{"a": 1}\n{"b": \n{"c": 2}\n', "not valid JSON"),
        ("[[1, 2], [3, 4]]", "a list of objects"),
    ],
)
def test_json_without_a_history_is_refused(tmp_path, text, words):
    with pytest.raises(UserError, match=words):
        histories.written(tmp_path / "x.json", text)
