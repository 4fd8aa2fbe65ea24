import numpy as np
import pandas as pd
import pytest

from trackbed.ingest import duplicates
from trackbed.problems import BadData


def table(*rows):
    made = pd.DataFrame(rows, columns=["filename", "class_name", "part", "pixel_hash"])
    return made.assign(record=range(len(made)))


TABLE = table(
    ("A/1", "A", "train", "x"),
    ("A/2", "A", "train", "x"),  # the same class and part: no conflict
    ("A/3", "A", "train", "y"),
    ("B/4", "B", "test", "y"),  # another class
    ("B/5", "B", "train", "z"),
    ("B/6", "B", "test", "z"),  # another part
    ("B/7", "B", "train", "w"),
)


def test_what_is_in_two_classes_goes_on_both_sides_and_what_is_in_two_parts_on_one():
    found = duplicates.conflicts(TABLE)
    assert found[["record", "reason", "detail"]].to_numpy().tolist() == [
        [2, duplicates.CONTRADICTION, "B/4"],
        [3, duplicates.CONTRADICTION, "A/3"],
        [4, duplicates.IN_TEST, "B/6"],
    ]
    assert duplicates.counts(TABLE) == {
        "duplicates": 3,
        "in_two_classes": 2,
        "in_train_and_test": 1,
    }


def test_one_of_three_in_another_class_condemns_all():
    three = table(("A/1", "A", "", "x"), ("A/2", "A", "", "x"), ("B/3", "B", "", "x"))
    found = duplicates.conflicts(three)
    assert found["record"].tolist() == [0, 1, 2]
    assert found["detail"].tolist() == ["B/3", "B/3", "A/1"]


def test_the_other_one_is_one_that_makes_the_conflict():
    mixed = table(
        ("A/1", "A", "train", "x"),
        ("A/2", "A", "test", "x"),
        ("B/3", "B", "train", "x"),
        ("C/4", "C", "train", "y"),
        ("C/5", "C", "", "y"),
        ("C/6", "C", "test", "y"),
    )
    found = duplicates.conflicts(mixed)
    assert found["detail"].tolist() == ["B/3", "B/3", "A/1", "C/6", "C/6"]
    assert found["other_record"].tolist() == [2, 2, 0, 5, 5]


def test_repeats_are_of_the_same_class_and_part():
    assert duplicates.repeats(TABLE)[["record", "reason", "other_record"]].to_numpy().tolist() == [
        [1, duplicates.DUPLICATE, 0]
    ]


def test_many_conflicts_are_those_that_plain_dictionaries_find():
    random = np.random.default_rng(0)
    hashes, classes = random.integers(0, 10_000, 20_000), random.choice(list("ABC"), 20_000)
    rows = [
        (f"{n}", name, "train", f"{value}")
        for n, (name, value) in enumerate(zip(classes, hashes, strict=True))
    ]
    first = {}  # per hash and class
    for filename, name, _, value in rows:
        first.setdefault(value, {}).setdefault(name, int(filename))
    expected = {
        int(filename): min(record for other, record in first[value].items() if other != name)
        for filename, name, _, value in rows
        if len(first[value]) > 1
    }
    found = duplicates.conflicts(table(*rows))
    assert len(found) > 10_000
    assert dict(zip(found["record"], found["other_record"], strict=True)) == expected


def test_the_choices():
    assert duplicates.to_leave_out(TABLE, "reject")["filename"].tolist() == ["A/3", "B/4", "B/5"]
    assert duplicates.to_leave_out(TABLE, "keep").empty
    with pytest.raises(BadData, match=r"3 pictures .*A/3: also in another class, B/4"):
        duplicates.to_leave_out(TABLE, "fail")
    assert duplicates.to_leave_out(TABLE.head(2), "fail").empty


def test_nothing_at_all():
    assert duplicates.counts(table())["duplicates"] == 0
