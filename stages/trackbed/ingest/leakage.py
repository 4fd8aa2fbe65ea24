"""What training images have in common with the images that a model is judged on."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.ingest import neighbours

GROUP, IDENTICAL, NEAR = "shared group", "identical file", "near neighbour"


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

    table: as index.assigned gives it. Identical: the same bytes (and box). Near: perceptual
    hashes that differ in `distance` bits or fewer, and not identical. Group: the same group.
    """
    parts = sides(table, fold)
    pairs = (("training", "validation"), ("training", "test"), ("validation", "test"))
    return [
        Leak(kind, first, second, len(found), len(parts[second]), found[:examples])
        for first, second in pairs
        for kind, found in _found(parts[first], parts[second], distance).items()
    ]


def groups_known(table: pd.DataFrame) -> bool:
    """Whether any two images are said to belong together."""
    return not table["group"].is_unique


def _found(
    training: pd.DataFrame, judged: pd.DataFrame, distance: int
) -> dict[str, list[tuple[str, str]]]:
    """Kind -> pairs of file names, in the order of the judged images."""
    matched = {
        GROUP: _first_equal(judged["group"], training["group"]),
        IDENTICAL: _first_equal(judged["sha256"], training["sha256"]),
    }
    hashes = (neighbours.hashes(side["perceptual_hash"]) for side in (judged, training))
    near, _ = neighbours.nearest(*hashes, distance)
    matched[NEAR] = np.where(matched[IDENTICAL] == neighbours.NONE, near, neighbours.NONE)
    names = training["filename"].to_numpy()
    return {
        kind: [
            (name, names[place])
            for name, place in zip(judged["filename"], places, strict=True)
            if place != neighbours.NONE
        ]
        for kind, places in matched.items()
    }


def _first_equal(wanted: pd.Series, among: pd.Series) -> np.ndarray:
    """For every value the position of the first equal one, -1 where there is none."""
    first = among.reset_index(drop=True).drop_duplicates()
    position = pd.Series(first.index, index=first.to_numpy())
    return wanted.map(position).fillna(neighbours.NONE).to_numpy(int)
