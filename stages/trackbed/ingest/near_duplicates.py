"""Pictures that are almost the same as another: saved anew, scaled, edited, or a moment later."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from trackbed.ingest import neighbours
from trackbed.ingest.kinds import NEAR, NEAR_CONTRADICTION, NEAR_TEST

# The limits were set by looking at all pairs of 5,165 scenes, 2,177 track beds and 8,880 signs.
# From 3 bits on, different signs of one kind (30 and 50) are taken for the same.
DISTANCE = 2  # bits of 64
# Of the pairs of scenes within 4 bits all with 24 changes or more show the same, all with 18 or
# fewer do not, and none lies between.
CHANGES = 20  # of 112
BRIGHTNESS = 32  # grey values between the means
CONTRAST = 2  # times the other's
RANKS = (NEAR_CONTRADICTION, NEAR_TEST, NEAR)


def near_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Records that look like another one but are not identical with it, each with one of them.

    Two pictures are near if their perceptual hashes differ in DISTANCE bits or fewer, both hashes
    are `structured`, their mean grey values are BRIGHTNESS or less apart and neither has more
    than CONTRAST times the contrast of the other. Of a pair the one in the training part is
    listed, or else the later one. Of several others that are near it, one in another class comes
    first, then one in the test part, then the nearest. Pairs of one group, class and part are
    left out: that they look alike is why they are a group. Of pictures with the same hash, class
    and part only the first is compared with the rest.

    table: an index. Returns columns record, other_record, finding and detail, the findings of
    most interest and the nearest first.
    """
    table = table[~table.duplicated(["pixel_hash", "class_name", "part"])]
    table = table.assign(hash=neighbours.hashes(table["perceptual_hash"]))
    table = table[structured(table["hash"].to_numpy())]
    place = ["hash", "class_name", "part"]
    first = table.groupby(place, sort=False)["record"].transform("min")
    kept, repeated = table[first == table["record"]], table[first != table["record"]]
    found = [
        _judged(kept.iloc[left], kept.iloc[right])
        for left, right in _pairs(kept["hash"].to_numpy())
    ]
    firsts = kept.set_index("record", drop=False).loc[first[repeated.index]]
    return _told(pd.concat([*found, _judged(firsts, repeated)]))


def structured(hashes: np.ndarray) -> np.ndarray:
    """Whether a difference hash tells pictures apart: bool, of the shape of the hashes (uint64).

    The hash of a plain or evenly shaded picture has few changes from a bit to the one beside or
    below it, so that many pictures share it; noise has 56 of 112 on average.
    """
    bits = np.unpackbits(np.asarray(hashes, ">u8")[:, None].view(np.uint8), axis=1)
    bits = bits.reshape(-1, 8, 8).astype(np.int8)
    changes = sum(np.abs(np.diff(bits, axis=axis)).sum((1, 2), int) for axis in (1, 2))
    return changes >= CHANGES


def _pairs(hashes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of all pairs within DISTANCE, left before right, some at a time; with repeats."""
    for left, right in neighbours._candidates(hashes, hashes, DISTANCE + 1):
        near = np.bitwise_count(hashes[left] ^ hashes[right]) <= DISTANCE
        near &= left < right
        yield left[near], right[near]


def _judged(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """The pairs of rows that count: columns record, other_record, rank and bits."""

    def both(column: str) -> tuple[np.ndarray, np.ndarray]:
        return left[column].to_numpy(), right[column].to_numpy()

    def differ(column: str) -> np.ndarray:
        return np.not_equal(*both(column))

    classes = differ("class_name")
    tested, too = (part == "test" for part in both("part"))
    contrasts = np.sort(both("contrast"), axis=0)
    counts = classes | (tested != too) | differ("group")
    counts &= np.abs(np.subtract(*both("brightness"))) <= BRIGHTNESS
    counts &= contrasts[1] <= CONTRAST * contrasts[0]
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
