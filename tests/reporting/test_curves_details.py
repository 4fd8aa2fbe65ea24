import histories
import numpy as np

from trackbed.curves.analysis import analysis
from trackbed.reporting import curves_details

EPOCHS = np.arange(1, 41)
FALL = 2 * np.exp(-EPOCHS / 4)


def test_a_cosine_is_named_with_its_ends():
    rate = 0.01 * (1 + np.cos(np.pi * (EPOCHS - 1) / 39)) / 2
    text = " ".join(curves_details.schedule_text(analysis(histories.made(loss=FALL, lr=rate))))
    assert text == "Cosine, 0.01 to 0."


def test_a_loss_that_is_not_finite_is_an_anomaly_with_its_epoch():
    loss = FALL.copy()
    loss[30] = np.nan
    texts = curves_details.anomalies_text(analysis(histories.made(loss=loss)))
    assert any("31" in text for text in texts)
