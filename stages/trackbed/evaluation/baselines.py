"""Baselines without a network: predictions, the gain of a model over them, and a warning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trackbed.evaluation import intervals, kept_results, metrics
from trackbed.pipeline.index import SHARDS_TABLE
from trackbed.records import integrity, reader

SIDE = 32  # pixels
ORIENTATIONS = 8  # bins over half a turn
CHUNK = 1024  # images whose gradients are in memory at a time
MOST = 20_000  # training images for the regression; more change 16 coefficients per class little
STEPS = 1000  # of the optimizer, at most


def predicted(
    records_path: Path, training: pd.DataFrame, test: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Labels for the test rows by 'majority' and by 'logistic', int, shape (test rows,).

    majority: the most frequent class of the training rows, the first of equally frequent ones.
    logistic: logistic regression on the standardised `features` of the images at SIDE pixels, or
    the majority where the training rows are of one class. Runs with the same rows share it, see
    kept_results. Raises Damaged for a damaged shard.
    """
    labels = training["label"].to_numpy()
    majority = np.full(len(test), np.bincount(labels).argmax())
    some = training.iloc[np.unique(np.linspace(0, len(training) - 1, MOST).astype(int))]
    if some["label"].nunique() < 2 or test.empty:
        return {"majority": majority, "logistic": majority}
    # Also where nothing has to be read: what is kept was read from the same bytes.
    integrity.check(records_path, [*some["shard"], *test["shard"]])
    shards = SHARDS_TABLE.read(records_path)
    inputs = [table.to_csv(index=False).encode() for table in (shards, some, test)]
    found = kept_results.kept("logistic", inputs, lambda: _logistic(records_path, some, test))
    return {"majority": majority} | found


def _logistic(
    records_path: Path, training: pd.DataFrame, test: pd.DataFrame
) -> dict[str, np.ndarray]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fitted, tested = (
        features(reader.pixels(records_path, rows, SIDE, SIDE)) for rows in (training, test)
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=STEPS))
    model.fit(fitted, training["label"])
    return {"logistic": model.predict(tested)}


def features(images: np.ndarray) -> np.ndarray:
    """Colour and gradients of whole images, float64, shape (images, 16).

    images: uint8, shape (images, height, width, 3). Mean and standard deviation of red, green and
    blue; mean and standard deviation of the length of the gradient of grey (the mean of the three
    colours); and the shares of that length in ORIENTATIONS directions of the gradient, a half turn
    apart being the same, as in a histogram of oriented gradients (Dalal and Triggs 2005) with one
    cell. Without any gradient these shares are 0. Values of colours are 0 to 1.
    """
    chunks = range(0, len(images), CHUNK)
    return np.concatenate([_features(images[start : start + CHUNK]) for start in chunks])


def _features(images: np.ndarray) -> np.ndarray:
    colours = images.astype(np.float32) / 255
    down, across = np.gradient(colours.mean(axis=3), axis=(1, 2))
    length = np.hypot(down, across)
    turn = np.arctan2(down, across) / np.pi % 1
    # A negative number too small to matter is brought to 1 by the remainder.
    direction = np.minimum((turn * ORIENTATIONS).astype(int), ORIENTATIONS - 1)
    total = length.sum(axis=(1, 2))
    shares = [
        np.where(direction == one, length, 0).sum(axis=(1, 2)) / np.maximum(total, 1e-12)
        for one in range(ORIENTATIONS)
    ]
    means = [colours.mean(axis=(1, 2)), colours.std(axis=(1, 2))]
    lengths = [length.mean(axis=(1, 2)), length.std(axis=(1, 2))]
    return np.column_stack([*means, *lengths, *shares]).astype(float)


def baseline_gain(
    labels: np.ndarray,
    predicted: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    groups: np.ndarray,
    classes: int,
    seed: int,
) -> dict[str, float]:
    """Macro F1 of the baselines, and that of the model less that of the best of them.

    labels, predicted and the baselines: int, shape (images,). 'above_baseline' has a paired 95 %
    interval over groups, see intervals.macro_f1_difference; where that is not above 0,
    'not_above_baseline' is 1, else 0. A single group has no interval (NaN), and the
    flag is 1.
    """
    reached = {
        name: metrics.macro_f1(labels, labels_by, classes) for name, labels_by in baselines.items()
    }
    best = max(reached, key=reached.__getitem__)
    difference, low, high = intervals.macro_f1_difference(
        labels, (predicted, baselines[best]), groups, classes, seed
    )
    return {f"baseline_{name}_macro_f1": value for name, value in reached.items()} | {
        "above_baseline": difference,
        "above_baseline_low": low,
        "above_baseline_high": high,
        "not_above_baseline": int(not low > 0),
    }


def baseline_warning(scores: Mapping[str, Any]) -> str:
    """A warning where the model is not better than a baseline by more than chance, else ''.

    scores: of evaluate.json, see `baseline_gain`; also '' where they lack these.
    """
    if not scores.get("not_above_baseline"):
        return ""
    return f"WARNING: this model is NOT SHOWN to be better than a baseline: {shortfall(scores)}."


def shortfall(scores: Mapping[str, Any]) -> str:
    """Macro F1 beside that of the baselines and the interval of the difference, as a clause."""
    names = ("above_baseline", "above_baseline_low", "above_baseline_high")
    value, low, high = (_number(scores.get(name), "+") for name in names)
    majority, logistic = (
        _number(scores.get(f"baseline_{name}_macro_f1")) for name in ("majority", "logistic")
    )
    return (
        f"macro F1 is {_number(scores.get('macro_f1'))}; without a network, always naming the "
        f"most frequent class reaches {majority}, logistic regression on colour and gradient "
        f"statistics {logistic}; the difference to the better one is {value} (95 % interval {low} "
        f"to {high}), not above 0"
    )


def _number(value: float | None, sign: str = "") -> str:
    return "n/a" if value is None else f"{value:{sign}.3f}"
