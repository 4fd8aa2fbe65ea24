"""Rows in the order of a file become epochs of runs."""

import histories
import numpy as np
import pytest

from trackbed.curves import log_readers
from trackbed.curves.analysis import analysis


def csv(names, rows):
    cells = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return "\n".join([names, *cells]) + "\n"


def losses(epochs, factor=1.0):
    return [[epoch, factor * 2 / (epoch + 1), factor * 2.2 / (epoch + 1)] for epoch in epochs]


def lightning(epochs, factor=1.0):
    """Per epoch the validation row and the training row, ten steps an epoch."""
    for epoch, train, val in losses(epochs, factor):
        step = 10 * (epoch + 1) - 1
        yield [epoch, step, None, val, None]
        yield [epoch, step, train, None, None]


LIGHTNING = "epoch,step,train_loss,val_loss,test_loss"


@pytest.mark.parametrize(
    "rows",
    [
        [[12, 120, None, None, 0.9]],  # test()
        [[12, 120, None, 0.9, None]],  # validate()
        [[12, 120, None, 0.9, None], [12, 120, None, None, 0.9]],
        [[11, 120, None, 0.9, None]],  # validate() after a stop within an epoch
        [[0, 0, None, 0.1, None]],  # validate() of a new trainer
        [[0, 0, None, None, 0.9]],
    ],
)
def test_an_evaluation_after_training_is_no_epoch(tmp_path, rows):
    text = csv(LIGHTNING, [*lightning(range(12)), *rows])
    history = histories.written(tmp_path / "metrics.csv", text)
    assert history.table.index.tolist() == list(range(1, 13))
    assert history.table["val_loss"].iloc[-1] == pytest.approx(2.2 / 12)
    assert any("evaluation after training" in note for note in history.notes)
    assert analysis(history).best.epoch == 12


@pytest.mark.parametrize("rows", [[[12, 120, None, None, 0.9]], [[12, 120, None, 0.9, None]]])
def test_evaluations_where_few_epochs_log_a_training_loss(tmp_path, rows):
    every = [row for row in lightning(range(12)) if row[2] is None or row[0] % 5 == 4]
    history = histories.written(tmp_path / "metrics.csv", csv(LIGHTNING, [*every, *rows]))
    assert history.table.index.tolist() == list(range(1, 13))
    assert history.finite("train_loss").index.tolist() == [5, 10]


def test_the_validation_of_an_epoch_under_way_counts(tmp_path):
    text = csv(LIGHTNING, [*lightning(range(12)), [12, 129, None, 0.1, None]])
    assert len(histories.written(tmp_path / "metrics.csv", text).table) == 13


def test_a_diverged_last_epoch_is_an_epoch(tmp_path):
    text = csv("epoch,loss,val_loss", [*losses(range(5)), [5, "nan", 3.0]])
    history = histories.written(tmp_path / "log.csv", text)
    assert np.isnan(history.table["loss"].iloc[-1])
    assert len(history.table) == 6


def test_two_runs_in_a_file_are_told_apart(tmp_path):
    rows = [*lightning(range(12)), [12, 120, None, None, 0.9], *lightning(range(9), 0.5)]
    (tmp_path / "metrics.csv").write_text(csv(LIGHTNING, rows))
    first, second = log_readers.runs(tmp_path / "metrics.csv")
    assert (len(first.table), len(second.table)) == (12, 9)
    assert first.table["train_loss"].iloc[0] == 2
    assert second.table["train_loss"].iloc[0] == 1


def test_after_a_resume_the_later_rows_count(tmp_path):
    rows = [*losses(range(20)), *losses(range(10, 30), 3)]
    history = histories.written(tmp_path / "log.csv", csv("epoch,loss,val_loss", rows))
    assert history.table.index.tolist() == list(range(1, 31))
    assert history.table["loss"][10] == pytest.approx(2 / 10)
    assert history.table["loss"][11] == pytest.approx(6 / 11)
    assert any("from 19 to 10 in row 21" in note for note in history.notes)


def test_an_epoch_logged_twice_counts_as_the_later(tmp_path):
    rows = [*losses(range(4)), *losses(range(3, 6), 3)]
    history = histories.written(tmp_path / "log.csv", csv("epoch,loss,val_loss", rows))
    assert history.table["loss"][4] == pytest.approx(6 / 4)


def test_training_that_goes_on_is_numbered_on(tmp_path):
    later = [[epoch, train / 10, val / 10] for epoch, train, val in losses(range(3))]
    rows = [*losses(range(10)), *later]  # fit() again, which counts from 0
    history = histories.written(tmp_path / "log.csv", csv("epoch,loss,val_loss", rows))
    assert history.table.index.tolist() == list(range(1, 14))


def test_rows_in_the_reverse_order(tmp_path):
    text = csv("epoch,loss,val_loss", reversed(losses(range(1, 6))))
    history = histories.written(tmp_path / "log.csv", text)
    assert history.table["loss"].is_monotonic_decreasing


def test_all_training_rows_before_all_validation_rows(tmp_path):
    rows = [[e, t, None] for e, t, _ in losses(range(5))]
    rows += [[e, None, v] for e, _, v in losses(range(5))]
    history = histories.written(tmp_path / "log.csv", csv("epoch,loss,val_loss", rows))
    assert len(history.table) == 5
    assert history.table.notna().all(axis=None)


def test_nan_that_fills_empty_cells(tmp_path):
    rows = []
    for epoch, train, val in losses(range(5)):
        rows += [[epoch, train, "NaN", "NaN"], [epoch, "NaN", val, "NaN"]]
    rows.append([5, "NaN", "NaN", 0.9])
    text = csv("epoch,train_loss,val_loss,test_loss", rows)
    history = histories.written(tmp_path / "log.csv", text)
    assert history.table["train_loss"].tolist() == [train for _, train, _ in losses(range(5))]
    assert history.table["val_loss"].tolist() == [val for _, _, val in losses(range(5))]


def test_nan_between_evaluations_of_steps(tmp_path):
    rows = [[step, step, 5 if step % 200 == 0 else "nan"] for step in range(50, 650, 50)]
    history = histories.written(tmp_path / "log.csv", csv("step,loss,val_loss", rows))
    assert history.table["val_loss"].tolist() == [5, 5, 5]


def test_training_rows_without_an_epoch_belong_to_the_next(tmp_path):
    rows = []
    for epoch, train, val in losses(range(3)):
        rows += [[None, train, None], [epoch, None, val]]
    history = histories.written(tmp_path / "log.csv", csv("epoch,loss,val_loss", rows))
    assert history.table["loss"].tolist() == [train for _, train, _ in losses(range(3))]


def test_summaries_and_rows_before_training_are_no_epochs(tmp_path):
    rows = [[-1, None, 9], *losses(range(5)), ["best", 0.1, 0.1]]
    history = histories.written(tmp_path / "log.csv", csv("epoch,loss,val_loss", rows))
    assert history.table["val_loss"].tolist() == [val for _, _, val in losses(range(5))]
    assert "Rows left out (2), whose `epoch` is '-1', 'best'." in history.notes


def test_steps_without_epochs_go_by_evaluations(tmp_path):
    rows = [[step, 1000 / step, 5 if step % 200 == 0 else None] for step in range(50, 650, 50)]
    history = histories.written(tmp_path / "log.csv", csv("step,loss,val_loss", rows))
    assert history.table.index.tolist() == [1, 2, 3]
    assert history.table["loss"][1] == pytest.approx((20 + 10 + 1000 / 150 + 5) / 4)
    assert any("after 200 steps each" in note for note in history.notes)


def test_parts_of_an_epoch_count_to_its_end(tmp_path):
    rows = [[0.5, 3, None], [1.0, 2, None], [1.0, None, 4], [1.5, 1, None], [2.0, None, 3]]
    history = histories.written(tmp_path / "log.csv", csv("epoch,loss,eval_loss", rows))
    assert history.table["loss"].tolist() == [2.5, 1]
    assert history.table["eval_loss"].tolist() == [4, 3]
