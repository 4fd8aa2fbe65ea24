import numpy as np
import pandas as pd

from trackbed.ingest import alike

TELLING = 0xAA55AA55AA55AA55  # every row is the opposite of the one above


def table(*rows):
    """Rows of hash, brightness and contrast."""
    made = pd.DataFrame(rows, columns=["perceptual_hash", "brightness", "contrast"])
    return made.assign(perceptual_hash=[f"{number:016x}" for number in made["perceptual_hash"]])


def found(first, second, distance):
    blocks = alike.pairs(first, second, distance)
    return {pair for left, right in blocks for pair in zip(left, right, strict=True)}


def test_by_hand():
    first = table((TELLING, 100.0, 40.0), (TELLING ^ 0b111, 100.0, 40.0))
    second = table(
        (TELLING ^ 0b1, 100.0, 40.0),
        (TELLING ^ 0b1, 116.0, 40.0),
        (TELLING ^ 0b1, 117.0, 40.0),  # too bright
        (TELLING ^ 0b1, 100.0, 30.0),
        (TELLING ^ 0b1, 100.0, 29.0),  # too flat
    )
    assert found(first, second, 2) == {(a, b) for a in (0, 1) for b in (0, 1, 3)}
    assert found(first, second, 1) == {(0, 0), (0, 1), (0, 3)}


def test_a_hash_of_like_rows_says_nothing():
    like = 0xF0F0F0F0F0F0F0F0  # a sun above the sea
    rows = table((like, 100.0, 40.0), (0, 0.0, 0.0), (like ^ 0b1111, 100.0, 40.0))
    assert not found(rows, rows, 0)
    # Four bits of one row turned: four differ from the row above. In the middle: eight do.
    middle = table((like ^ 0x0F000000, 100.0, 40.0))
    assert found(middle, middle, 0) == {(0, 0)}


def test_the_same_as_comparing_all_pairs():
    random = np.random.default_rng(0)
    hashes = TELLING ^ random.integers(0, 2**63, 12, dtype=np.uint64)[random.integers(0, 12, 300)]
    for _ in range(3):
        hashes ^= np.uint64(1) << random.integers(0, 64, 300, dtype=np.uint64)
    rows = table(
        *zip(hashes, random.uniform(80, 120, 300), random.uniform(20, 40, 300), strict=True)
    )
    brightness, contrast = rows["brightness"].to_numpy(), rows["contrast"].to_numpy()
    bits = np.array([[bin(int(a) ^ int(b)).count("1") for b in hashes] for a in hashes])
    rows_apart = np.array(
        [
            sum(bin(a ^ b).count("1") for a, b in zip(t[1:], t[:-1], strict=True))
            for t in octets(hashes)
        ]
    )
    expected = (bits <= 4) & (np.abs(brightness[:, None] - brightness) <= 16)
    ratio = np.minimum(contrast[:, None], contrast) / np.maximum(contrast[:, None], contrast)
    expected &= (ratio >= 0.75) & (np.minimum(rows_apart[:, None], rows_apart) >= 8)
    assert found(rows, rows, 4) == set(zip(*np.nonzero(expected), strict=True))
    assert 300 < expected.sum() < (bits <= 4).sum()


def octets(hashes):
    return [int(number).to_bytes(8, "big") for number in hashes]
