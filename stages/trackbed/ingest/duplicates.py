"""The same picture more than once: in two classes, in two parts, or in one place twice."""

from typing import Literal

import pandas as pd

from trackbed.ingest.kinds import CONTRADICTION, DUPLICATE, IN_TEST
from trackbed.problems import BadData

Choice = Literal["reject", "keep", "fail"]
EXAMPLES = 3  # in a message
PICTURED = 12  # of each kind of conflict
HASH = "pixel_hash"


def conflicts(table: pd.DataFrame) -> pd.DataFrame:
    """Records whose pixels stand elsewhere with another meaning, columns of index.REJECTS_TYPES.

    The same pixels in two classes: all of them, because one is wrong and none says which. The
    same pixels in the train and the test part: those of the train part. Beside those columns
    there are `record` and `other_record`; the other one, in `detail` by its name, is the first in
    another class or in the test part. table: columns record, filename, class_name, part and
    pixel_hash.
    """
    table = table[table[HASH].duplicated(keep=False)]
    classes = table.groupby(HASH, sort=False)["class_name"].transform("nunique")
    tested = table[table["part"] == "test"].drop_duplicates(HASH).set_index(HASH)["record"]
    twice = classes > 1
    leaking = ~twice & table[HASH].isin(tested.index) & (table["part"] != "test")
    other = _of_another_class(table).where(twice, table[HASH].map(tested))[twice | leaking]
    found = table[twice | leaking]
    return found[["record", "filename"]].assign(
        reason=twice[found.index].map({True: CONTRADICTION, False: IN_TEST}),
        detail=_names(other, table),
        other_record=other.astype("int64"),
    )


def repeats(table: pd.DataFrame) -> pd.DataFrame:
    """Records that repeat an earlier one of the same class and part, columns as in `conflicts`."""
    place = [HASH, "class_name", "part"]
    first = table.groupby(place, sort=False)["record"].transform("min")
    other = first[table.duplicated(place)]
    return table.loc[other.index, ["record", "filename"]].assign(
        reason=DUPLICATE, detail=_names(other, table), other_record=other
    )


def counts(table: pd.DataFrame) -> dict[str, int]:
    """How many records repeat an earlier one pixel by pixel, and how many have conflicts."""
    found = conflicts(table)["reason"].value_counts()
    return {
        "duplicates": int(table[HASH].duplicated().sum()),
        "in_two_classes": int(found.get(CONTRADICTION, 0)),
        "in_train_and_test": int(found.get(IN_TEST, 0)),
    }


def to_leave_out(table: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """The conflicts that are to be rejected. Raises BadData with examples for 'fail'."""
    found = conflicts(table)
    if choice == "fail" and len(found):
        listed = "; ".join(
            f"{row.filename}: {row.reason}, {row.detail}"
            for row in found.head(EXAMPLES).itertuples()
        )
        raise BadData(
            f"{len(found)} pictures stand in two classes or parts ({listed}). Remove them, or set "
            "data.on_conflict to reject."
        )
    return found if choice == "reject" else found.head(0)


def pictured(conflicts: pd.DataFrame) -> set[int]:
    """The records of some of the `conflicts` of each kind, and of the others that they are like."""
    some = conflicts.groupby("reason").head(PICTURED)
    return {*some["record"], *some["other_record"]} & {*conflicts["record"]}


def _of_another_class(table: pd.DataFrame) -> pd.Series:
    """For every row the first record of the same pixels in another class, NaN where none is."""
    firsts = table.drop_duplicates([HASH, "class_name"])
    place = firsts.groupby(HASH, sort=False).cumcount()
    first, second = (firsts[place == number].set_index(HASH) for number in (0, 1))
    own = table["class_name"] == table[HASH].map(first["class_name"])
    return table[HASH].map(second["record"]).where(own, table[HASH].map(first["record"]))


def _names(records: pd.Series, table: pd.DataFrame) -> pd.Series:
    return records.map(table.set_index("record")["filename"])
