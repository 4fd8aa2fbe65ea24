"""What is said of a run, for curves whose story is known."""

import histories
import numpy as np
import pytest

from trackbed.curves.analysis import analysis
from trackbed.reporting import curves_findings, curves_text

EPOCHS = np.arange(1, 41)
FALL = 2 * np.exp(-EPOCHS / 4)
RISE = np.where(EPOCHS > 10, 0.05 * (EPOCHS - 10), 0)


def headline(**values):
    return curves_text.headline(analysis(histories.made(**values)))


def sentences(**values):
    return " ".join(curves_text.fit_text(analysis(histories.made(**values))))


def test_a_loss_that_is_never_a_number_is_said_first():
    text = headline(loss=FALL, val_loss=np.full(40, np.nan))
    assert text.startswith("val_loss: not a number (NaN, or not logged) in any of 40 epochs. ")
    assert text.endswith("best epoch 40 of 40, loss 9.08e-05.")
    assert headline(loss=[np.inf] * 3).startswith("loss: infinite in each of 3 epochs. No verdict")


def test_several_verdicts_are_joined_and_the_series_named():
    text = headline(loss=FALL, val_loss=FALL + 0.3 + RISE, val_f1=np.linspace(0, 0.8, 40))
    assert text.startswith("Over-fitting and not converged (val_f1); best epoch 10 of 40")


def test_a_run_ends_where_its_table_ends():
    broken = np.where(EPOCHS > 30, np.nan, FALL)
    text = headline(loss=FALL, val_loss=broken)
    assert text.startswith("Unstable; best epoch 30 of 40")


def test_a_rise_names_where_it_ends_and_a_negative_loss_no_factor():
    text = sentences(loss=FALL, val_loss=FALL + 0.3 + RISE)
    assert "rises, from 0.4642 to 1.65 (median of the last quarter, 3.6 times as much)" in text
    text = sentences(loss=FALL - 3, val_loss=FALL - 2.7 + RISE)
    assert "rises, from -2.536 to -1.35 (median of the last quarter)" in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"loss": FALL}, "the log has no validation loss with a finite value"),
        ({"val_loss": FALL}, "the log has no training loss with a finite value"),
        ({"val_accuracy": FALL}, "no training loss and no validation loss"),
        ({"loss": FALL[:3], "val_loss": FALL[:3]}, "both losses, the log has 3 epochs."),
        (
            {"loss": FALL, "val_loss": np.where(EPOCHS % 8, np.nan, FALL)},
            "the log has 40 epochs, both losses in 5 of them",
        ),
    ],
)
def test_why_training_and_validation_are_not_compared(values, words):
    assert words in sentences(**values)


def test_a_constant_loss_makes_no_progress_and_has_no_ranges():
    run = analysis(histories.made(loss=[0.7] * 20, val_loss=[0.7] * 20))
    assert curves_findings.convergence_text(run) == [
        "loss: never better than in its first epoch.",
        "val_loss: never better than in its first epoch.",
    ]


def test_a_loss_that_rose_is_worse_in_every_later_range():
    steps = np.r_[[1.0, 0.9, 0.8, 0.7], np.linspace(0.7, 2.2, 36)]
    run = analysis(histories.made(loss=FALL, val_loss=steps))
    text = curves_findings.convergence_text(run)[1]
    assert text.startswith("val_loss: worse at the end (epochs 1-10 ")
    assert text.count("worse") == 4


def test_convergence_names_the_ranges_of_the_loss_and_the_main_score():
    scores = {"val_accuracy": 1 - FALL / 3, "val_top_5": 1 - FALL / 3, "val_auc": 1 - FALL / 3}
    run = analysis(histories.made(loss=FALL, val_loss=FALL, **scores))
    texts = curves_findings.convergence_text(run)
    assert [text.split(":")[0] for text in texts] == ["loss", "val_loss", "val_accuracy"]
    assert texts[0].startswith("loss: converged (epochs 1-10 rapid")
    assert "98 % of the improvement" in texts[0]
