import fabricated
import numpy as np
import pandas as pd
import pytest

from trackbed.curves import log_folders, log_rows
from trackbed.curves.analysis import analysis
from trackbed.pipeline.errors import UserError
from trackbed.reporting import training_log


def test_what_dvclive_logs_is_read_by_epoch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # Live looks for a repository around it
    from dvclive import Live

    with Live(str(tmp_path), dvcyaml=None, save_dvc_exp=False, report=None) as live:
        for epoch in (1, 2, 3):
            live.step = epoch
            for number, name in enumerate(training_log.CURVES):
                live.log_metric(name, epoch + number / 10)
    history = training_log.read(tmp_path).curves
    assert history.index.tolist() == [1, 2, 3]
    assert list(history.columns) == list(training_log.CURVES)
    assert history["train/loss"].tolist() == [1.0, 2.0, 3.0]
    assert history["val/loss"].tolist() == [1.3, 2.3, 3.3]  # the fourth curve


def test_a_loss_that_overflowed_stays_visible(tmp_path):
    fabricated.write_training(tmp_path, epochs=2)
    path = tmp_path / "plots/metrics/train/loss.tsv"
    path.write_text("step\tloss\n1\t0.5\n2\tnan\n")
    assert training_log.read(tmp_path).curves["train/loss"].isna().tolist() == [False, True]


def test_summary_and_analysis_are_of_the_same_run(tmp_path):
    fabricated.write_training(tmp_path, epochs=27)
    log = training_log.read(tmp_path)
    assert log.summary["best_epoch"] == log.curves["val/loss"].idxmin() == log.analysis.best.epoch
    (history,) = log_rows.histories(log_folders.dvclive(tmp_path))
    assert log.analysis == analysis(history)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        ("", "broken"),
        ("step\tloss\n", "found 0 rows"),
        ("step\tloss\n1\tmuch\n2\t0.5\n", "expected one number per epoch"),
        ("step\tloss\n1\t0.5\n1\t0.4\n", "2 rows with 1 different steps"),
        ("step\tacc\n1\t0.5\n2\t0.4\n", r"columns are \['step', 'acc'\]"),
        ("step\tloss\n1\t0.5\n", "val/loss has other epochs than train/loss, 1 rows against 2"),
    ],
)
def test_a_missing_or_broken_curve_is_refused(tmp_path, text, words):
    fabricated.write_training(tmp_path, epochs=2)
    path = tmp_path / "plots/metrics/val/loss.tsv"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError, match=words):
        training_log.read(tmp_path)


@pytest.mark.parametrize("text", [None, "{", "[1, 2]"])
def test_a_missing_or_broken_summary_is_refused(tmp_path, text):
    fabricated.write_training(tmp_path, epochs=2)
    path = tmp_path / "metrics.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError, match=r"metrics\.json.*dvc repro -f train"):
        training_log.read(tmp_path)


@pytest.fixture
def history(tmp_path):
    fabricated.write_training(tmp_path, epochs=60)
    return training_log.read(tmp_path).curves


def test_every_epoch_is_a_row_with_the_best_marked(history):
    history.loc[7, "val/loss"] = 0.01
    history.loc[9, "val/macro_f1"] = history.loc[11, "val/macro_f1"] = 0.999
    rows = training_log.epoch_rows(history, best_epoch=7)
    assert [row.number for row in rows] == list(range(1, 61))
    place = list(training_log.COLUMNS).index
    assert [row.number for row in rows if row.best[place("val/loss")]] == [7]
    assert [row.number for row in rows if row.best[place("val/macro_f1")]] == [9]  # the first
    assert not any(row.best[place("learning_rate")] for row in rows)
    assert [row.number for row in rows if row.kept] == [7]


def test_the_collapsed_table_has_first_last_best_neighbours(history):
    listed = {row.number for row in training_log.epoch_rows(history, best_epoch=33) if row.listed}
    assert {1, 32, 33, 34, 60} <= listed
    assert len(listed) < 20


def test_few_epochs_are_all_listed(history):
    assert all(row.listed for row in training_log.epoch_rows(history[:15], best_epoch=None))


def test_a_loss_that_is_not_finite_is_never_the_best():
    assert (
        training_log.best_value_epoch(
            pd.Series([np.nan, -np.inf, 2.0, 3.0], [1, 2, 3, 4]), low=True
        )
        == 3
    )
    assert training_log.best_value_epoch(pd.Series([np.nan, np.inf], [1, 2]), low=False) is None
