import numpy as np
import pytest
from PIL import Image

from trackbed.creation import source_facts
from trackbed.pipeline.errors import UserError


def pictures(folder, counts, size=(40, 30), colour=(200, 40, 40)):
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            noise = np.random.default_rng(number).integers(0, 40, (size[1], size[0], 1))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_counts_sides_and_colour(tmp_path):
    pictures(tmp_path, {"A": 6, "B": 2})
    pictures(tmp_path / "C", {"grey": 3}, (100, 64), (90, 90, 90))
    facts = source_facts.read(tmp_path)
    assert facts.images == 11
    assert facts.class_images == {"A": 6, "C": 3, "B": 2}
    assert facts.sides == [30] * 8 + [64] * 3
    assert facts.median_side == 30
    assert facts.grey == 3


def test_pictures_of_a_test_part_do_not_train(tmp_path):
    pictures(tmp_path / "train", {"A": 10, "B": 10})
    pictures(tmp_path / "test", {"A": 4, "B": 4})
    facts = source_facts.read(tmp_path)
    assert facts.parts == {"train", "test"}
    assert facts.class_images == {"A": 10, "B": 10}
    assert facts.training_images == 16  # a fifth validates


def test_without_parts_a_fifth_tests_and_a_fifth_of_the_rest_validates(tmp_path):
    assert source_facts.read(pictures(tmp_path, {"A": 50, "B": 50})).training_images == 64


def test_files_that_are_no_pictures_are_counted(tmp_path):
    pictures(tmp_path, {"A": 3, "B": 3})
    (tmp_path / "A" / "broken.jpg").write_bytes(b"no picture")
    assert source_facts.read(tmp_path).rejected == [("A/broken.jpg", "not an image")]


def test_a_source_without_a_usable_picture_is_an_error(tmp_path):
    for name in "AB":
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"none of the 2 pictures .* can be used, such as A/1.jpg"):
        source_facts.read(tmp_path)


def test_a_sample_is_spread_evenly():
    assert source_facts.sample(list(range(1000)), 5) == [0, 250, 500, 749, 999]
    assert source_facts.sample([1, 2], 5) == [1, 2]
