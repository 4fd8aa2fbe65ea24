"""Training curves of a run and of others, as data of a page."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

QUANTITIES = ("loss", "accuracy", "macro_f1")
DIGITS = 6  # significant ones


def content(curves: pd.DataFrame, best_epoch: int | None) -> dict[str, Any]:
    """The curves of this run: epochs, best epoch, and a list of values per curve.

    curves: indexed by epoch, columns such as 'val/loss'. A value that is not finite is None.
    """
    return {
        "epochs": [int(epoch) for epoch in curves.index],
        "best": best_epoch,
        "curves": {name: values(curves[name]) for name in curves},
    }


def validation(curves: Mapping[str, pd.Series]) -> dict[str, dict[str, list[Any]]]:
    """The validation curves of another run, by quantity: epochs and values.

    curves: by name such as 'val/loss', each indexed by epoch; missing ones are left out.
    """
    known = {name: curves.get(f"val/{name}") for name in QUANTITIES}
    return {
        name: {"epochs": [int(epoch) for epoch in curve.index], "values": values(curve)}
        for name, curve in known.items()
        if curve is not None and len(curve)
    }


def values(curve: pd.Series) -> list[float | None]:
    """The values with DIGITS digits; None for one that is not finite."""
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in curve]
