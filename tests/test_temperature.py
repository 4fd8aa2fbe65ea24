import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from trackbed.judging import temperature
from trackbed.problems import Problem


def drawn(images=20000, classes=5, seed=1):
    """Logits, and labels drawn from the probabilities that they stand for."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (images, classes))
    chance = softmax(logits, axis=1).cumsum(axis=1)
    return logits, np.minimum((random.random((images, 1)) > chance).sum(axis=1), classes - 1)


def test_probabilities_become_those_of_divided_logits():
    logits, _ = drawn(50)
    said = temperature.applied(softmax(logits, axis=1), 2.5)
    np.testing.assert_allclose(said, softmax(logits / 2.5, axis=1))
    assert (said.argmax(axis=1) == logits.argmax(axis=1)).all()
    np.testing.assert_allclose(temperature.applied(softmax(logits, axis=1), 1), softmax(logits, 1))


@pytest.mark.parametrize("sureness", [0.5, 1, 3])
def test_the_sureness_that_was_put_in_is_found(sureness):
    logits, labels = drawn()
    told = softmax(sureness * logits, axis=1).astype(np.float32)
    found = temperature.fitted(told, labels)
    assert found == pytest.approx(sureness, rel=0.03)
    assert temperature.fitted(told, labels) == found


def test_no_temperature_of_a_fine_grid_is_likelier():
    logits, labels = drawn(300)
    told = softmax(2 * logits, axis=1)
    grid = [log_loss(labels, softmax(2 * logits / t, axis=1)) for t in np.geomspace(0.1, 10, 999)]
    reached = log_loss(labels, temperature.applied(told, temperature.fitted(told, labels)))
    assert reached <= min(grid) + 1e-9


def test_answers_that_are_all_right_or_chance_end_at_a_bound():
    labels = np.arange(60) % 3
    sure = 0.1 * np.ones((60, 3)) + 0.7 * np.eye(3)[labels]
    assert temperature.fitted(sure, labels) == pytest.approx(0.1, rel=1e-3)
    assert temperature.fitted(sure, (labels + 1) % 3) == pytest.approx(10, rel=1e-3)


def test_a_probability_of_zero_and_no_images_are_no_trouble():
    told = np.array([[1, 0], [1, 0], [0.6, 0.4]], dtype=np.float32)
    assert 1 < temperature.fitted(told, np.array([1, 0, 0])) <= 10
    assert np.isfinite(temperature.applied(told, 0.1)).all()
    assert temperature.fitted(np.empty((0, 3)), np.empty(0, int)) == 1


def test_the_temperature_comes_back_and_a_broken_one_is_refused(tmp_path):
    temperature.write(tmp_path, 1.25)
    assert (tmp_path / "calibration.json").read_text() == '{\n  "temperature": 1.25\n}\n'
    assert temperature.read(tmp_path) == 1.25
    for wrong in ("null", "0", '"1"', "true"):
        (tmp_path / "calibration.json").write_text(f'{{"temperature": {wrong}}}')
        with pytest.raises(Problem, match="must be a number above 0"):
            temperature.read(tmp_path)
