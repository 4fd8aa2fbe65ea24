import cv2
import numpy as np
import pytest

from trackbed.drift.image_properties import LISTED, PROPERTIES, properties

PICTURE = np.random.default_rng(0).integers(60, 200, (1, 40, 40, 3)).astype(np.uint8)


def change(changed):
    before, after = properties(PICTURE)[0], properties(changed)[0]
    return dict(zip(PROPERTIES, after - before, strict=True))


def test_a_darker_picture_has_less_light_and_the_same_detail():
    found = change((PICTURE * 0.8).astype(np.uint8))
    assert found["brightness"] == pytest.approx(np.log(0.8), abs=0.01)
    assert found["contrast"] == pytest.approx(np.log(0.8), abs=0.01)
    assert found["sharpness"] == pytest.approx(0, abs=0.02)
    assert found["redness"] == pytest.approx(0, abs=0.02)


def test_a_blurred_picture_is_less_sharp_and_as_bright():
    found = change(cv2.GaussianBlur(PICTURE[0], (0, 0), 1.0)[None])
    assert found["sharpness"] < -0.3
    assert found["brightness"] == pytest.approx(0, abs=0.01)


def test_a_redder_picture_is_redder():
    found = change(np.minimum(PICTURE * np.array([1.2, 1.0, 1.0]), 255).astype(np.uint8))
    assert found["redness"] == pytest.approx(np.log(1.2), abs=0.02)
    assert found["blueness"] == pytest.approx(0, abs=0.01)


def test_overexposure_is_the_share_of_the_lightest_pixels():
    picture = np.full((1, 10, 10, 3), 100, np.uint8)
    picture[0, :3, :, 1] = 255  # one channel of 30 of 100 pixels
    place = list(PROPERTIES).index("overexposure")
    assert np.exp(properties(picture)[0, place]) == pytest.approx(0.302)
    assert np.exp(properties(picture // 2)[0, place]) == pytest.approx(0.002)


def test_a_grey_picture_without_contrast_has_finite_properties():
    found = properties(np.stack([np.zeros((8, 8, 3)), np.full((8, 8, 3), 255)]).astype(np.uint8))
    assert found.shape == (2, len(PROPERTIES))
    assert np.isfinite(found).all()
    assert len(LISTED) == 7
