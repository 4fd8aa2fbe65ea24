"""The same picture more than once, exactly or nearly."""

from typing import Literal

import numpy as np
import pandas as pd

from trackbed.dataset import similarity
from trackbed.pipeline.errors import BadData
from trackbed.pipeline.index import (
    CONTRADICTION,
    DUPLICATE,
    IN_TEST,
    NEAR,
    NEAR_CONTRADICTION,
    NEAR_TEST,
)

# From 3 bits on, different signs of one kind (30 and 50) are taken for the same; see docs/data.md.
NEAR_DISTANCE = 2  # bits of 64
RANKS = (NEAR_CONTRADICTION, NEAR_TEST, NEAR)


def near_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Records that look like another one but are not identical with it, each with one of them.

    Two pictures are near if they are a pair of similarity.similar_pairs within NEAR_DISTANCE. Of a
    pair the one in the training part is listed, or else the later one. Of several others that are
    near it, one in another class comes first, then one in the test part, then the nearest. Pairs
    of one group, class and part are left out: similar pictures are expected in a group. Of pictures
    with the same hash, class and part only the first is compared with the rest.

    table: an index. Returns columns record, other_record, finding and detail, the findings of
    most interest and the nearest first.
    """
    table = table[~table.duplicated(["pixel_hash", "class_name", "part"])]
    table = table.assign(hash=similarity.parsed_hashes(table["perceptual_hash"]))
    table = table[similarity.are_informative(table["hash"].to_numpy())]
    place = ["hash", "class_name", "part"]
    first = table.groupby(place, sort=False)["record"].transform("min")
    kept, repeated = table[first == table["record"]], table[first != table["record"]]
    looks = similarity.appearance(kept)
    found = [
        _near_pairs(kept.iloc[left[left < right]], kept.iloc[right[left < right]])
        for left, right in similarity.similar_pairs(looks, looks, NEAR_DISTANCE)
    ]
    firsts = kept.set_index("record", drop=False).loc[first[repeated.index]]
    place = np.arange(len(repeated))
    both = similarity.appearance(firsts), similarity.appearance(repeated)
    near = similarity.similar(*both, place, place)
    return _nearest_pair_of_each(pd.concat([*found, _near_pairs(firsts[near], repeated[near])]))


def _near_pairs(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """The pairs of rows that count: columns record, other_record, rank and bits."""

    def both(column: str) -> tuple[np.ndarray, np.ndarray]:
        return left[column].to_numpy(), right[column].to_numpy()

    def differ(column: str) -> np.ndarray:
        return np.not_equal(*both(column))

    classes = differ("class_name")
    tested, too = (part == "test" for part in both("part"))
    counts = classes | (tested != too) | differ("group")
    counts &= differ("pixel_hash")
    earlier, later = both("record")
    train_first = too & ~tested
    bits = np.bitwise_count(np.bitwise_xor(*both("hash")))
    pairs = {
        "record": np.where(train_first, earlier, later),
        "other_record": np.where(train_first, later, earlier),
        "rank": np.where(classes, 0, np.where(tested != too, 1, 2)),
        "bits": bits.astype(int),
    }
    return pd.DataFrame(pairs)[counts]


def _nearest_pair_of_each(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pair of most interest of every record; columns as of near_duplicates."""
    pairs = pairs.sort_values(["rank", "bits", "record", "other_record"])
    pairs = pairs.drop_duplicates("record").reset_index(drop=True)
    detail = [f"{bits} of {similarity.BITS} bits differ" for bits in pairs["bits"]]
    finding = [RANKS[rank] for rank in pairs["rank"]]
    return pairs[["record", "other_record"]].assign(finding=finding, detail=detail)


OnConflict = Literal["reject", "keep", "fail"]
LISTED_CONFLICTS = 3  # in a message
EXAMPLE_CONFLICTS = 12  # of each kind of conflict
PIXEL_HASH = "pixel_hash"


def conflicts(table: pd.DataFrame) -> pd.DataFrame:
    """Records whose pixels occur in another class or part, columns of index.REJECTS_TABLE.

    The same pixels in two classes: all of them, because it is unknown which is wrong. The same
    pixels in the train and the test part: those of the train part. Beside those columns
    there are `record` and `other_record`; the other one, in `detail` by its name, is the first in
    another class or in the test part. table: columns record, filename, class_name, part and
    pixel_hash.
    """
    table = table[table[PIXEL_HASH].duplicated(keep=False)]
    classes = table.groupby(PIXEL_HASH, sort=False)["class_name"].transform("nunique")
    tested = (
        table[table["part"] == "test"].drop_duplicates(PIXEL_HASH).set_index(PIXEL_HASH)["record"]
    )
    twice = classes > 1
    leaking = ~twice & table[PIXEL_HASH].isin(tested.index) & (table["part"] != "test")
    other = _of_another_class(table).where(twice, table[PIXEL_HASH].map(tested))[twice | leaking]
    found = table[twice | leaking]
    return found[["record", "filename"]].assign(
        reason=twice[found.index].map({True: CONTRADICTION, False: IN_TEST}),
        detail=_names(other, table),
        other_record=other.astype("int64"),
    )


def repeats(table: pd.DataFrame) -> pd.DataFrame:
    """Records that repeat an earlier one of the same class and part, columns as in `conflicts`."""
    place = [PIXEL_HASH, "class_name", "part"]
    first = table.groupby(place, sort=False)["record"].transform("min")
    other = first[table.duplicated(place)]
    return table.loc[other.index, ["record", "filename"]].assign(
        reason=DUPLICATE, detail=_names(other, table), other_record=other
    )


def counts(table: pd.DataFrame) -> dict[str, int]:
    """How many records repeat an earlier one pixel by pixel, and how many have conflicts.

    Each of both kinds of conflict: in two classes, and outside of the test part but also in it.
    """
    classes = table.groupby(PIXEL_HASH)["class_name"].transform("nunique")
    tested = table["part"] == "test"
    leaking = ~tested & table[PIXEL_HASH].isin(table[PIXEL_HASH][tested])
    return {
        "duplicates": int(table[PIXEL_HASH].duplicated().sum()),
        "in_two_classes": int((classes > 1).sum()),
        "in_train_and_test": int(leaking.sum()),
    }


def conflicts_to_reject(table: pd.DataFrame, on_conflict: OnConflict) -> pd.DataFrame:
    """The conflicts to reject. Raises BadData with examples for 'fail'."""
    found = conflicts(table)
    if on_conflict == "fail" and len(found):
        listed = "; ".join(
            f"{row.filename}: {row.reason}, {row.detail}"
            for row in found.head(LISTED_CONFLICTS).itertuples()
        )
        raise BadData(
            f"{len(found)} pictures are in two classes or parts ({listed}). Remove them, or set "
            "data.on_conflict to reject."
        )
    return found if on_conflict == "reject" else found.head(0)


def example_records(conflicts: pd.DataFrame) -> set[int]:
    """Records of some `conflicts` of each kind, with the records that they conflict with."""
    some = conflicts.groupby("reason").head(EXAMPLE_CONFLICTS)
    return {*some["record"], *some["other_record"]} & {*conflicts["record"]}


def _of_another_class(table: pd.DataFrame) -> pd.Series:
    """For every row the first record of the same pixels in another class, NaN where none is."""
    firsts = table.drop_duplicates([PIXEL_HASH, "class_name"])
    place = firsts.groupby(PIXEL_HASH, sort=False).cumcount()
    first, second = (firsts[place == number].set_index(PIXEL_HASH) for number in (0, 1))
    own = table["class_name"] == table[PIXEL_HASH].map(first["class_name"])
    return (
        table[PIXEL_HASH].map(second["record"]).where(own, table[PIXEL_HASH].map(first["record"]))
    )


def _names(records: pd.Series, table: pd.DataFrame) -> pd.Series:
    return records.map(table.set_index("record")["filename"])
