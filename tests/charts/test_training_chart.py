import json

import numpy as np
import pandas as pd

from trackbed.charts import training_chart


def test_values_that_are_not_finite_leave_a_gap():
    curves = pd.DataFrame({"val/loss": [0.123456789, np.inf, np.nan]}, index=[1, 2, 3])
    found = training_chart.content(curves, 1)
    assert found == {"epochs": [1, 2, 3], "best": 1, "curves": {"val/loss": [0.123457, None, None]}}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_another_run_has_the_validation_curves_that_it_logged():
    curves = {
        "val/loss": pd.Series([0.5, 0.25], index=[1, 2]),
        "train/loss": pd.Series([1.0], index=[1]),
        "val/accuracy": pd.Series([], dtype=float),
    }
    assert training_chart.validation(curves) == {"loss": {"epochs": [1, 2], "values": [0.5, 0.25]}}
