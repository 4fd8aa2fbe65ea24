import numpy as np
import pytest

from trackbed.evaluation import bootstrap


def test_resampled_sums_spread_as_in_the_textbook():
    random = np.random.default_rng(0)
    strata = np.repeat([0, 1, 2], [5, 20, 3])
    values = random.normal(strata * 10, 1 + strata)
    resampled = bootstrap.resampled_sums(values[:, None], strata, seed=0)[:, 0]
    # A sum of means: n_h s_h^2 per stratum, s_h^2 with n_h - 1 in the divisor.
    parts = [values[strata == stratum] for stratum in range(3)]
    expected = sum(len(part) * part.var(ddof=1) for part in parts)
    assert resampled.var() == pytest.approx(expected, rel=0.1)
    assert resampled.mean() == pytest.approx(
        values.sum(), abs=4 * np.sqrt(expected / len(resampled))
    )


def test_equal_groups_are_resampled_like_different_ones():
    values = np.repeat([1.0, 2.0, 5.0], [10, 20, 10])
    strata = np.zeros(40, int)
    together = bootstrap.resampled_sums(values[:, None], strata, seed=0)[:, 0]
    apart = bootstrap.resampled_sums(np.column_stack([values, np.arange(40)]), strata, seed=0)[:, 0]
    shares = [0.025, 0.25, 0.5, 0.75, 0.975]
    assert np.quantile(together, shares) == pytest.approx(np.quantile(apart, shares), rel=0.02)
    assert together.std() == pytest.approx(apart.std(), rel=0.06)


def test_every_draw_holds_as_much_of_a_stratum_as_there_is():
    strata = np.repeat([0, 1], [3, 8])
    resampled = bootstrap.resampled_sums(np.eye(11), strata, seed=1)
    assert resampled[:, :3].sum(axis=1) == pytest.approx(3)
    assert resampled[:, 3:].sum(axis=1) == pytest.approx(8)


@pytest.mark.parametrize(
    ("strata", "merged"),
    [
        ([0, 0, 1, 1, 1], [0, 0, 1, 1, 1]),
        ([0, 1, 2, 2], [0, 0, 2, 2]),  # two of one group: with each other
        ([0, 1, 1, 1, 2, 2], [0, 1, 1, 1, 0, 0]),  # one alone: with the smallest
        ([3, 3, 7], [3, 3, 3]),
        ([5], [5]),
    ],
)
def test_strata_of_one_group_are_merged(strata, merged):
    assert bootstrap.collapsed(np.array(strata)).tolist() == merged


def test_degrees_of_freedom_by_hand():
    assert bootstrap.degrees_of_freedom(np.array([0, 0, 0, 4, 4])) == 3
