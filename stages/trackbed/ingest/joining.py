"""Groups that come from the pictures: those that look alike are joined before folds are drawn."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from trackbed.ingest import alike, neighbours


def join(table: pd.DataFrame, near: int | None, consecutive: int | None) -> pd.DataFrame:
    """The index with joined groups in `group`, and those it came with in `named_group`.

    Two groups become one where a picture of one is a near-duplicate of one of the other (`near`
    bits of their perceptual hashes, see `alike.pairs`), or its neighbour in name order (of one
    class, in `consecutive` bits); None: no such joining. Pictures of the official test part are
    joined to one another alone. A joined group has the first name of its groups in alphabetical
    order. The result does not depend on the order of the rows.
    """
    code, names = pd.factorize(table["group"], sort=True)
    testing = (table["part"] == "test").to_numpy()
    label = np.arange(len(names))
    for left, right in _links(table, near, consecutive):
        within = testing[left] == testing[right]
        label = _merged(label, code[left[within]], code[right[within]])
    first = pd.Series(np.arange(len(names))).groupby(label).min().to_numpy()
    return table.assign(group=np.asarray(names)[first[label[code]]], named_group=table["group"])


def counts(table: pd.DataFrame, near: int | None, consecutive: int | None) -> dict[str, int | None]:
    """What came of `join`, by name: whole numbers, None where nothing was compared.

    groups; joined_groups, those of several named groups; joined_images, in them; largest_group,
    its images; near_in_train_and_test, the images of the official test part with a near-duplicate
    on the other side; groups_known, 1 if any two images are said to belong together by their names
    or as neighbours, else 0.
    """
    members = table.groupby("group")["named_group"].agg(["count", "nunique"])
    joined = members[members["nunique"] > 1]
    known = consecutive is not None or not table["named_group"].is_unique
    return {
        "groups": len(members),
        "joined_groups": len(joined),
        "joined_images": int(joined["count"].sum()),
        "largest_group": int(members["count"].max()),
        "near_in_train_and_test": None if near is None else _near_across(table, near),
        "groups_known": int(known),
    }


def neighbours_in_name_order(table: pd.DataFrame, distance: int) -> Iterator[alike.Pairs]:
    """Pairs of pictures of one class and part whose names follow one another, and which look alike.

    Numbers in names are compared as numbers. Their hashes differ in `distance` bits at most.
    """
    keys = [
        (part == "test", class_name, _natural(filename), record)
        for part, class_name, filename, record in zip(
            table["part"], table["class_name"], table["filename"], table["record"], strict=True
        )
    ]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=int)
    left, right = order[:-1], order[1:]
    hashes = neighbours.hashes(table["perceptual_hash"])
    near = np.bitwise_count(hashes[left] ^ hashes[right]) <= distance
    near &= np.array([keys[a][:2] == keys[b][:2] for a, b in zip(left, right, strict=True)], bool)
    yield left[near], right[near]


def _links(table: pd.DataFrame, near: int | None, consecutive: int | None) -> Iterator[alike.Pairs]:
    if near is not None:
        yield from alike.pairs(table, table, near)
    if consecutive is not None:
        yield from neighbours_in_name_order(table, consecutive)


def _merged(label: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Labels of groups after some pairs of them became one; block by block, for flat memory."""
    ends = label[left], label[right]
    if (ends[0] == ends[1]).all():
        return label
    shape = (label.max() + 1,) * 2
    graph = coo_array((np.ones(len(left), dtype=bool), ends), shape)
    return connected_components(graph, directed=False)[1][label]


def _near_across(table: pd.DataFrame, distance: int) -> int:
    testing = table["part"] == "test"
    sides = table[testing], table[~testing]
    near = [tested for tested, _ in alike.pairs(*sides, distance)]
    return len(np.unique(np.concatenate(near))) if near else 0


def _natural(name: str) -> list[str | int]:
    pieces = re.split("([0-9]+)", name)
    return [int(piece) if number % 2 else piece for number, piece in enumerate(pieces)]
