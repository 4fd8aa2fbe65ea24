import keras
import numpy as np
import pytest
from PIL import Image

from trackbed.training import augmentation_preview

GREY = [np.full((12, 12, 3), 20 * number, np.uint8) for number in range(6)]


class Add(keras.layers.Layer):
    """Adds 100 in training."""

    def call(self, images, training=False):
        return images + 100.0 if training else images


class Swap(keras.layers.Layer):
    """Turns the order of a batch around, as mixing layers may; a generator is theirs, too."""

    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(0)

    def call(self, both, training=False):
        return both | {"images": both["images"][::-1]}


def test_the_first_image_of_every_class_comes_before_any_second_one():
    labels = np.array([1, 1, 0, 0, 2, 0])
    assert augmentation_preview.chosen(labels, 3).tolist() == [2, 0, 4]
    assert augmentation_preview.chosen(labels, 5).tolist() == [2, 0, 4, 3, 1]
    assert augmentation_preview.chosen(labels, 99).tolist() == [2, 0, 4, 3, 1, 5]


def test_of_many_classes_a_few_are_spread_evenly():
    assert augmentation_preview.chosen(np.arange(43), 8).tolist() == [0, 6, 12, 18, 24, 30, 36, 42]


def test_changes_show_in_every_row_below_the_stored_images():
    pictures = augmentation_preview.seen(np.stack(GREY), np.eye(6), ([Add()], []))
    assert pictures.shape == (1 + augmentation_preview.DRAWS, 6, 12, 12, 3)
    assert pictures[:, :, 0, 0, 0].tolist() == [
        [0, 20, 40, 60, 80, 100],
        *[[100, 120, 140, 160, 180, 200]] * augmentation_preview.DRAWS,
    ]


def test_mixing_layers_show_too():
    pictures = augmentation_preview.seen(np.stack(GREY), np.eye(6), ([], [Swap()]))
    assert pictures[1, :, 0, 0, 0].tolist() == [100, 80, 60, 40, 20, 0]


def test_without_augmentation_there_is_one_row():
    assert augmentation_preview.seen(np.stack(GREY), np.eye(6), ([], [])).shape == (1, 6, 12, 12, 3)


@pytest.mark.parametrize(("side", "cell"), [(12, 108), (56, 112), (80, 80), (150, 112)])
def test_small_images_are_enlarged_by_whole_numbers_and_large_ones_shrunk(side, cell):
    grid = augmentation_preview.montage(np.zeros((2, 3, side, side, 3), np.uint8))
    assert grid.size == (
        3 * cell + 2 * augmentation_preview.GAP,
        2 * cell + augmentation_preview.GAP,
    )


def test_the_file_shows_stored_and_changed_images_and_is_reproducible(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        augmentation_preview.write(tmp_path / name, np.stack(GREY), np.arange(6), 6, ([Add()], []))
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    grid = np.asarray(Image.open(tmp_path / "a.jpg").convert("L")).astype(int)
    step = 108 + augmentation_preview.GAP
    assert abs(grid[50, 50 + 3 * step] - 60) < 4
    assert abs(grid[50 + step, 50 + 3 * step] - 160) < 4
