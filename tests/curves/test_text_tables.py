"""Cells as programs and spreadsheets write them, and the numbers in them."""

import histories
import pandas as pd
import pytest

from trackbed.curves import log_readers, text_tables
from trackbed.pipeline.errors import UserError

ROWS = [[1.0, 2.5, 3.5], [2.0, 1.5, 2.5]]


@pytest.mark.parametrize(
    "data",
    [
        b"epoch,loss,val_loss\n1,2.5,3.5\n2,1.5,2.5\n",
        b"\xef\xbb\xbfepoch,loss,val_loss\r\n1,2.5,3.5\r\n2,1.5,2.5\r\n",
        "epoch,loss,val_loss\n1,2.5,3.5\n2,1.5,2.5\n".encode("utf-16"),
        b"epoch;loss;val_loss\n1;2,5;3,5\n2;1,5;2,5\n",
        b"epoch\tloss\tval_loss\n1\t2.5\t3.5\n2\t1.5\t2.5\n",
        b"epoch  loss val_loss\n1      2.5  3.5\n2      1.5  2.5\n",
        b"# seed 3\nepoch,loss,val_loss\n1,2.5,3.5\n# resumed\n2,1.5,2.5\n",
        b"# epoch loss val_loss\n1.0e+00 2.5e+00 3.5e+00\n2.0e+00 1.5e+00 2.5e+00\n",
        b"epoch,loss,val_loss\n1,2.5,3.5,\n2,1.5,2.5,\n",
        b"epoch,loss,val_loss\n[1/50],tensor(2.5),3.5\n[2/50],\"tensor(1.5, device='c')\",2.5\n",
    ],
)
def test_ways_to_write_the_same_table(tmp_path, data):
    (tmp_path / "log.csv").write_bytes(data)
    history = log_readers.read(tmp_path / "log.csv")
    assert history.table.reset_index().to_numpy().tolist() == ROWS


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("04:39", 279),
        ("1:04:39", 3879),
        ("00:00:12.5", 12.5),
        ("1 day, 0:00:01", 86401),
        ("0 days 00:01:00", 60),
        ("1h 2m 3s", 3723),
        ("12.5s", 12.5),
        ("45.3%", 0.453),
        ("1,5", 1.5),
        ("2024-01-01 00:00:10", 1704067210),
        ("-inf", float("-inf")),
    ],
)
def test_numbers_in_text(text, number):
    assert text_tables.numbers_of(pd.Series([text]))[0] == pytest.approx(number)


def test_words_in_a_column_of_numbers_are_named(tmp_path):
    history = histories.written(tmp_path / "log.csv", "epoch,loss\n1,2\n2,oops\n3,1\n")
    assert history.table["loss"].isna().tolist() == [False, True, False]
    assert any("'oops' in row 2" in note for note in history.notes)


def test_a_second_header_may_have_other_columns(tmp_path):
    text = "epoch,loss\n0,2\n1,1\nepoch,loss,lr\n2,0.9,0.1\n"
    history = histories.written(tmp_path / "log.csv", text)
    assert history.table["loss"].tolist() == [2, 1, 0.9]
    assert history.table["lr"].isna().tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\0", "not readable as text"),
        (b"epoch,loss\n1,\0", "bytes of value 0"),
        (b"", "an empty file"),
        (b"epoch,loss\n1,2,3\n", "rows have more cells than the header"),
        (b"epoch, loss ,loss\n1,2,3\n", "two columns of one name"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, data, words):
    (tmp_path / "log.csv").write_bytes(data)
    with pytest.raises(UserError, match=words):
        log_readers.read(tmp_path / "log.csv")
