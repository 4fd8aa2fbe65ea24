"""What training images have in common with the images that a model is judged on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.ingest import alike

GROUP, IDENTICAL, NEAR = "shared group", "identical pixels", "near duplicate"
NONE = -1


@dataclass(frozen=True)
class Leak:
    """How many images of one side have something in common with the other, with examples.

    examples: pairs of file names, the judged image first.
    """

    kind: str  # GROUP, IDENTICAL or NEAR
    training: str  # the side that was learned from
    judged: str  # the side that is judged, of `of` images
    images: int
    of: int
    examples: list[tuple[str, str]]


def sides(table: pd.DataFrame, fold: int) -> dict[str, pd.DataFrame]:
    """The assigned index as training, validation (one fold) and test."""
    training = table["part"] == "train"
    held_out = table["fold"] == fold
    return {
        "training": table[training & ~held_out],
        "validation": table[training & held_out],
        "test": table[table["part"] == "test"],
    }


def leaks(table: pd.DataFrame, fold: int, distance: int, examples: int = 3) -> list[Leak]:
    """All kinds of leaks between the sides of a fold; those of no image are listed too.

    table: as index.assigned gives it. Identical: the same pixels. Near: see alike.pairs, and
    not identical. Group: the same group.
    """
    parts = sides(table, fold)
    pairs = (("training", "validation"), ("training", "test"), ("validation", "test"))
    return [
        Leak(kind, first, second, len(found), len(parts[second]), found[:examples])
        for first, second in pairs
        for kind, found in _found(parts[first], parts[second], distance).items()
    ]


def groups_known(table: pd.DataFrame) -> bool:
    """Whether the source, or data.group, says of any two images that they belong together."""
    return not table["named_group"].is_unique


def _found(
    training: pd.DataFrame, judged: pd.DataFrame, distance: int
) -> dict[str, list[tuple[str, str]]]:
    """Kind -> pairs of file names, in the order of the judged images."""
    matched = {
        GROUP: _first_equal(judged["group"], training["group"]),
        IDENTICAL: _first_equal(judged["pixel_hash"], training["pixel_hash"]),
    }
    near = _first_near(judged, training, distance)
    matched[NEAR] = np.where(matched[IDENTICAL] == NONE, near, NONE)
    names = training["filename"].to_numpy()
    return {
        kind: [
            (name, names[place])
            for name, place in zip(judged["filename"], places, strict=True)
            if place != NONE
        ]
        for kind, places in matched.items()
    }


def _first_near(judged: pd.DataFrame, training: pd.DataFrame, distance: int) -> np.ndarray:
    """For every judged image the position of the first near-duplicate, -1 where there is none."""
    first = np.full(len(judged), len(training))
    for left, right in alike.pairs(judged, training, distance):
        np.minimum.at(first, left, right)
    return np.where(first < len(training), first, NONE)


def _first_equal(wanted: pd.Series, among: pd.Series) -> np.ndarray:
    """For every value the position of the first equal one, -1 where there is none."""
    first = among.reset_index(drop=True).drop_duplicates()
    position = pd.Series(first.index, index=first.to_numpy())
    return wanted.map(position).fillna(NONE).to_numpy(int)
