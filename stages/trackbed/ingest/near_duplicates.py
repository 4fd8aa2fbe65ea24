"""Pictures that are almost the same as another: saved anew, scaled, edited, or a moment later."""

import numpy as np
import pandas as pd

from trackbed.ingest import alike, neighbours
from trackbed.ingest.kinds import NEAR, NEAR_CONTRADICTION, NEAR_TEST

# From 3 bits on, different signs of one kind (30 and 50) are taken for the same; see docs/data.md.
DISTANCE = 2  # bits of 64
RANKS = (NEAR_CONTRADICTION, NEAR_TEST, NEAR)


def near_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Records that look like another one but are not identical with it, each with one of them.

    Two pictures are near if they are a pair of `alike.pairs` within DISTANCE. Of a pair the one in
    the training part is listed, or else the later one. Of several others that are near it, one in
    another class comes first, then one in the test part, then the nearest. Pairs of one group,
    class and part are left out: that they look alike is why they are a group. Of pictures with the
    same hash, class and part only the first is compared with the rest.

    table: an index. Returns columns record, other_record, finding and detail, the findings of
    most interest and the nearest first.
    """
    table = table[~table.duplicated(["pixel_hash", "class_name", "part"])]
    table = table.assign(hash=neighbours.hashes(table["perceptual_hash"]))
    table = table[alike.telling(table["hash"].to_numpy())]
    place = ["hash", "class_name", "part"]
    first = table.groupby(place, sort=False)["record"].transform("min")
    kept, repeated = table[first == table["record"]], table[first != table["record"]]
    found = [
        _judged(kept.iloc[left[left < right]], kept.iloc[right[left < right]])
        for left, right in alike.pairs(kept, kept, DISTANCE)
    ]
    firsts = kept.set_index("record", drop=False).loc[first[repeated.index]]
    place = np.arange(len(repeated))
    near = alike.similar(firsts, repeated, place, place)
    return _told(pd.concat([*found, _judged(firsts[near], repeated[near])]))


def _judged(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
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


def _told(pairs: pd.DataFrame) -> pd.DataFrame:
    """Of every record the pair of most interest, in words."""
    pairs = pairs.sort_values(["rank", "bits", "record", "other_record"])
    pairs = pairs.drop_duplicates("record").reset_index(drop=True)
    detail = [f"{bits} of {neighbours.BITS} bits differ" for bits in pairs["bits"]]
    finding = [RANKS[rank] for rank in pairs["rank"]]
    return pairs[["record", "other_record"]].assign(finding=finding, detail=detail)
