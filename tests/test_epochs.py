import fabricated
import numpy as np
import pandas as pd
import pytest

from trackbed.telling import curves, epochs


@pytest.fixture
def history(tmp_path):
    fabricated.write_training(tmp_path, epochs=60)
    return curves.read(tmp_path)


def test_every_epoch_is_a_row_with_the_best_of_each_column_marked(history):
    history.loc[7, "val/loss"] = 0.01
    history.loc[9, "val/macro_f1"] = history.loc[11, "val/macro_f1"] = 0.999
    rows = epochs.rows(history, best_epoch=7)
    assert [row.number for row in rows] == list(range(1, 61))
    place = list(epochs.COLUMNS).index
    assert [row.number for row in rows if row.best[place("val/loss")]] == [7]
    assert [row.number for row in rows if row.best[place("val/macro_f1")]] == [9]  # the first
    assert not any(row.best[place("seconds")] for row in rows)
    assert [row.number for row in rows if row.kept] == [7]


def test_the_collapsed_table_holds_first_last_best_and_its_neighbours(history):
    shown = {row.number for row in epochs.rows(history, best_epoch=33) if row.shown}
    assert {1, 32, 33, 34, 60} <= shown
    assert len(shown) < 20


def test_few_epochs_are_all_shown(history):
    assert all(row.shown for row in epochs.rows(history[:15], best_epoch=None))


def test_a_loss_that_is_not_finite_is_never_the_best():
    assert epochs.best(pd.Series([np.nan, -np.inf, 2.0, 3.0], [1, 2, 3, 4]), low=True) == 3
    assert epochs.best(pd.Series([np.nan, np.inf], [1, 2]), low=False) is None
