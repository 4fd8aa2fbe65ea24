import numpy as np
import pytest
from scipy.stats import binomtest

from trackbed.judging import bounds


@pytest.mark.parametrize(("right", "images"), [(8, 10), (0, 7), (26, 26), (123, 130)])
@pytest.mark.parametrize("level", [0.95, 0.999])
def test_wilsons_interval_is_that_of_scipy(right, images, level):
    found = bounds.wilson(right / images, images, level)
    expected = binomtest(right, images).proportion_ci(level, method="wilson")
    assert found == pytest.approx((expected.low, expected.high))


def test_the_interval_of_an_f1_is_that_of_its_share():
    # 8 images of the class are found, 1 is missed, 1 of another class is called so: F1 is 16 / 18,
    # and 8 of the 10 images of the class or called so are both.
    low, high = binomtest(8, 10).proportion_ci(method="wilson")
    found = bounds.wilson_f1(np.array([16 / 18]), np.array([10]))
    assert np.ravel(found) == pytest.approx([2 * low / (1 + low), 2 * high / (1 + high)])


def test_the_log_odds_by_hand():
    # 0.8 has the log odds log 4 = 1.3863; 0.04 / (0.8 * 0.2) = 0.25 on that scale; Student's t with
    # 10 degrees of freedom is 2.2281: 1.3863 -+ 0.5570 are the log odds of 0.6962 and 0.8747.
    assert bounds.logit_t(0.8, 0.04, 10) == pytest.approx((0.6962, 0.8747), abs=1e-4)


def test_an_interval_near_one_stays_below_it_and_reaches_further_down():
    low, high = bounds.logit_t(0.98, 0.02, 5)
    assert 0.98 - low > 3 * (high - 0.98)
    assert high < 1


def test_no_share_leaves_nought_to_one_by_rounding():
    trials = np.linspace(1, 40, 391)
    low, _ = bounds.wilson(0.0, trials)
    _, high = bounds.wilson(1.0, trials)
    assert low.min() >= 0
    assert high.max() <= 1
