import numpy as np
import pytest

from trackbed.ingest import neighbours


def brute_force(queries, references, distance):
    """Compares everything with everything."""
    return {
        (place, other)
        for place, query in enumerate(queries)
        for other, reference in enumerate(references)
        if bin(int(query) ^ int(reference)).count("1") <= distance
    }


def found(queries, references, distance):
    blocks = list(neighbours.pairs(queries, references, distance))
    return {pair for left, right in blocks for pair in zip(left, right, strict=True)}


def test_by_hand():
    references = neighbours.hashes(["00000000000000ff", "0000000000000000", "ffffffffffffffff"])
    queries = neighbours.hashes(["0000000000000001", "000000000000007f", "00000000ffffffff"])
    assert found(queries, references, 3) == {(0, 1), (1, 0)}


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
    references = np.concatenate([references, references[:7]])
    expected = brute_force(queries, references, distance)
    assert expected
    assert found(queries, references, distance) == expected
    assert found(references, references, distance) == brute_force(references, references, distance)


def test_no_reference_or_no_query():
    none = np.array([], np.uint64)
    assert not found(none, np.array([1], np.uint64), 4)
    assert not found(np.array([1], np.uint64), none, 4)


def test_another_distance_is_refused():
    with pytest.raises(ValueError, match="0 to 63"):
        found(np.array([1], np.uint64), np.array([1], np.uint64), 64)
