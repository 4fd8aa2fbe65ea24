import histories
import numpy as np
import pandas as pd

from trackbed.curves.analysis import analysis, class_scores
from trackbed.reporting import curves_details, curves_text

EPOCHS = np.arange(1, 41)
FALL = 2 * np.exp(-EPOCHS / 4)


def analysed():
    rise = np.where(EPOCHS > 10, 0.05 * (EPOCHS - 10), 0)
    return analysis(histories.made(loss=FALL, val_loss=FALL + 0.3 + rise))


def test_headline_and_fit_name_the_verdict_and_the_epoch():
    assert curves_text.headline(analysed()).startswith("Over-fitting; best epoch 10 of 40,")
    assert curves_text.fit_text(analysed())[0].startswith("Over-fitting: from epoch 10 on the val")


def test_sections_without_a_finding_are_left_out():
    keys = [section.key for section in curves_text.sections(analysed())]
    assert keys == ["best", "fit", "convergence"]


def test_tables_have_a_cell_per_column():
    for table in curves_details.tables(analysed()):
        assert {len(row) for row in table.rows} == {len(table.head)}


def best_text(**values):
    options = {name: values.pop(name) for name in ("facts",) if name in values}
    return " ".join(curves_text.best_epoch_text(analysis(histories.made(**values, **options))))


def test_the_wait_before_an_early_stop_is_in_words():
    assert "patience 6: no epoch after the first was better" in best_text(val_loss=[2] * 7)
    assert "before, every epoch was an improvement" in best_text(val_loss=[3, 2, 1, 2, 2, 2])
    text = best_text(val_loss=[4, 3, 3.5, 2, 1, 1.5, 1.5, 1.5])
    assert "it never went more than 1 epoch without an improvement" in text


def test_a_run_that_ran_its_planned_epochs_was_not_stopped():
    facts = {"planned_epochs": 5, "patience": 100}
    assert "It was not stopped early: all 5 planned epochs were run." in best_text(
        val_loss=[1, 2, 3, 4, 5], facts=facts
    )
    text = best_text(val_loss=[2, 1, 3, 4, 5, 5], facts={"planned_epochs": 50})
    assert "It ended after 6 of 50 planned epochs: probably stopped early with patience 4" in text


def test_the_best_epoch_by_a_score_is_named_where_it_differs():
    text = best_text(val_loss=[2, 1, 3], val_accuracy=[0.1, 0.2, 0.4])
    assert "By val_accuracy epoch 3 is the best instead: 0.4, against 0.2 in epoch 2." in text
    assert "instead" not in best_text(val_loss=[2, 1, 3], val_accuracy=[0.1, 0.4, 0.4])
    assert "instead" not in best_text(val_loss=[2, 1, 3], val_accuracy=[0.1, 0.9, 0.90001])
    text = best_text(val_loss=[2, 1, 3], val_error_rate=[0.4, 0.3, 0.2])
    assert "By val_error_rate epoch 3 is the best instead: 0.2, against 0.3 in epoch 2." in text


def test_a_value_that_breaks_off_leaves_the_stop_open():
    text = best_text(val_loss=[3, 2, 1, float("nan"), float("nan")])
    assert "val_loss has no finite value after epoch 3 of 5." in text
    assert "cannot be told" in text


def test_classes_of_one_f1_have_no_worst():
    table = pd.DataFrame({"f1": [1.0, 1.0]}, index=["A", "B"])
    assert curves_text.classes_text(class_scores(table)) == ["Best F1 1.000: A, B."]
