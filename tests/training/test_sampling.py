import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from trackbed.training import sampling


@pytest.mark.parametrize("labels", [[0, 0, 0, 1, 2, 2], [0, 0, 0, 3, 3, 1]])
def test_class_weights_are_those_of_scikit_learn(labels):
    """Of the second, class 2 has no image among these."""
    found = sampling.class_weights(np.array(labels))
    np.testing.assert_allclose(found, compute_sample_weight("balanced", labels), rtol=1e-6)
    assert found.mean() == pytest.approx(1)


def test_every_row_comes_once_in_an_order_of_seed_and_epoch():
    first, again, other = (sampling.epoch_rows(50, 1, epoch)[0] for epoch in (2, 2, 3))
    assert sorted(first) == list(range(50))
    assert first.tolist() == again.tolist() != other.tolist()


def test_rows_are_sampled_by_their_share():
    share = np.array([0.7, 0.3, 0.0])
    rows = np.concatenate([sampling.epoch_rows(3, 0, epoch, share)[0] for epoch in range(2000)])
    assert np.bincount(rows, minlength=3) / 6000 == pytest.approx(share, abs=0.02)


def test_views_are_sampled_evenly():
    views = sampling.epoch_rows(4000, 0, 0, views=4)[1]
    assert np.bincount(views) / 4000 == pytest.approx(0.25, abs=0.03)


def test_the_last_batch_may_be_smaller():
    assert [sampling.steps(rows, 4) for rows in (1, 4, 5)] == [1, 1, 2]
