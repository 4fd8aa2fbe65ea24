"""Whether random values are distributed as they should be."""

from scipy import stats


def assert_uniform(values, low, high):
    """Values are uniform from low to high, and come close to both ends."""
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 0.01
    assert low - 1e-2 <= values.min() < low + 0.05 * (high - low)
    assert high - 0.05 * (high - low) < values.max() <= high + 1e-2


def assert_share(changed, share):
    """As many are True as a probability of `share` allows."""
    assert stats.binomtest(int(changed.sum()), len(changed), share).pvalue > 0.01
