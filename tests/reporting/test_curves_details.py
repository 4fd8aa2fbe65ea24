import histories
import numpy as np
import pytest

from trackbed.curves.analysis import analysis
from trackbed.reporting import curves_details

EPOCHS = np.arange(1, 41)
FALL = 2 * np.exp(-EPOCHS / 4)


def test_a_cosine_is_named_with_its_ends():
    rate = 0.01 * (1 + np.cos(np.pi * (EPOCHS - 1) / 39)) / 2
    text = " ".join(curves_details.schedule_text(analysis(histories.made(loss=FALL, lr=rate))))
    assert text == "Cosine, 0.01 to 0."


def schedule(rates):
    history = histories.made(loss=np.ones(len(rates)), lr=rates)
    return curves_details.schedule_text(analysis(history))[0]


UP, DOWN = np.array([0.2, 0.4, 0.6, 0.8]), 1 - np.arange(25) / 25


@pytest.mark.parametrize(
    ("rates", "text"),
    [
        (np.r_[UP, 1, DOWN], "Linear warm-up over 5 epochs to 1, then linear, down to 0.04."),
        (np.r_[UP, np.ones(9)], "Linear warm-up over 5 epochs to 1, then constant."),
        (np.r_[np.ones(9), DOWN], "Constant for 10 epochs, then linear, 1 to 0.04."),
        (np.r_[DOWN, [0.0] * 5], "Linear, then constant for 5 epochs, 1 to 0."),
        (
            0.1 ** (np.arange(30) // 10),
            "Constant between drops every 10 epochs, each to 0.1 times, 1 to 0.01.",
        ),
        (
            np.tile((1 + np.cos(np.pi * np.arange(10) / 10)) / 2, 2),
            "Cosine with restarts at epoch 11, 1 to 0.0244717.",
        ),
        ([1, 2, 1, 2, 1, 2, 1], "Up and down, 2 epochs from peak to peak, up to 2."),
    ],
)
def test_schedules_in_words(rates, text):
    assert schedule(rates) == text


def test_a_loss_that_is_not_finite_is_an_anomaly_with_its_epoch():
    loss = FALL.copy()
    loss[30] = np.nan
    texts = curves_details.anomalies_text(analysis(histories.made(loss=loss)))
    assert any("31" in text for text in texts)


def test_many_columns_are_cut_to_what_can_be_read():
    rng = np.random.default_rng(0)
    dips = np.ones(40)
    dips[20] = 0
    columns = {f"val_f1_{place}": dips - rng.random() for place in range(70)}
    run = analysis(histories.made(loss=FALL, **columns))
    texts = curves_details.anomalies_text(run)
    assert len(texts) == 31
    assert texts[-1].startswith("40 more; ")
    table = next(one for one in curves_details.tables(run) if one.caption.startswith("Milestones"))
    assert len(table.rows) == 60
    assert "60 of 71 rows" in table.caption
