import io
import json
import os

import pandas as pd
import pytest

from trackbed.inference import answer_files
from trackbed.inference.answer_files import AnswerTable, RejectTable
from trackbed.inference.answers import Answer
from trackbed.inference.prediction import Prediction
from trackbed.pipeline.errors import BadData, UserError

CLASSES = ["one, two", 'three "3"', "NA"]
THIRD = 0.3333333432674408  # the float32 next to 1/3
ANSWER = Answer("NA", 0.5, True, [THIRD, 0.16666667, 0.5])


def written(format, *predictions, boxes=False, novelty=False, classes=CLASSES):
    file = io.StringIO()
    table = AnswerTable(file, format, classes, boxes, novelty)
    table.write_header()
    for one in predictions:
        table.write(one)
    return file.getvalue()


def test_csv_is_read_back_by_pandas():
    text = written("csv", Prediction('a "b",c.jpg', None, ANSWER))
    table = pd.read_csv(io.StringIO(text), keep_default_na=False)
    assert list(table.columns) == ["file", "class", "confidence", "refused"] + [
        f"p_{name}" for name in CLASSES
    ]
    assert table.iloc[0].tolist() == ['a "b",c.jpg', "NA", 0.5, True, 0.333333343, 0.16666667, 0.5]
    assert text.count("\r") == 0


def test_boxes_and_novelty_have_columns_of_their_own():
    predictions = [
        Prediction("a", (1, 2, 3, 4), ANSWER, novelty=0.25),
        Prediction("a", None, Answer("NA", 0.5, None, [0, 0, 1]), novelty=0.0),
    ]
    rows = written("csv", *predictions, boxes=True, novelty=True).splitlines()
    assert rows[0].startswith("file,box,class,confidence,refused,novelty,")
    assert rows[1].startswith("a,1 2 3 4,NA,0.5,true,0.25,")
    assert rows[2].startswith("a,,NA,0.5,,0,")
    lines = written("jsonl", *predictions, boxes=True, novelty=True).splitlines()
    first, second = map(json.loads, lines)
    assert (first["box"], second["box"]) == ([1, 2, 3, 4], None)
    assert (first["novelty"], second["novelty"]) == (0.25, 0)


def test_json_lines_hold_the_same_numbers():
    (line,) = written("jsonl", Prediction("ü.jpg", None, ANSWER)).splitlines()
    assert json.loads(line) == {
        "file": "ü.jpg",
        "class": "NA",
        "confidence": 0.5,
        "refused": True,
        "probabilities": dict(zip(CLASSES, [0.333333343, 0.16666667, 0.5], strict=True)),
    }
    assert "ü" in line


def test_a_formula_is_refused_in_csv_alone():
    evil = "=HYPERLINK(1)"
    for table in (
        AnswerTable(io.StringIO(), "csv", CLASSES, False, False),
        RejectTable(io.StringIO()),
    ):
        with pytest.raises(BadData, match="would run the name '=HYPERLINK"):
            table.write(Prediction(evil, None, ANSWER))
    table = AnswerTable(io.StringIO(), "csv", ["a", "=f()"], False, False)
    with pytest.raises(BadData, match=r"the class '=f\(\)' as a formula. Use --format jsonl"):
        table.refuse_formulas([])
    assert evil in written("jsonl", Prediction(evil, None, ANSWER), classes=["=f()", "b", "c"])


def test_rejects_are_listed_with_their_reasons():
    file = io.StringIO()
    table = RejectTable(file)
    table.write_header()
    table.write(Prediction("a,b.jpg", None, reason="truncated", detail="3 of 4 bytes"))
    table.write(Prediction("c.jpg", None, reason="damaged", detail="=f()"))
    rows = file.getvalue().splitlines()
    as_json = io.StringIO()
    RejectTable(as_json, "jsonl").write(Prediction("=f(1)", None, reason="damaged"))
    assert json.loads(as_json.getvalue()) == {"file": "=f(1)", "reason": "damaged", "detail": ""}
    assert rows == ["file,reason,detail", '"a,b.jpg",truncated,3 of 4 bytes', "c.jpg,damaged,"]


def test_a_file_takes_its_place_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "answers.csv"
    with answer_files.opened(path) as file:
        file.write("first\n")
    with pytest.raises(KeyError), answer_files.opened(path) as file:
        file.write("half")
        raise KeyError
    assert path.read_text() == "first\n"
    assert os.listdir(path.parent) == ["answers.csv"]


def test_links_stay_and_devices_are_not_replaced(tmp_path):
    (tmp_path / "link").symlink_to("real")
    with answer_files.opened(tmp_path / "link") as file:
        file.write("x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "x"
    (tmp_path / "null").symlink_to("/dev/null")
    with answer_files.opened(tmp_path / "null") as file:
        file.write("x")
    assert not os.path.isfile("/dev/null")


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match="cannot be written"),
        answer_files.opened(tmp_path / "file" / "answers.csv"),
    ):
        pass
