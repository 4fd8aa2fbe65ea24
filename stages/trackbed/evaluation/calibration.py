"""Whether a probability of 0.8 is right in 8 of 10 cases, and the temperature that makes it so."""

import numpy as np
import pandas as pd

from trackbed.inference.temperature import log_softmax, logits
from trackbed.pipeline.tables import EVALUATION_REMEDY, TableFile

# Where every validation answer is right, the likeliest temperature is 0, certainty; where they
# are chance, it has no upper end. Networks in Guo et al. 2017 have 0.9 to 3.
TEMPERATURE_BOUNDS = (0.1, 10.0)
TOLERANCE = 1e-7  # of the logarithm of the temperature
TEMPERATURE_DIGITS = 6  # that are kept
BIN_COLUMNS = {"images": "int64", "right": "int64", "confidence": "float64", "accuracy": "float64"}
RELIABILITY_TABLE = TableFile(
    "reliability.csv",
    {"low": "float64", "high": "float64"}
    | BIN_COLUMNS
    | {f"calibrated_{name}": dtype for name, dtype in BIN_COLUMNS.items()},
    EVALUATION_REMEDY,
    empty_is_nan=True,
    float_format="%.4f",
)
BINS = 15  # as in Guo et al. 2017


def fitted_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the lowest mean negative log-likelihood, within TEMPERATURE_BOUNDS.

    probabilities: float, finite, shape (images, classes); labels: int, shape (images,). The
    likelihood has one maximum, because its logarithm is concave in 1 / temperature. 1 without
    images.
    """
    if not len(labels):
        return 1.0
    values, own = logits(probabilities), np.arange(len(labels))
    if not np.ptp(values, axis=1).any():  # all temperatures are equally likely; the least sure
        return TEMPERATURE_BOUNDS[1]

    def slope(logarithm: float) -> float:
        """Of the loss along 1 / temperature, which grows with it."""
        expected = (np.exp(log_softmax(values / np.exp(logarithm))) * values).sum(axis=1)
        return float((expected - values[own, labels]).mean())

    # A bisection: importing SciPy's optimizers takes 0.4 s, a quarter of a short stage `export`.
    low, high = np.log(TEMPERATURE_BOUNDS)
    while high - low > TOLERANCE:
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return round(float(np.exp((low + high) / 2)), TEMPERATURE_DIGITS)


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Images by the confidence of their answer, one row per bin.

    probabilities: float, shape (images, classes); labels: int, shape (images,). The confidence is
    the highest probability. Bins are equally wide, each without its low and with its high end.
    Columns: low, high (of the bin), images and right (counts), confidence (mean) and accuracy
    (share of right answers), both NaN in an empty bin.
    """
    confidence = probabilities.max(axis=1).astype(float)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence) - 1, 0, bins - 1)
    images, hits, total = (
        np.bincount(place, weights, bins) for weights in (None, right, confidence)
    )
    with np.errstate(invalid="ignore"):
        means = {"confidence": total / images, "accuracy": hits / images}
    counts = {"images": images, "right": hits.astype(int)}
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:]} | counts | means)


def expected_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error, 0 to 1; shapes as in `reliability`, lower is better.

    Mean distance of confidence and accuracy over the bins, weighted by their images: Naeini, Cooper
    and Hauskrecht 2015 (Obtaining Well Calibrated Probabilities Using Bayesian Binning), in the
    form of Guo et al. 2017 (arXiv 1706.04599), which uses the highest probability alone. It is
    biased upwards where images are few.
    """
    table = reliability(probabilities, labels, bins)
    distance = (table["confidence"] - table["accuracy"]).abs()
    return float((distance * table["images"]).sum() / table["images"].sum())


def brier(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean squared distance of the probabilities from 1 for the true class and 0 for the others.

    Summed over the classes and averaged over the images, 0 to 2, lower is better (Brier 1950,
    Verification of Forecasts Expressed in Terms of Probability); with two classes it is twice the
    score of one of them.
    """
    truth = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


def beside(bins: pd.DataFrame, calibrated: pd.DataFrame) -> pd.DataFrame:
    """Two tables of `reliability` in one: the second's columns are named `calibrated_<column>`."""
    return bins.join(calibrated.drop(columns=["low", "high"]).add_prefix("calibrated_"))
