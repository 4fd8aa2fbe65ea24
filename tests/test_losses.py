import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from trackbed.learning import losses

TRUE = np.array([[1.0, 0, 0], [0, 1, 0]], np.float32)
FOUND = np.array([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]], np.float32)


def mean_of(loss):
    return float(np.mean(loss(TRUE, FOUND)))


def test_crossentropy_by_hand():
    loss = losses.loss("crossentropy", label_smoothing=0, gamma=2)
    assert mean_of(loss) == pytest.approx(-(np.log(0.7) + np.log(0.25)) / 2, rel=1e-5)


def test_label_smoothing_spreads_its_share_over_all_classes():
    loss = losses.loss("crossentropy", label_smoothing=0.3, gamma=0)
    labels = 0.7 * TRUE + 0.1
    assert mean_of(loss) == pytest.approx(-(labels * np.log(FOUND)).sum(1).mean(), rel=1e-5)


def test_focal_loss_is_the_published_one():
    loss = losses.loss("focal", label_smoothing=0, gamma=2)
    expected = -np.mean([0.3**2 * np.log(0.7), 0.75**2 * np.log(0.25)])
    assert mean_of(loss) == pytest.approx(expected, rel=1e-5)


def test_focal_loss_with_gamma_zero_is_crossentropy():
    focal = losses.loss("focal", label_smoothing=0, gamma=0)
    plain = losses.loss("crossentropy", label_smoothing=0, gamma=0)
    assert mean_of(focal) == pytest.approx(mean_of(plain), rel=1e-5)


def test_class_weights_are_those_of_scikit_learn():
    labels = np.array([0, 0, 0, 1, 2, 2])
    found = losses.class_weights(labels)
    np.testing.assert_allclose(found, compute_sample_weight("balanced", labels), rtol=1e-6)
    assert found.mean() == pytest.approx(1)
