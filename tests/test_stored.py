import io

import numpy as np
import pytest
from PIL import Image

from trackbed.ingest import stored

RED_AND_BLUE = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "encoding"), [(RED_AND_BLUE.tobytes(), "raw"), (png(RED_AND_BLUE), "png")]
)
def test_a_picture_is_given_back_row_by_row(data, encoding):
    np.testing.assert_array_equal(stored.image(data, encoding, 1, 2), RED_AND_BLUE)


def test_grey_becomes_rgb():
    grey = np.array([[7]], np.uint8)
    np.testing.assert_array_equal(stored.image(png(grey), "png", 1, 1), [[[7, 7, 7]]])


def test_data_of_another_shape_or_kind_are_refused():
    with pytest.raises(ValueError):
        stored.image(bytes(10), "raw", 2, 2)
    with pytest.raises(ValueError, match="expected 2 x 1 pixels"):
        stored.image(png(np.zeros((2, 1, 3), np.uint8)), "png", 1, 2)
    with pytest.raises(OSError):
        stored.image(png(RED_AND_BLUE), "jpeg", 1, 2)
