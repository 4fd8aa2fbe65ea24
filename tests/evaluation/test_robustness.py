import colorsys
import io

import numpy as np
import pytest
from PIL import Image
from scipy.stats import norm
from sklearn.metrics import accuracy_score, f1_score

from trackbed.evaluation import robustness


@pytest.fixture(scope="module")
def images():
    """Three pictures of 48 x 64 pixels with edges, colours and neither black nor white parts."""
    random = np.random.default_rng(0)
    coarse = random.integers(40, 200, (3, 6, 8, 3))
    return coarse.repeat(8, axis=1).repeat(8, axis=2).astype(np.uint8)


def corrupted(images, name, grade, numbers=(0, 1, 2), seed=0):
    return robustness.corrupted(images, np.array(numbers), name, grade, seed)


@pytest.mark.parametrize("name", robustness.NAMES)
def test_every_grade_changes_the_image_more(images, name):
    before = images.copy()
    made = [corrupted(images, name, grade) for grade in robustness.GRADES]
    assert (images == before).all()
    assert {one.dtype for one in made} == {np.dtype(np.uint8)}
    assert {one.shape for one in made} == {images.shape}
    far = [np.abs(one.astype(int) - images).mean() for one in made]
    assert far[0] > 0
    assert far == sorted(far)


@pytest.mark.parametrize("name", robustness.NAMES)
def test_seed_and_number_alone_decide(images, name):
    made = corrupted(images, name, 3)
    alone = corrupted(images[1:2], name, 3, numbers=[1])
    assert (made[1] == alone[0]).all()
    assert (corrupted(images, name, 3) == made).all()
    random = name in ("noise", "occlusion")
    assert (corrupted(images, name, 3, seed=1) != made).any() == random
    assert (corrupted(images[1:2], name, 3, numbers=[7]) != made[1]).any() == random


def test_noise_has_the_stated_deviation():
    grey = np.full((1, 200, 200, 3), 128, np.uint8)
    assert corrupted(grey, "noise", 1, [0]).std() == pytest.approx(0.08 * 255, rel=0.02)


def test_brightness_raises_the_value_and_keeps_the_hue(images):
    made = corrupted(images, "brightness", 1)
    pixels = np.stack([images, made])[:, 0, ::8, ::8].reshape(2, -1, 3)
    for before, after in zip(*pixels, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before / 255)
        expected = colorsys.hsv_to_rgb(hue, saturation, min(value + 0.1, 1))
        assert after / 255 == pytest.approx(expected, abs=0.6 / 255)
    black = np.zeros((1, 4, 4, 3), np.uint8)
    assert (corrupted(black, "brightness", 5, [0]) == 128).all()  # 0.5 * 255, rounded


def test_contrast_is_less_and_the_mean_colour_stays(images):
    made = corrupted(images, "contrast", 2)  # 0.3
    means = images.mean(axis=(1, 2)), made.mean(axis=(1, 2))
    assert means[1] == pytest.approx(means[0], abs=0.5)
    deviation = images.std(axis=(1, 2)), made.std(axis=(1, 2))
    assert deviation[1] == pytest.approx(0.3 * deviation[0], abs=0.5)


def test_jpeg_is_that_of_pillow(images):
    stored = io.BytesIO()
    Image.fromarray(images[2]).save(stored, "JPEG", quality=7)
    assert (corrupted(images, "jpeg", 5)[2] == np.asarray(Image.open(stored))).all()


def test_a_grey_square_covers_the_stated_share(images):
    made = corrupted(images, "occlusion", 4)
    covered = (made == robustness.GREY).all(axis=3).mean(axis=(1, 2))
    assert covered == pytest.approx([0.3] * 3, abs=0.02)


def test_blur_grows_with_the_image():
    edge = np.zeros((1, 224, 224, 3), np.uint8)
    edge[:, :, 112:] = 200
    large = np.zeros((1, 448, 448, 3), np.uint8)
    large[:, :, 224:] = 200
    small = corrupted(edge, "blur", 3, [0])[0, 100, :, 0].astype(int)
    twice = corrupted(large, "blur", 3, [0])[0, 200, :, 0].astype(int)
    # Behind the edge of a Gaussian of deviation 3.3 the middles of pixels lie at 0.5, 1.5, ...
    expected = [200 * norm.cdf((place + 0.5) / 3.3) for place in range(8)]
    assert small[112:120] == pytest.approx(expected, abs=1.5)
    expected = [200 * norm.cdf((place + 0.5) / 6.3) for place in range(8)]
    assert twice[224:232] == pytest.approx(expected, abs=1.5)


def test_the_table_agrees_with_scikit_learn():
    random = np.random.default_rng(0)
    labels, clean = np.arange(90) % 3, np.arange(90) % 3
    given = [
        robustness.Prediction("noise", grade, np.where(random.random(90) < share, 0, labels))
        for grade, share in ((1, 0.3), (2, 0.8))
    ]
    table = robustness.table(labels, clean, given, 3)
    assert table.iloc[0].tolist() == ["none", 0, 1.0, 1.0]
    for row, (name, grade, labels_by) in zip(table.iloc[1:].itertuples(), given, strict=True):
        assert (row.corruption, row.grade) == (name, grade)
        assert row.macro_f1 == pytest.approx(f1_score(labels, labels_by, average="macro"))
        assert row.accuracy == pytest.approx(accuracy_score(labels, labels_by))
    mean = np.mean([accuracy_score(labels, labels_by) for *_, labels_by in given])
    assert robustness.mean_accuracy(table) == {"corrupted_accuracy": pytest.approx(mean)}


def test_without_corruptions_the_clean_row_is_there_and_no_mean():
    table = robustness.table(np.arange(4) % 2, np.zeros(4, int), [], 2)
    assert table[["corruption", "grade", "accuracy"]].values.tolist() == [["none", 0, 0.5]]
    assert robustness.mean_accuracy(table) == {}
