"""Pictures that look the same: their perceptual hashes find them, their thumbnails confirm it."""

import base64
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:  # takes longer than all else that a process needs to check pictures
    import pandas as pd

THUMBNAIL_SIDE = 12  # pixels
THUMBNAIL_CHARACTERS = b"._"  # for + and /: a spreadsheet takes a cell with + for a formula
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


# Measured on photographs, see docs/leak.md.
CONTRAST_RATIO = 0.6  # of the lower to the higher contrast: exposed 20 % less and 20 % more
SIMILAR = 0.92  # aligned correlation of two pictures that are near-duplicates
SAME_PICTURE = 0.99  # of copies of one picture
ALIGNABLE = 0.7  # plain correlation; no small shift makes a near-duplicate of less
LEAST_ROW_BITS = 8  # bits of 56
ROW_BITS = np.uint64(8)  # of a difference hash
LOWER_ROWS = np.uint64(2**56 - 1)
COMPARED_AT_ONCE = 2**14  # pairs of thumbnails

Pairs = tuple[np.ndarray, np.ndarray]
"""Positions in two tables, int, of equal shape."""


class Appearance(NamedTuple):
    """What is compared of the pictures of an index, one row each."""

    hashes: np.ndarray  # uint64, shape (pictures,)
    contrast: np.ndarray  # float64, shape (pictures,)
    thumbnails: np.ndarray  # uint8, shape (pictures, 12, 12)


def appearance(table: "pd.DataFrame") -> Appearance:
    """The columns perceptual_hash, contrast and thumbnail of an index."""
    data = base64.b64decode("".join(table["thumbnail"]), THUMBNAIL_CHARACTERS)
    return Appearance(
        parsed_hashes(table["perceptual_hash"]),
        table["contrast"].to_numpy(float),
        np.frombuffer(data, np.uint8).reshape(-1, THUMBNAIL_SIDE, THUMBNAIL_SIDE),
    )


def similar_pairs(first: Appearance, second: Appearance, distance: int) -> Iterator[Pairs]:
    """Pairs of near-duplicates, one of each table, in blocks.

    Their perceptual hashes differ in `distance` bits at most, and they are `similar`. Where the 8
    rows of a hash are nearly the same (LEAST_ROW_BITS), as in those of plain surfaces, of a sun
    above the sea or of a frame that is black from some row on, it has too little detail: such
    pictures are near to no other. A pair may come more than once, in one table also turned round,
    or of a picture with itself.
    """
    for left, right in hash_pairs_of_detail(first.hashes, second.hashes, distance):
        near = similar(first, second, left, right)
        if near.any():
            yield left[near], right[near]


def hash_pairs_of_detail(
    queries: np.ndarray, references: np.ndarray, distance: int
) -> Iterator[Pairs]:
    """As hash_pairs, without the hashes that have too little detail."""
    places, other_places = (np.flatnonzero(are_informative(h)) for h in (queries, references))
    for left, right in hash_pairs(queries[places], references[other_places], distance):
        yield places[left], other_places[right]


def are_informative(hashes: np.ndarray) -> np.ndarray:
    """Which difference hashes (uint64) have enough detail: LEAST_ROW_BITS of 56 bits differ."""
    return np.bitwise_count((hashes ^ (hashes >> ROW_BITS)) & LOWER_ROWS) >= LEAST_ROW_BITS


def similar(
    first: Appearance,
    second: Appearance,
    left: np.ndarray,
    right: np.ndarray,
    least: float = SIMILAR,
) -> np.ndarray:
    """Which pairs of positions have similar contrast and thumbnails: bool, shape (pairs,).

    The lower contrast is CONTRAST_RATIO of the higher one at least, and the `correlation` of the
    thumbnails, aligned where that helps, is `least` at least.
    """
    contrasts = first.contrast[left], second.contrast[right]
    near = np.minimum(*contrasts) >= CONTRAST_RATIO * np.maximum(*contrasts)
    confirmed = [
        _are_correlated(first.thumbnails[some], second.thumbnails[others], least)
        for some, others in _chunks(left[near], right[near])
    ]
    near[near] = np.concatenate([np.empty(0, bool), *confirmed])
    return near


def _are_correlated(first: np.ndarray, second: np.ndarray, least: float) -> np.ndarray:
    first, second = _centred(first), _centred(second)
    value = _plain_correlation(first, second)
    near = value >= least
    unsure = ~near & (value >= ALIGNABLE)
    near[unsure] = aligned_correlation(first[unsure], second[unsure]) >= least
    return near


def correlations(
    first: Appearance, second: Appearance, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """The aligned correlation of pairs of positions: float64, shape (pairs,)."""
    values = [
        aligned_correlation(first.thumbnails[some], second.thumbnails[others])
        for some, others in _chunks(left, right)
    ]
    return np.concatenate([np.empty(0), *values])


def _chunks(left: np.ndarray, right: np.ndarray) -> Iterator[Pairs]:
    for start in range(0, len(left), COMPARED_AT_ONCE):
        some = slice(start, start + COMPARED_AT_ONCE)
        yield left[some], right[some]


def aligned_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation of two pictures of which one may be shifted or scaled a little.

    The multiple correlation of one picture with the other and with its derivatives by a shift in x
    and in y and by a change of scale: one step of registration by least squares (Lucas & Kanade
    1981, An Iterative Image Registration Technique). Gain and offset, as of another exposure, do
    not matter. Both ways round, the lower value: 0 to 1, shape (pairs,).

    first, second: float, shape (pairs, side, side).
    """
    first, second = _centred(first), _centred(second)
    both = _explained(first, second), _explained(second, first)
    return np.sqrt(np.clip(np.minimum(*both), 0, 1))


def _explained(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Share of the variance of `second` that a shifted and scaled `first` explains."""
    down, across = np.gradient(first, axis=(1, 2))
    place = np.linspace(-1, 1, first.shape[1])
    grown = across * place + down * place[:, None]
    sources = np.stack([_flat(_centred(s)) for s in (first, across, down, grown)], axis=1)
    target = _flat(second)[..., None]
    # A little on the diagonal, for pictures without derivatives in some direction.
    squares = sources @ sources.transpose(0, 2, 1) + 1e-3 * np.eye(4)
    products = sources @ target
    weights = np.linalg.solve(squares, products)
    return (weights * products).sum((1, 2)) / np.maximum((target**2).sum((1, 2)), 1e-3)


def _plain_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Pearson's correlation of centred pictures, 0 where one is uniform."""
    first, second = _flat(first), _flat(second)
    products, *squares = (
        np.einsum("pi,pi->p", a, b) for a, b in ((first, second), (first, first), (second, second))
    )
    return products / np.maximum(np.sqrt(squares[0] * squares[1]), 1e-3)


def _centred(pictures: np.ndarray) -> np.ndarray:
    return pictures - pictures.mean((1, 2), keepdims=True, dtype=np.float32)


def _flat(pictures: np.ndarray) -> np.ndarray:
    return pictures.reshape(len(pictures), pictures.shape[1] * pictures.shape[2])
