"""Trends and pairs of curves by hand."""

import histories
import numpy as np
import pandas as pd
import pytest
from scipy.stats import theilslopes

from trackbed.curves.history import (
    loss_pair,
    minimised,
    robust_deviation,
    score_pair,
    theil_sen,
    trend,
)
from trackbed.pipeline.errors import UserError


def test_the_trend_of_a_line_is_its_slope_despite_a_spike():
    values = pd.Series(3.0 - 0.5 * np.arange(9), index=range(1, 10))
    values[5] = 100.0
    assert trend(values).slope == pytest.approx(-0.5)
    assert trend(values).direction == -1
    assert trend(values[:4]) is None


def test_the_trend_of_very_many_values():
    values = pd.Series(0.25 * np.arange(50_000), index=range(1, 50_001))  # all pairs: 10 GB
    assert trend(values).slope == pytest.approx(0.25)


def test_slope_and_interval_are_those_of_scipy():
    random = np.random.default_rng(0)
    for count in (5, 6, 17, 60):
        epochs = np.sort(random.choice(200, count, replace=False)).astype(float)
        # Half of them with many equal values.
        for values in (random.normal(size=count), random.integers(0, 4, count).astype(float)):
            expected = theilslopes(values, epochs, 0.95)
            found = theil_sen(values, epochs)
            assert found == (expected.slope, expected.low_slope, expected.high_slope)


def test_a_constant_has_no_direction():
    found = trend(pd.Series([2.0] * 6, index=range(1, 7)))
    assert (found.slope, found.direction) == (0, 0)


def test_the_robust_deviation_of_normal_values_is_the_usual_one():
    values = np.random.default_rng(0).normal(0, 3, 20_000)
    assert robust_deviation(values) == pytest.approx(values.std(), rel=0.03)


def test_losses_and_scores_are_paired_on_their_common_epochs():
    history = histories.made(
        loss=[3, 2, np.nan], val_loss=[3, 2.5, 2], acc=[50, 60, 70], val_acc=[40, 50, 60]
    )
    assert loss_pair(history).train.tolist() == [3, 2]
    assert score_pair(history).train.tolist() == [0.5, 0.6, 0.7]  # logged in percent


def test_an_unknown_column_is_refused_with_a_suggestion():
    with pytest.raises(UserError, match="Did you mean 'val_loss'"):
        histories.made(val_loss=[1, 2]).column("val_los")


def test_the_loss_is_the_one_of_that_name_else_parts_else_the_first():
    known = ("val_wer", "val_box_loss", "val_cls_loss", "val_loss")
    columns = [histories.made(**{name: [1]}).columns[0] for name in known]
    assert [one.name for one in minimised(columns)] == ["val_loss"]
    assert [one.name for one in minimised(columns[:3])] == ["val_box_loss", "val_cls_loss"]
    assert [one.name for one in minimised(columns[:1])] == ["val_wer"]
