"""Whether a probability of 0.8 means right in 8 of 10 cases."""

import numpy as np
import pandas as pd

from trackbed.judging.scores import loss

BINS = 15  # as in Guo et al. 2017


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


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by their images; 0 to 1.

    bins: see `reliability`. Naeini, Cooper and Hauskrecht 2015 (Obtaining Well Calibrated
    Probabilities Using Bayesian Binning), in the form of Guo et al. 2017 (arXiv 1706.04599), which
    looks at the highest probability alone. Few images make it larger than it is.
    """
    distance = (bins["confidence"] - bins["accuracy"]).abs()
    return float((distance * bins["images"]).sum() / bins["images"].sum())


def brier(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean squared distance of the probabilities from 1 for the true class and 0 for the others.

    Summed over the classes and averaged over the images, 0 to 2, lower is better (Brier 1950,
    Verification of Forecasts Expressed in Terms of Probability); with two classes it is twice the
    score of one of them.
    """
    truth = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


def scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Expected calibration error, Brier score, and mean confidence less accuracy.

    The negative log-likelihood, the third usual measure (Guo et al. 2017), is `loss` of
    scores.overall. A positive `overconfidence` means that the network promises too much.
    """
    confidence = probabilities.max(axis=1).astype(float)
    right = probabilities.argmax(axis=1) == labels
    return {
        "calibration_error": expected_calibration_error(reliability(probabilities, labels)),
        "brier": brier(probabilities, labels),
        "overconfidence": float(confidence.mean() - right.mean()),
    }


def beside(bins: pd.DataFrame, calibrated: pd.DataFrame) -> pd.DataFrame:
    """Two tables of `reliability` in one: the second's columns are named `calibrated_<column>`."""
    return bins.join(calibrated.drop(columns=["low", "high"]).add_prefix("calibrated_"))


def calibrated_scores(calibrated: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Calibration error, Brier score and loss of calibrated probabilities, shapes as above."""
    error = expected_calibration_error(reliability(calibrated, labels))
    found = {"calibration_error": error, "brier": brier(calibrated, labels)}
    found["loss"] = loss(calibrated, labels)
    return {f"calibrated_{name}": value for name, value in found.items()}
