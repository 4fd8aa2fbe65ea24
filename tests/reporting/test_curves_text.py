import histories
import numpy as np

from trackbed.curves.analysis import analysis
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
