"""Scores of a classifier from labels and probabilities; all shares are 0 to 1.

A value that is not defined, such as the recall of a class without test images, is NaN.
"""

import numpy as np
import pandas as pd
from sklearn import metrics

MEASURES = (
    "precision",
    "recall",
    "specificity",
    "f1",
    "accuracy",
    "type_1_error",
    "type_2_error",
)
BOUNDS = ("f1_low", "f1_high")
COUNTS = ("support", "true_positive", "false_positive", "false_negative", "true_negative")


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts of images, int, shape (true class, predicted class); labels: int, shape (images,)."""
    return metrics.confusion_matrix(labels, predicted, labels=np.arange(classes))


def named(matrix: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """A confusion matrix as a table: column `true`, then one column per predicted class."""
    table = pd.DataFrame(matrix, columns=classes)
    table.insert(0, "true", classes, allow_duplicates=True)
    return table


def per_class(matrix: np.ndarray) -> pd.DataFrame:
    """One row per class, every class against the rest; columns MEASURES and COUNTS.

    Precision, recall and F1 as in scikit-learn. Specificity is the share of the other classes'
    images that are not taken for this class; type I error is its complement (false alarms),
    type II error the complement of the recall (misses); accuracy counts both right answers.
    A class without images has neither recall nor F1; precision is undefined where a class is
    never predicted.
    """
    right = np.diag(matrix)
    support, calls, total = matrix.sum(axis=1), matrix.sum(axis=0), matrix.sum()
    misses, alarms = support - right, calls - right
    rest = total - right - misses - alarms
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            "precision": right / calls,
            "recall": right / support,
            "specificity": rest / (rest + alarms),
            "f1": np.where(support > 0, 2 * right / (support + calls), np.nan),
            "accuracy": (right + rest) / total,
            "type_1_error": alarms / (rest + alarms),
            "type_2_error": misses / support,
        }
    counts = (support, right, alarms, misses, rest)
    return pd.DataFrame(columns | dict(zip(COUNTS, counts, strict=True)))


def averages(table: pd.DataFrame) -> pd.DataFrame:
    """Rows 'macro avg' and 'weighted avg' (scikit-learn's words) of a per-class table.

    Both leave out classes without images. A class that is never predicted counts with
    precision 0, as in scikit-learn's classification report. The macro average of F1 is the
    mean of the class F1s (Opitz and Burst 2019, arXiv 1911.03347).
    """
    present = table[table["support"] > 0].fillna({"precision": 0.0})
    rows = {
        "macro avg": present[list(MEASURES)].mean(),
        "weighted avg": present[list(MEASURES)].mul(present["support"], axis=0).sum()
        / present["support"].sum(),
    }
    return pd.DataFrame(rows).T.assign(support=present["support"].sum())


def summary(
    table: pd.DataFrame, classes: list[str], f1: np.ndarray, macro_f1: tuple[float, float]
) -> pd.DataFrame:
    """The per-class table with the class names in front and the two averages behind.

    f1: intervals of the class F1s, float, shape (classes, 2); they stand in the columns f1_low and
    f1_high, with that of the macro average, behind the measures. The weighted average has none.
    """
    named = pd.concat([table.set_axis(classes), averages(table)])
    bounds = np.vstack([f1, macro_f1, (np.nan, np.nan)])
    for place, name in enumerate(BOUNDS):
        named.insert(len(MEASURES) + place, name, bounds[:, place])
    return named.rename_axis("class_name").reset_index().astype(dict.fromkeys(COUNTS, "Int64"))


def top_k(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Share of images whose true class is among the k most probable, 0 to 1.

    probabilities: float, shape (images, classes); labels: int, shape (images,).
    A tie at rank k counts as a hit, as in tf.math.in_top_k.
    Raises ValueError unless 1 <= k <= classes.
    """
    if not 1 <= k <= probabilities.shape[1]:
        raise ValueError(f"k must be 1 to {probabilities.shape[1]}. Received k={k}")
    own = probabilities[np.arange(len(labels)), labels]
    return float(np.mean((probabilities > own[:, None]).sum(axis=1) < k))


def confidence(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Mean highest probability of right and of wrong answers, and the gap between the two."""
    highest = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    of_right = float(highest[right].mean()) if right.any() else np.nan
    of_wrong = float(highest[~right].mean()) if not right.all() else np.nan
    return {
        "confidence_right": of_right,
        "confidence_wrong": of_wrong,
        "confidence_gap": of_right - of_wrong,
    }


def loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-likelihood in nats, of probabilities of at least 1.2e-7 (float32)."""
    told = probabilities.astype(np.float32)
    return metrics.log_loss(labels, told, labels=np.arange(probabilities.shape[1]))


def overall(probabilities: np.ndarray, labels: np.ndarray, k: int) -> dict[str, float]:
    """The scores of the whole test part, macro F1 first; k is cut to the number of classes."""
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    mean = averages(per_class(confusion(labels, predicted, classes)))
    k = min(k, classes)
    return {
        "macro_f1": mean.loc["macro avg", "f1"],
        "accuracy": float(np.mean(predicted == labels)),
        "balanced_accuracy": mean.loc["macro avg", "recall"],
        "macro_precision": mean.loc["macro avg", "precision"],
        "macro_recall": mean.loc["macro avg", "recall"],
        "weighted_f1": mean.loc["weighted avg", "f1"],
        f"top_{k}": top_k(probabilities, labels, k),
        "loss": loss(probabilities, labels),
        **confidence(probabilities, labels),
    }
