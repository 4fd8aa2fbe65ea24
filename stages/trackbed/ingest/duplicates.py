"""The same picture more than once: in two classes, in two parts, or in one place twice."""

from typing import Literal

import pandas as pd

from trackbed.problems import BadData

CONTRADICTION = "also in another class"
IN_TEST = "also in the test part"
Choice = Literal["reject", "keep", "fail"]
EXAMPLES = 3


def conflicts(table: pd.DataFrame) -> pd.DataFrame:
    """Records whose pixels stand elsewhere with another meaning, columns of index.REJECTS_TYPES.

    The same pixels in two classes: all of them, because one is wrong and none says which. The
    same pixels in the train and the test part: those of the train part. Beside those columns
    there is `record`. table: columns record, filename, class_name, part and pixel_hash.
    """
    table = table[table["pixel_hash"].duplicated(keep=False)]
    same = table.groupby("pixel_hash", sort=False)
    classes = same["class_name"].transform("nunique")
    tested = (table["part"] == "test").groupby(table["pixel_hash"]).transform("any")
    twice = classes > 1
    leaking = ~twice & tested & (table["part"] != "test")
    found = table[twice | leaking]
    reason = twice[found.index].map({True: CONTRADICTION, False: IN_TEST})
    others = [_other(row, table) for row in found.itertuples()]
    return found[["record", "filename"]].assign(reason=reason, detail=others)


def counts(table: pd.DataFrame) -> dict[str, int]:
    """How many records repeat an earlier one pixel by pixel, and how many have conflicts."""
    found = conflicts(table)["reason"].value_counts()
    return {
        "duplicates": int(table["pixel_hash"].duplicated().sum()),
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


def _other(row: object, table: pd.DataFrame) -> str:
    """The name of another record with the same pixels, one that makes the conflict if any does."""
    same = table[(table["pixel_hash"] == row.pixel_hash) & (table["record"] != row.record)]
    record = table.loc[table["record"] == row.record].iloc[0]
    against = same[(same["class_name"] != record["class_name"]) | (same["part"] != record["part"])]
    return (against if len(against) else same)["filename"].iloc[0]
