import io

import numpy as np
import pandas as pd
import pytest
from indexes import THUMBNAIL, thumbnail
from PIL import Image, ImageEnhance

from trackbed.dataset import similarity
from trackbed.dataset.images import difference_hash, encoded_thumbnail, quality

INFORMATIVE = 0xAA55AA55AA55AA55  # every row is the opposite of the one above


def table(*rows):
    """Rows of hash and contrast; the thumbnails are equal."""
    made = pd.DataFrame(rows, columns=["perceptual_hash", "contrast"])
    hashes = [f"{number:016x}" for number in made["perceptual_hash"]]
    return made.assign(perceptual_hash=hashes, thumbnail=THUMBNAIL)


def found(first, second, distance):
    sides = similarity.appearance(first), similarity.appearance(second)
    blocks = similarity.similar_pairs(*sides, distance)
    return {pair for left, right in blocks for pair in zip(left, right, strict=True)}


def test_bits_and_contrast_by_hand():
    first = table((INFORMATIVE, 40.0), (INFORMATIVE ^ 0b111, 40.0))
    second = table(
        (INFORMATIVE ^ 0b1, 40.0),
        (INFORMATIVE ^ 0b1, 24.0),
        (INFORMATIVE ^ 0b1, 23.0),  # too flat
    )
    assert found(first, second, 2) == {(a, b) for a in (0, 1) for b in (0, 1)}
    assert found(first, second, 1) == {(0, 0), (0, 1)}


def test_a_hash_of_equal_rows_is_not_informative():
    like = 0xF0F0F0F0F0F0F0F0  # a sun above the sea
    rows = table((like, 40.0), (0, 0.0), (like ^ 0b1111, 40.0))
    assert not found(rows, rows, 0)
    # Four bits of one row turned: four differ from the row above. In the middle: eight do.
    middle = table((like ^ 0x0F000000, 40.0))
    assert found(middle, middle, 0) == {(0, 0)}


def test_equal_hashes_of_unlike_pictures_are_no_pair():
    random = np.random.default_rng(0)
    rows = table((INFORMATIVE, 40.0), (INFORMATIVE, 40.0), (INFORMATIVE, 40.0))
    pixels = random.integers(0, 200, (12, 12))
    rows["thumbnail"] = [
        thumbnail(some) for some in (pixels, random.integers(0, 256, (12, 12)), pixels + 50)
    ]
    assert found(rows, rows, 4) == {(0, 0), (1, 1), (2, 2), (0, 2), (2, 0)}


def scene(seed, side=160):
    """A picture with objects of several sizes and some noise."""
    random = np.random.default_rng(seed)
    values = np.zeros((side, side, 3))
    for cells in (3, 6, 12, 24):
        spots = Image.fromarray(random.integers(0, 256, (cells, cells, 3), np.uint8))
        values += np.asarray(spots.resize((side, side), Image.Resampling.BICUBIC)) / 4
    return Image.fromarray(values.astype(np.uint8))


def cropped(image, share):
    edge = round(share * image.width)
    return image.crop((edge, edge, image.width - edge, image.height - edge))


def saved(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def looks(*images):
    rows = []
    for image in images:
        grey = image.convert("L")
        row = {"perceptual_hash": difference_hash(grey), "thumbnail": encoded_thumbnail(grey)}
        rows.append(row | quality(grey)._asdict())
    return similarity.appearance(pd.DataFrame(rows))


COPIES = {
    "JPEG 30": lambda image: saved(image, 30),
    "half": lambda image: image.resize((80, 80)),
    "double": lambda image: image.resize((320, 320)),
    "2 % cropped": lambda image: cropped(image, 0.02),
    "4 % cropped": lambda image: cropped(image, 0.04),
    "20 % darker": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "20 % brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "several": lambda image: saved(cropped(image, 0.02).resize((120, 120)), 50),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_copies_are_similar_and_other_pictures_are_not(copy):
    scenes = [scene(seed) for seed in range(10)]
    originals, copies = looks(*scenes), looks(*map(copy, scenes))
    left, right = (places.ravel() for places in np.mgrid[:10, :10])
    near = similarity.similar(originals, copies, left, right)
    assert (near == (left == right)).all()


def test_a_dark_picture_keeps_its_detail():
    dark = scene(1).point(lambda value: value / 25)  # grey levels 0 to 10
    assert quality(dark.convert("L")).contrast < 2
    both = looks(scene(1), dark)
    assert similarity.correlations(both, both, np.array([0]), np.array([1]))[0] > 0.97


def test_a_shift_is_aligned_and_noise_is_not():
    pixels = np.asarray(scene(2, 24).convert("L"), float)
    first, second = pixels[None, 2:14, 2:14], pixels[None, 2:14, 3:15]
    plain = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    aligned = similarity.aligned_correlation(first, second)[0]
    assert plain < aligned <= 1
    noise = np.random.default_rng(0).normal(size=(2, 500, 12, 12))
    # Four sources explain 4 of 143 degrees of freedom of noise on average.
    assert (similarity.aligned_correlation(*noise) ** 2).mean() < 4 / 143


def test_uniform_thumbnails_and_no_pair():
    flat = np.full((1, 12, 12), 7.0)
    assert similarity.aligned_correlation(flat, flat)[0] == 0
    one = looks(scene(0))
    none = np.array([], int)
    assert similarity.similar(one, one, none, none).shape == (0,)
    assert similarity.correlations(one, one, none, none).shape == (0,)


@pytest.mark.parametrize("side", [1, 5, 8, 11, 12, 47, 97, 400])
def test_a_thumbnail_is_an_average_of_the_picture(side):
    ramp = np.tile(np.linspace(0, 255, side).astype(np.uint8), (side, 1))
    image = looks(Image.fromarray(ramp)).thumbnails[0].astype(float)
    assert image.shape == (12, 12)
    assert (np.ptp(image, axis=0) == 0).all()  # the rows are equal
    assert (np.diff(image[0]) >= 0).all()
    assert (image[0, 0], image[0, -1]) == ((0, 255) if side > 1 else (0, 0))


def test_the_same_as_comparing_all_pairs():
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**63, 12, dtype=np.uint64)[random.integers(0, 12, 300)]
    hashes ^= np.uint64(INFORMATIVE)
    for _ in range(3):
        hashes ^= np.uint64(1) << random.integers(0, 64, 300, dtype=np.uint64)
    rows = table(*zip(hashes, random.uniform(20, 50, 300), strict=True))
    contrast = rows["contrast"].to_numpy()
    bits = np.array([[bin(int(a) ^ int(b)).count("1") for b in hashes] for a in hashes])
    rows_apart = np.array(
        [
            sum(bin(a ^ b).count("1") for a, b in zip(t[1:], t[:-1], strict=True))
            for t in octets(hashes)
        ]
    )
    ratio = np.minimum(contrast[:, None], contrast) / np.maximum(contrast[:, None], contrast)
    expected = (bits <= 4) & (ratio >= 0.6)
    expected &= np.minimum(rows_apart[:, None], rows_apart) >= 8
    assert found(rows, rows, 4) == set(zip(*np.nonzero(expected), strict=True))
    assert 300 < expected.sum() < (bits <= 4).sum()


def octets(hashes):
    return [int(number).to_bytes(8, "big") for number in hashes]


def brute_force(queries, references, distance):
    """Compares everything with everything."""
    return {
        (place, other)
        for place, query in enumerate(queries)
        for other, reference in enumerate(references)
        if bin(int(query) ^ int(reference)).count("1") <= distance
    }


def found_of_neighbours(queries, references, distance):
    blocks = list(similarity.hash_pairs(queries, references, distance))
    return {pair for left, right in blocks for pair in zip(left, right, strict=True)}


def test_by_hand_of_neighbours():
    references = similarity.parsed_hashes(
        ["00000000000000ff", "0000000000000000", "ffffffffffffffff"]
    )
    queries = similarity.parsed_hashes(["0000000000000001", "000000000000007f", "00000000ffffffff"])
    assert found_of_neighbours(queries, references, 3) == {(0, 1), (1, 0)}


@pytest.mark.parametrize("distance", [0, 1, 4, 16, 31])
def test_the_same_as_comparing_all_pairs_of_neighbours(distance, monkeypatch):
    monkeypatch.setattr(similarity, "PAIRS_AT_ONCE", 50)  # many small blocks
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
    assert found_of_neighbours(queries, references, distance) == expected
    assert found_of_neighbours(references, references, distance) == brute_force(
        references, references, distance
    )


def test_no_reference_or_no_query():
    none = np.array([], np.uint64)
    assert not found_of_neighbours(none, np.array([1], np.uint64), 4)
    assert not found_of_neighbours(np.array([1], np.uint64), none, 4)


def test_another_distance_is_refused():
    with pytest.raises(ValueError, match="0 to 63"):
        found_of_neighbours(np.array([1], np.uint64), np.array([1], np.uint64), 64)
