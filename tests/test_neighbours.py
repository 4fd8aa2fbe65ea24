import numpy as np
import pytest

from trackbed.ingest import neighbours


def brute_force(queries, references, distance):
    apart = np.array([[bin(int(q) ^ int(r)).count("1") for r in references] for q in queries])
    found, bits = apart.argmin(axis=1), apart.min(axis=1)
    return np.where(bits <= distance, found, -1), np.minimum(bits, distance + 1)


def test_by_hand():
    references = neighbours.hashes(["00000000000000ff", "0000000000000000", "ffffffffffffffff"])
    queries = neighbours.hashes(["0000000000000001", "000000000000007f", "00000000ffffffff"])
    found, bits = neighbours.nearest(queries, references, 3)
    assert found.tolist() == [1, 0, -1]
    assert bits.tolist() == [1, 1, 4]


@pytest.mark.parametrize("distance", [0, 1, 4, 16, 31])
def test_the_same_as_comparing_all_pairs(distance, monkeypatch):
    monkeypatch.setattr(neighbours, "PAIRS", 50)  # many small blocks
    random = np.random.default_rng(distance)
    references = random.integers(0, 2**63, 60, dtype=np.uint64)
    flips = np.bitwise_or.reduce(
        np.uint64(1) << random.integers(0, 64, (80, 8), dtype=np.uint64), axis=1
    )
    queries = references[random.integers(0, 60, 80)] ^ flips
    queries = np.concatenate([queries, references[:10], queries[:5]])
    references = np.concatenate([references, references[:7]])  # ties go to the first
    for found, expected in zip(
        neighbours.nearest(queries, references, distance),
        brute_force(queries, references, distance),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_no_reference_or_no_query():
    none = np.array([], np.uint64)
    assert neighbours.nearest(none, np.array([1], np.uint64), 4)[0].size == 0
    assert neighbours.nearest(np.array([1], np.uint64), none, 4)[0].tolist() == [-1]


def test_another_distance_is_refused():
    with pytest.raises(ValueError, match="0 to 63"):
        neighbours.nearest(np.array([1], np.uint64), np.array([1], np.uint64), 64)
