"""The same picture more than once, exactly or nearly, found without comparing all pairs."""

import itertools
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd

from trackbed.pipeline.errors import BadData
from trackbed.pipeline.index import (
    CONTRADICTION,
    DUPLICATE,
    IN_TEST,
    NEAR,
    NEAR_CONTRADICTION,
    NEAR_TEST,
)

BITS = 64
# Pairs that are compared at a time, for flat memory: 16 bytes each.
PAIRS_AT_ONCE = 2**22


def parsed_hashes(column: "np.typing.ArrayLike") -> np.ndarray:
    """The column `perceptual_hash` of an index (16 hexadecimal digits) as uint64."""
    return np.array([int(text, 16) for text in column], dtype=np.uint64)


def hash_pairs(
    queries: np.ndarray, references: np.ndarray, distance: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs of a query and a reference that differ in `distance` bits at most, in blocks.

    queries, references: uint64. Yields positions in both, int, of equal shape; a pair may come
    more than once. Of hashes that differ in no more than n bits at least one of n + 1 pieces is
    equal, so that only those with an equal piece are compared (multi-index hashing, Norouzi et al.
    2012, arXiv 1307.2982). Raises ValueError unless 0 <= distance < 64.
    """
    if not 0 <= distance < BITS:
        raise ValueError(f"distance must be 0 to {BITS - 1} bits. Received {distance}")
    for left, right in _candidates(queries, references, distance + 1):
        near = np.bitwise_count(queries[left] ^ references[right]) <= distance
        if near.any():
            yield left[near], right[near]


def _candidates(
    queries: np.ndarray, references: np.ndarray, pieces: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of positions whose hashes are equal in one of the pieces, some at a time."""
    edges = np.linspace(0, BITS, pieces + 1).round().astype(int)
    for low, high in itertools.pairwise(edges.tolist()):
        mask = np.uint64((1 << (high - low)) - 1)
        of_references = (references >> np.uint64(low)) & mask
        order = np.argsort(of_references, kind="stable")
        of_queries = (queries >> np.uint64(low)) & mask
        ordered = of_references[order]
        starts, ends = (np.searchsorted(ordered, of_queries, side) for side in ("left", "right"))
        counts = ends - starts
        for some in _blocks(counts):
            left = np.repeat(np.arange(some.start, some.stop), counts[some])
            offset = np.arange(len(left)) - np.repeat(
                np.cumsum(counts[some]) - counts[some], counts[some]
            )
            if len(left):
                yield left, order[starts[left] + offset]


def _blocks(counts: np.ndarray) -> Iterator[slice]:
    """Consecutive slices whose counts sum up to about PAIRS_AT_ONCE, of one element at least."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        taken = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, taken + PAIRS_AT_ONCE, "right")))
        yield slice(start, stop)
        start = stop


# How similar the pictures of two near hashes must be, and how much detail a hash must have;
# measured on photographs, see docs/leak.md.
BRIGHTNESS_TOLERANCE = 16.0  # grey levels of 255
CONTRAST_TOLERANCE = 0.25  # of the larger one
LEAST_ROW_BITS = 8  # bits of 56
ROW_BITS = np.uint64(8)  # of a difference hash
LOWER_ROWS = np.uint64(2**56 - 1)

Pairs = tuple[np.ndarray, np.ndarray]
"""Positions in two tables, int, of equal shape."""


def similar_pairs(first: pd.DataFrame, second: pd.DataFrame, distance: int) -> Iterator[Pairs]:
    """Pairs of near-duplicates, one of each table, in blocks.

    Their perceptual hashes differ in `distance` bits at most, their brightness in
    BRIGHTNESS_TOLERANCE and their contrast in the share CONTRAST_TOLERANCE at most. Where the 8
    rows of a hash are nearly the same (LEAST_ROW_BITS), as in those of plain surfaces, of a sun
    above the sea or of a frame that is black from some row on, it has too little detail: such
    pictures are near to no other. A pair may come more than once, in one table also turned round,
    or of a picture with itself. first, second: of an index.
    """
    sides = [parsed_hashes(table["perceptual_hash"]) for table in (first, second)]
    places, other_places = (np.flatnonzero(are_informative(hashes)) for hashes in sides)
    hashes, other_hashes = sides[0][places], sides[1][other_places]
    for left, right in hash_pairs(hashes, other_hashes, distance):
        left, right = places[left], other_places[right]
        near = similar(first, second, left, right)
        if near.any():
            yield left[near], right[near]


def are_informative(hashes: np.ndarray) -> np.ndarray:
    """Which difference hashes (uint64) have enough detail: LEAST_ROW_BITS of 56 bits differ."""
    return np.bitwise_count((hashes ^ (hashes >> ROW_BITS)) & LOWER_ROWS) >= LEAST_ROW_BITS


def similar(
    first: pd.DataFrame, second: pd.DataFrame, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Which pairs of positions have similar brightness and contrast: bool, shape (pairs,)."""
    (brightness, other_brightness), (contrast, other_contrast) = (
        (first[name].to_numpy()[left], second[name].to_numpy()[right])
        for name in ("brightness", "contrast")
    )
    more = np.maximum(contrast, other_contrast)
    return (np.abs(brightness - other_brightness) <= BRIGHTNESS_TOLERANCE) & (
        np.abs(contrast - other_contrast) <= CONTRAST_TOLERANCE * more
    )


# From 3 bits on, different signs of one kind (30 and 50) are taken for the same; see docs/data.md.
NEAR_DISTANCE = 2  # bits of 64
RANKS = (NEAR_CONTRADICTION, NEAR_TEST, NEAR)


def near_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Records that look like another one but are not identical with it, each with one of them.

    Two pictures are near if they are a pair of `similar_pairs` within NEAR_DISTANCE. Of a pair the
    one in the training part is listed, or else the later one. Of several others that are near it,
    one in another class comes first, then one in the test part, then the nearest. Pairs of one
    group, class and part are left out: similar pictures are expected in a group. Of pictures with
    the same hash, class and part only the first is compared with the rest.

    table: an index. Returns columns record, other_record, finding and detail, the findings of
    most interest and the nearest first.
    """
    table = table[~table.duplicated(["pixel_hash", "class_name", "part"])]
    table = table.assign(hash=parsed_hashes(table["perceptual_hash"]))
    table = table[are_informative(table["hash"].to_numpy())]
    place = ["hash", "class_name", "part"]
    first = table.groupby(place, sort=False)["record"].transform("min")
    kept, repeated = table[first == table["record"]], table[first != table["record"]]
    found = [
        _near_pairs(kept.iloc[left[left < right]], kept.iloc[right[left < right]])
        for left, right in similar_pairs(kept, kept, NEAR_DISTANCE)
    ]
    firsts = kept.set_index("record", drop=False).loc[first[repeated.index]]
    place = np.arange(len(repeated))
    near = similar(firsts, repeated, place, place)
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
    detail = [f"{bits} of {BITS} bits differ" for bits in pairs["bits"]]
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
