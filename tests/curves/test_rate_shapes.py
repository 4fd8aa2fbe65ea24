"""The rounding of a log, by hand; shapes are tested in test_rate_schedule.py."""

import numpy as np
import pytest

from trackbed.curves import rate_shapes


def test_the_rounding_to_decimals_and_to_digits():
    decimals = np.array([0.1, 0.08, 0.06, 0.04, 0.02])
    assert rate_shapes.rounding(decimals) == pytest.approx([0.005] * 5)
    digits = np.array([0.01, 0.0098, 0.0076, 0.0012, 0.00098])
    # Two digits each: half of the second one, but at least half of the last decimal, 1e-5.
    assert rate_shapes.rounding(digits) == pytest.approx([5e-4, 5e-5, 5e-5, 5e-5, 5e-6])


def test_few_different_rates_are_exact():
    assert (rate_shapes.rounding(np.array([0.1, 0.01, 0.001, 0.001])) == 0).all()


def test_no_shape_for_fewer_than_four_rates():
    assert rate_shapes.shape(np.arange(3), np.array([3.0, 2.0, 1.0])) == "other"
