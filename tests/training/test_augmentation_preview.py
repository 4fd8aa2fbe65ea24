import keras
import numpy as np
import pytest
import recorded
from PIL import Image

from trackbed.networks.augmentation import Augmentation
from trackbed.training.augmentation_preview import (
    FILE,
    GAP,
    VERSIONS,
    augmented,
    montage,
    of_records,
    write,
)

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


def test_changes_show_in_every_row_below_the_stored_images():
    pictures = augmented(np.stack(GREY), np.eye(6), Augmentation([Add()], []))
    assert pictures.shape == (1 + VERSIONS, 6, 12, 12, 3)
    assert pictures[:, :, 0, 0, 0].tolist() == [
        [0, 20, 40, 60, 80, 100],
        *[[100, 120, 140, 160, 180, 200]] * VERSIONS,
    ]


def test_mixing_layers_show_too():
    pictures = augmented(np.stack(GREY), np.eye(6), Augmentation([], [Swap()]))
    assert pictures[1, :, 0, 0, 0].tolist() == [100, 80, 60, 40, 20, 0]


def test_without_augmentation_there_is_one_row():
    assert augmented(np.stack(GREY), np.eye(6), Augmentation()).shape == (
        1,
        6,
        12,
        12,
        3,
    )


@pytest.mark.parametrize(("side", "cell"), [(12, 108), (56, 112), (80, 80), (150, 112)])
def test_cells_are_enlarged_by_whole_numbers_or_shrunk(side, cell):
    grid = montage(np.zeros((2, 3, side, side, 3), np.uint8))
    assert grid.size == (
        3 * cell + 2 * GAP,
        2 * cell + GAP,
    )


def test_the_file_has_stored_and_changed_images(tmp_path):
    (tmp_path / "records").mkdir()
    table, images = recorded.written(tmp_path / "records", count=2)
    for name in ("a", "b"):
        preview = Augmentation([Add()])
        write(tmp_path / name, of_records(tmp_path / "records", table, preview, 12, 2))
    assert (tmp_path / "a" / FILE).read_bytes() == (tmp_path / "b" / FILE).read_bytes()
    preview = np.asarray(Image.open(tmp_path / "a" / FILE).convert("RGB")).astype(float)
    cell, step = 108, 108 + GAP
    assert preview.shape == ((1 + VERSIONS) * step - GAP, 2 * step - GAP, 3)
    for column, image in enumerate(images):
        left = column * step
        stored = preview[:cell, left : left + cell]
        changed = preview[step : step + cell, left : left + cell]
        assert abs(stored.mean() - image.mean()) < 4
        assert abs(changed.mean() - np.clip(image + 100.0, 0, 255).mean()) < 10
