import numpy as np
from scipy.special import softmax

from trackbed.inference.temperature import with_temperature


def test_probabilities_become_those_of_divided_logits():
    logits = np.random.default_rng(1).normal(0, 2, (50, 5))
    found = with_temperature(softmax(logits, axis=1), 2.5)
    np.testing.assert_allclose(found, softmax(logits / 2.5, axis=1))
    assert (found.argmax(axis=1) == logits.argmax(axis=1)).all()
    np.testing.assert_allclose(with_temperature(softmax(logits, axis=1), 1), softmax(logits, 1))
