"""Join groups whose pictures are the same, look alike, or follow one another."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trackbed.dataset import similarity
from trackbed.dataset.schema import TEST, VALIDATION
from trackbed.dataset.similarity import Appearance, Pairs
from trackbed.pipeline.index import JOINS_TABLE

SAME_PIXELS, NEAR, NEIGHBOUR = "same pixels", "near-duplicate", "neighbour in name order"
# Grey values, standard deviation; equal pixels of less are a surface of one grey, and no evidence.
LEAST_CONTRAST = 2
# Hubs that are compared with the rest at first, then twice as many, and so on: what the first ones
# take, those with the most candidates, need not be compared with one another.
FIRST_HUBS = 16


@dataclass(frozen=True)
class Pictures:
    """The pictures of an index by position, with what decides on joins."""

    looks: Appearance
    place: np.ndarray  # class and official part as a number: pictures of one place may be joined
    named: np.ndarray  # bool: whether its unit holds a group that came with several pictures
    unit: np.ndarray  # what is joined as a whole: 0 .. units - 1


def join_groups(
    table: pd.DataFrame, near: int | None, consecutive: int | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The index with joined groups in `group`, and the joins as in index.JOINS_TABLE.

    The groups that the index came with are in `named_group`. Joined are, in this order,

    - neighbours in name order whose hashes differ in `consecutive` bits at most, if both are
      alone in their groups,
    - pictures with the same pixels, unless they are uniform,
    - near-duplicates of one class in two groups that came with several pictures. These groups are
      evidence against a join: the correlation must be SAME_PICTURE at least,
    - other near-duplicates of one class (similarity.similar_pairs, `near` bits).

    Near-duplicates do not chain: of the units that are joined in one of the last two steps one is
    the hub, the one with the most candidates, and all others have a near-duplicate in it. So two
    single pictures of a group differ in twice `near` bits at most.
    None: no such joining; without `near` no pixels are compared, either. Pictures of the official
    test part, and of the official validation part, are joined to one another alone. A joined group
    has the first name of its groups in alphabetical order. The result does not depend on the order
    of the rows.
    """
    ordered = table.sort_values(["filename", "record"]).reset_index(drop=True)
    code, names = pd.factorize(ordered["group"], sort=True)
    pictures = Pictures(
        looks=similarity.appearance(ordered),
        place=ordered.groupby(["class_name", _sides(ordered)]).ngroup().to_numpy(),
        named=np.bincount(code)[code] > 1,
        unit=code,
    )
    joins = []
    if consecutive is not None:
        joins.append((NEIGHBOUR, _neighbours(ordered, pictures, consecutive)))
    if near is not None:
        joins.append((SAME_PIXELS, _same_pixels(ordered)))
        for between_named in (True, False):
            units = _components(code, [pairs for _, pairs in joins])
            named = np.bincount(units, pictures.named)[units] > 0
            pictures = Pictures(pictures.looks, pictures.place, named, units)
            joins.append((NEAR, _near_duplicates(pictures, near, between_named)))
    label = _components(code, [pairs for _, pairs in joins])
    first = pd.Series(code).groupby(label).min().to_numpy()
    group = pd.Series(np.asarray(names)[first[label]], ordered["record"])
    result = table.assign(named_group=table["group"], group=table["record"].map(group))
    return result, _stated(ordered.assign(joined=group.to_numpy()), pictures.looks, joins)


def _sides(table: pd.DataFrame) -> pd.Series:
    """A number per record: 2 in the official test part, 1 in the official validation part, or 0."""
    return table["part"].map({VALIDATION: 1, TEST: 2}).fillna(0).astype(int)


def _components(unit: np.ndarray, joins: list[Pairs]) -> np.ndarray:
    """The number of the joined unit of every picture."""
    left, right = _together(joins)
    shape = (unit.max(initial=-1) + 1,) * 2
    graph = coo_array((np.ones(len(left), bool), (unit[left], unit[right])), shape)
    return connected_components(graph, directed=False)[1][unit]


def _stated(table: pd.DataFrame, looks: Appearance, joins: list[tuple[str, Pairs]]) -> pd.DataFrame:
    """The joins by file names, columns of JOINS_TABLE. table: with the joined group."""
    stated = [JOINS_TABLE.rows([])]
    for reason, (left, right) in joins:
        own, other = table.iloc[left], table.iloc[right]
        bits = np.bitwise_count(looks.hashes[left] ^ looks.hashes[right])
        values = {
            "group": own["joined"].to_numpy(),
            "filename": own["filename"].to_numpy(),
            "named_group": own["group"].to_numpy(),
            "other": other["filename"].to_numpy(),
            "other_named_group": other["group"].to_numpy(),
            "reason": reason,
            "bits": bits.astype(int),
            "correlation": similarity.correlations(looks, looks, left, right).round(3),
        }
        rows = pd.DataFrame(values)
        stated.append(rows[rows["named_group"] != rows["other_named_group"]])
    order = ["group", "filename", "other", "reason"]
    return JOINS_TABLE.rows(pd.concat(stated).sort_values(order, ignore_index=True))


def summary(joins: pd.DataFrame) -> str:
    """How many groups were joined, and why, in a line. joins: see join_groups."""
    if joins.empty:
        return "No groups were joined"
    members = pd.concat([joins["named_group"], joins["other_named_group"]]).nunique()
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in joins["reason"].value_counts().items())
    into = joins["group"].nunique()
    return (
        f"{members:,} groups were joined into {into:,} ({reasons}); all joins are in "
        "data/groups/joins.csv"
    )


def _same_pixels(table: pd.DataFrame) -> Pairs:
    """Every picture and the first one of the same pixels and part, if it is not uniform."""
    table = table[table["contrast"] >= LEAST_CONTRAST]
    place = [table["pixel_hash"], _sides(table)]
    first = pd.Series(table.index, table.index).groupby(place).transform("min").to_numpy(int)
    later = table.index.to_numpy() != first
    return table.index.to_numpy()[later], first[later]


def _neighbours(table: pd.DataFrame, pictures: Pictures, distance: int) -> Pairs:
    """Similar pictures of one class and part whose names follow one another.

    Numbers in names are compared as numbers. Their hashes differ in `distance` bits at most and
    have enough detail, and both are alone in their groups.
    """
    keys = [
        (place, _natural_key(name), number)
        for number, (place, name) in enumerate(
            zip(pictures.place.tolist(), table["filename"], strict=True)
        )
    ]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=int)
    left, right = order[1:], order[:-1]
    hashes = pictures.looks.hashes
    near = np.bitwise_count(hashes[left] ^ hashes[right]) <= distance
    near &= pictures.place[left] == pictures.place[right]
    usable = similarity.are_informative(hashes) & ~pictures.named
    near &= usable[left] & usable[right]
    return left[near], right[near]


def _natural_key(name: str) -> list[str | int]:
    pieces = re.split("([0-9]+)", name)
    return [int(piece) if number % 2 else piece for number, piece in enumerate(pieces)]


def _near_duplicates(pictures: Pictures, distance: int, between_named: bool) -> Pairs:
    """A near-duplicate in its hub for every unit that joins one, as pairs of pictures.

    Hubs are, one after another, the units with named groups and then the others, those with the
    most candidates first. Each takes all units that are still free and have a near-duplicate in it.
    between_named: join two units with named groups, or else at most one such unit with others.
    """
    candidates = _candidates(pictures, distance, between_named)
    rivals = np.flatnonzero(candidates)  # pictures that are compared
    of_unit = np.bincount(pictures.unit, candidates)
    named = np.bincount(pictures.unit, pictures.named) > 0
    order = np.lexsort((-of_unit, ~named))
    order = order[of_unit[order] > 0]
    rank = np.full(len(of_unit), len(order))
    rank[order] = np.arange(len(order))
    free = rank < len(order)
    found: list[Pairs] = []
    start, count = 0, FIRST_HUBS
    while start < len(order):
        hubs = order[start : start + count]
        rivals = rivals[free[pictures.unit[rivals]]]
        queries = rivals[np.isin(pictures.unit[rivals], hubs)]  # of those hubs that are free
        links = _links(pictures, queries, rivals, distance, between_named)
        found += _taken(pictures.unit, rank, free, *links)
        free[hubs] = False
        start, count = start + count, 2 * count
    return _together(found)


def _together(blocks: list[Pairs]) -> Pairs:
    left, right = (np.concatenate([np.empty(0, int), *(b[n] for b in blocks)]) for n in (0, 1))
    return left, right


def _candidates(pictures: Pictures, distance: int, between_named: bool) -> np.ndarray:
    """How often the hash of a picture is near one that it may be joined with."""
    counts = np.zeros(len(pictures.unit), int)
    chosen = np.flatnonzero(pictures.named == between_named)
    others = chosen if between_named else np.arange(len(counts))
    hashes = pictures.looks.hashes
    for left, right in similarity.hash_pairs_of_detail(hashes[chosen], hashes[others], distance):
        left, right = chosen[left], others[right]
        allowed = _may_join(pictures, left, right, between_named)
        counts += np.bincount(left[allowed], minlength=len(counts))
        allowed &= pictures.named[right] != between_named  # does not come the other way round
        counts += np.bincount(right[allowed], minlength=len(counts))
    return counts


def _may_join(
    pictures: Pictures, left: np.ndarray, right: np.ndarray, between_named: bool
) -> np.ndarray:
    allowed = pictures.place[left] == pictures.place[right]
    allowed &= pictures.unit[left] != pictures.unit[right]
    return allowed & ((pictures.named[left] & pictures.named[right]) == between_named)


def _links(
    pictures: Pictures,
    queries: np.ndarray,
    references: np.ndarray,
    distance: int,
    between_named: bool,
) -> Pairs:
    """Pairs of near-duplicates that may be joined, the nearest first."""
    looks = pictures.looks
    least = similarity.SAME_PICTURE if between_named else similarity.SIMILAR
    hashes, found = looks.hashes, []
    for left, right in similarity.hash_pairs(hashes[queries], hashes[references], distance):
        left, right = queries[left], references[right]
        allowed = _may_join(pictures, left, right, between_named)
        left, right = left[allowed], right[allowed]
        near = similarity.similar(looks, looks, left, right, least)
        found.append((left[near], right[near]))
    left, right = _together(found)
    turn = np.lexsort((left, right, np.bitwise_count(hashes[left] ^ hashes[right])))
    return left[turn], right[turn]


def _taken(
    unit: np.ndarray, rank: np.ndarray, free: np.ndarray, hub: np.ndarray, member: np.ndarray
) -> Iterator[Pairs]:
    """For every unit that a hub takes a pair of pictures, the member first; marks both as taken."""
    turn = np.argsort(rank[unit[hub]], kind="stable")
    hub, member = hub[turn], member[turn]
    starts = np.flatnonzero(np.diff(unit[hub], prepend=-1))
    for start, stop in itertools.pairwise([*starts.tolist(), len(hub)]):
        number = unit[hub[start]]
        if not free[number]:
            continue
        free[number] = False
        units, first = np.unique(unit[member[start:stop]], return_index=True)
        first = first[free[units]] + start
        free[units] = False
        yield member[first], hub[first]
