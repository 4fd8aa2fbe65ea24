"""Pictures that look alike, found by their perceptual hashes without comparing all pairs."""

import itertools
from collections.abc import Iterator

import numpy as np

BITS = 64
# Pairs that are compared at a time, for flat memory: 16 bytes each.
PAIRS = 2**22


def hashes(column: "np.typing.ArrayLike") -> np.ndarray:
    """The column `perceptual_hash` of an index (16 hexadecimal digits) as uint64."""
    return np.array([int(text, 16) for text in column], dtype=np.uint64)


def pairs(
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
    """Consecutive slices whose counts sum up to about PAIRS, of one element at least."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        taken = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, taken + PAIRS, "right")))
        yield slice(start, stop)
        start = stop
