import numpy as np
from scipy.special import softmax

from trackbed.inference.head import Dense, Head


def test_a_head_by_hand():
    hidden = Dense(np.float32([[1, -1], [2, 0]]), np.float32([0, 1]), "relu")
    top = Dense(np.float32([[1, 0], [0, 1]]), np.float32([0.5, 0]), "softmax")
    embeddings = np.float32([[1, 1], [3, -1]])  # hidden: (3, 0) and (1, 0)
    head = Head([hidden, top])
    assert head.logits(embeddings).tolist() == [[3.5, 0], [1.5, 0]]
    np.testing.assert_allclose(
        head.probabilities(embeddings), softmax(np.float32([[3.5, 0], [1.5, 0]]), axis=1), rtol=1e-6
    )
