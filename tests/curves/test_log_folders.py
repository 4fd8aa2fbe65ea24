"""Folders that training programs write, and the parameters beside a log."""

import json

import pytest

from trackbed.curves import log_folders, log_readers
from trackbed.curves.analysis import analysis


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ({"epochs": 5, "patience": 100}, {"planned_epochs": 5, "patience": 100}),
        ({"train": {"max_epochs": 30.0}}, {"planned_epochs": 30}),
        ({"early_stopping": {"patience": 7, "monitor": "val_loss"}}, None),
        ({"reduce_lr": {"patience": 3}, "lr_patience": 2}, {}),  # of the learning rate
        ({"head": {"epochs": 2}, "all": {"epochs": 9}}, {}),  # of two phases
        ({"epochs": "many", "patience": True}, {}),
        ([1, 2], {}),
    ],
)
def test_parameters_tell_the_plan_of_a_run(values, facts):
    if facts is None:
        facts = {"patience": 7, "monitor": "val_loss"}
    assert log_folders.planned(values) == facts


def test_params_of_a_dvclive_folder_reach_its_history(tmp_path):
    curves = tmp_path / "plots" / "metrics" / "val"
    curves.mkdir(parents=True)
    (curves / "loss.tsv").write_text("step\tloss\n0\t1.0\n1\t0.5\n2\t0.6\n")
    (tmp_path / "params.yaml").write_text("epochs: 5\npatience: 100\n")
    facts = log_folders.dvclive(tmp_path).facts
    assert (facts["planned_epochs"], facts["patience"]) == (5, 100)


def test_a_run_of_all_its_planned_epochs_was_not_stopped(tmp_path, recwarn):
    for part in ("train", "val"):
        curves = tmp_path / "plots" / "metrics" / part
        curves.mkdir(parents=True)
        rows = "".join(f"{step}\t{loss}\n" for step, loss in enumerate((1, 0.5, 0.6, 0.7, 0.8)))
        (curves / "loss.tsv").write_text(f"step\tloss\n{rows}")
    (tmp_path / "params.yaml").write_text("train:\n  epochs: 5\n  patience: 100\n")
    history = log_readers.read(tmp_path)
    assert any("planned epochs 5, patience 100" in note for note in history.notes)
    assert analysis(history).best.stop.verdict == "no"
    assert len(recwarn) == 0


def test_args_of_ultralytics_lie_beside_its_results(tmp_path):
    (tmp_path / "results.csv").write_text("epoch,train/loss,lr/pg0\n1,2,0.1\n2,1,0.1\n")
    (tmp_path / "args.yaml").write_text("epochs: 300\npatience: 50\n")
    facts = log_readers.read(tmp_path).facts
    assert (facts["planned_epochs"], facts["patience"]) == (300, 50)


def test_steps_of_dvclive_go_by_its_epochs(tmp_path):
    curves = tmp_path / "plots" / "metrics"
    curves.mkdir(parents=True)
    (curves / "train_loss.tsv").write_text("step\ttrain_loss\n9\t4\n19\t2\n29\t2\n39\t1\n")
    (curves / "epoch.tsv").write_text("step\tepoch\n9\t0\n19\t0\n29\t1\n39\t1\n")
    assert log_readers.read(tmp_path).table["train_loss"].tolist() == [3, 1.5]


def test_more_steps_than_planned_epochs_are_no_epochs(tmp_path):
    curves = tmp_path / "plots" / "metrics"
    curves.mkdir(parents=True)
    rows = "".join(f"{step}\t{step}\n" for step in range(15))
    (curves / "train_loss.tsv").write_text(f"step\ttrain_loss\n{rows}")
    (curves / "val_loss.tsv").write_text("step\tval_loss\n4\t3\n9\t2\n14\t1\n")
    (tmp_path / "params.yaml").write_text("epochs: 3\n")
    history = log_readers.read(tmp_path)
    assert history.table["train_loss"].tolist() == [2, 7, 12]
    assert analysis(history).best.stop.verdict == "no"


def test_runs_of_mlflow_with_their_names_and_plans(tmp_path):
    for run in ("bold-fox", "calm-ox"):
        folder = tmp_path / "0" / run[::-1]
        for part in ("metrics/val", "params", "tags"):
            (folder / part).mkdir(parents=True)
        (folder / "tags" / "mlflow.runName").write_text(run)
        (folder / "params" / "epochs").write_text("2")
        for name, values in (("loss", (3, 2)), ("val/loss", (4, 3))):
            rows = [f"{1700000000000 + 5000 * step} {v} {step}" for step, v in enumerate(values)]
            (folder / "metrics" / name).write_text("\n".join(rows))
    runs = {run.facts["run"]: run for run in log_readers.runs(tmp_path)}
    assert set(runs) == {"bold-fox", "calm-ox"}
    fox = runs["bold-fox"]
    assert (fox.table["loss"].tolist(), fox.table["val/loss"].tolist()) == ([3, 2], [4, 3])
    assert (fox.seconds.tolist()[1], fox.facts["planned_epochs"]) == (5, 2)


def test_the_folder_of_catboost(tmp_path):
    for part, factor in (("learn", 1), ("test", 2)):
        rows = f"iter\tLogloss\n0\t{factor}\n1\t{factor / 2}\n"
        (tmp_path / f"{part}_error.tsv").write_text(rows)
    history = log_readers.read(tmp_path)
    (train,), (val,) = (history.of("loss", part) for part in ("train", "validation"))
    assert history.table[train.name].tolist() == [1, 0.5]
    assert history.table[val.name].tolist() == [2, 1]


def test_runs_in_folders_of_their_own(tmp_path):
    for version, epochs in ((0, 2), (1, 3)):
        folder = tmp_path / f"version_{version}"
        folder.mkdir()
        rows = [f"{epoch},{epoch * 9},{1 / (epoch + 1)}" for epoch in range(epochs)]
        (folder / "metrics.csv").write_text("\n".join(["epoch,step,train_loss", *rows]))
    assert [len(run.table) for run in log_readers.runs(tmp_path)] == [2, 3]


def test_the_last_checkpoint_of_hugging_face_holds_the_whole_run(tmp_path):
    for step in (20, 100):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        log = [{"epoch": e / 10, "step": e, "loss": 1 / e} for e in range(10, step + 1, 10)]
        (folder / "trainer_state.json").write_text(json.dumps({"log_history": log}))
    assert len(log_readers.read(tmp_path).table) == 10
