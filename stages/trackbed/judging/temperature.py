"""One number that makes probabilities as sure as they may be (Guo et al. 2017, arXiv 1706.04599).

The logarithms of the probabilities are the logits but for a constant per image, which softmax
takes out again. So dividing them by a temperature is what dividing the logits is.
"""

from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from trackbed import inputs
from trackbed.outputs import write_json
from trackbed.problems import Problem

CALIBRATION_FILE = "calibration.json"
# Where every validation answer is right, the likeliest temperature is 0, certainty; where they
# are chance, it has no upper end. Networks in Guo et al. 2017 have 0.9 to 3.
BOUNDS = (0.1, 10.0)
TOLERANCE = 1e-6  # of the logarithm of the temperature
DIGITS = 6  # that are kept
# Softmax in float32 gives 0 where a probability is smaller; 0 has no logarithm.
SMALLEST = float(np.finfo(np.float32).tiny)
REMEDY = "Run `dvc repro -f train`."


def fitted(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the lowest mean negative log-likelihood, within BOUNDS.

    probabilities: float, finite, shape (images, classes); labels: int, shape (images,). The
    likelihood has one maximum, because its logarithm is concave in 1 / temperature. 1 without
    images.
    """
    if not len(labels):
        return 1.0
    logits, own = _logits(probabilities), np.arange(len(labels))

    def loss(logarithm: float) -> float:
        return float(-_log_softmax(logits / np.exp(logarithm))[own, labels].mean())

    options = {"xatol": TOLERANCE}
    found = minimize_scalar(loss, bounds=np.log(BOUNDS), method="bounded", options=options)
    return round(float(np.exp(found.x)), DIGITS)


def applied(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log(probabilities) / temperature): float64, shape (images, classes).

    The order of the classes of an image stays, and with it the answer; above 1 the answer becomes
    less sure.
    """
    return np.exp(_log_softmax(_logits(probabilities) / temperature))


def write(folder: Path, temperature: float) -> None:
    """Write calibration.json into a folder."""
    write_json(folder / CALIBRATION_FILE, {"temperature": temperature})


def read(folder: Path) -> float:
    """The temperature in the calibration.json of a folder. Raises Problem for none above 0."""
    path = folder / CALIBRATION_FILE
    value = inputs.json_object(path, REMEDY).get("temperature")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
        raise Problem(f"{path}: temperature must be a number above 0, is {value!r}. {REMEDY}")
    return float(value)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, SMALLEST, dtype=np.float64))


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
