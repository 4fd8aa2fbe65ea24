"""Metrics of a classifier from labels and probabilities; all shares are 0 to 1.

A value that is not defined, such as the recall of a class without test images, is NaN.
The scores of evaluate.json, with their names and meanings, are in `scores`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from trackbed.pipeline.tables import EVALUATION_REMEDY, TableFile

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
SUMMARY_TABLE = TableFile(
    "evaluation_summary.csv",
    {
        "class_name": "str",
        **dict.fromkeys([*MEASURES, *BOUNDS], "float64"),
        "support": "int64",
        **dict.fromkeys(COUNTS[1:], "float64"),  # whole numbers, empty in the rows of averages
    },
    EVALUATION_REMEDY,
    empty_is_nan=True,
)
CONFUSION_TABLE = TableFile(
    "confusion_matrix.csv",
    {"true": "str", "predicted": "str", "images": "int64"},
    EVALUATION_REMEDY,
)


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts of images, int, shape (true class, predicted class); labels: int, shape (images,)."""
    cells = np.ravel_multi_index((labels, predicted), (classes, classes))
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def confusion_table(matrix: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """A confusion matrix as rows of CONFUSION_TABLE, which DVC can plot.

    matrix: int, shape (true class, predicted class). The diagonal comes first, in the order of the
    labels, also where it is 0; then the mistakes that occur.
    """
    diagonal = np.arange(len(classes))
    mistakes = np.nonzero(matrix * (1 - np.eye(len(classes), dtype=int)))
    true, predicted = (np.concatenate([diagonal, one]) for one in mistakes)
    names = np.array(classes, dtype=object)
    images = matrix[true, predicted]
    return pd.DataFrame({"true": names[true], "predicted": names[predicted], "images": images})


def confusion_counts(table: pd.DataFrame) -> pd.DataFrame:
    """The confusion matrix in the rows of CONFUSION_TABLE: int, true classes by predicted ones.

    Raises ValueError for a class without its row of right answers, and for a pair listed twice.
    """
    classes = table["true"][table["true"] == table["predicted"]].tolist()
    unknown = sorted({*table["true"], *table["predicted"]} - {*classes})
    if unknown:
        raise ValueError(f"no row of right answers for {unknown}")
    wide = table.pivot(index="true", columns="predicted", values="images")
    counts = wide.reindex(index=classes, columns=classes).fillna(0).astype(int)
    return counts.rename_axis(index=None, columns=None)


def f1(right: np.ndarray, support: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """F1 of every class, NaN for a class without images.

    right: correct answers; support: images of the class; calls: images predicted as the class.
    All three have the same shape, and so has the result.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(support > 0, 2 * right / (support + calls), np.nan)


def mean_f1(class_f1: np.ndarray) -> np.ndarray:
    """Macro F1 from the F1 of every class: float, shape (..., classes) to shape (...).

    The mean of the class F1s, not the F1 of the mean precision and recall (Opitz and Burst 2019,
    arXiv 1911.03347). Classes without images (NaN) are left out; NaN where no class has images.
    """
    with np.errstate(invalid="ignore"):
        return np.nansum(class_f1, axis=-1) / np.isfinite(class_f1).sum(axis=-1)


def macro_f1(labels: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """Macro F1 of predicted classes, see `mean_f1`; labels, predicted: int, shape (images,)."""
    return float(mean_f1(per_class(confusion(labels, predicted, classes))["f1"].to_numpy()))


def scikit_learn_macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Macro F1 by scikit-learn's default: a class that is predicted but has no images counts as 0.

    labels, predicted: int, shape (images,).
    """
    matrix = confusion(labels, predicted, int(max(labels.max(), predicted.max())) + 1)
    counted = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float(np.mean(2 * np.diag(matrix)[counted > 0] / counted[counted > 0]))


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
            "f1": f1(right, support, calls),
            "accuracy": (right + rest) / total,
            "type_1_error": alarms / (rest + alarms),
            "type_2_error": misses / support,
        }
    counts = (support, right, alarms, misses, rest)
    return pd.DataFrame(columns | dict(zip(COUNTS, counts, strict=True)))


def averages(table: pd.DataFrame) -> pd.DataFrame:
    """Rows 'macro avg' and 'weighted avg' (named as in scikit-learn) of a per-class table.

    Both leave out classes without images. A class that is never predicted counts with
    precision 0, as in scikit-learn's classification report. The macro average of F1: `mean_f1`.
    """
    present = table[table["support"] > 0].fillna({"precision": 0.0})
    macro = present[list(MEASURES)].mean()
    macro["f1"] = mean_f1(table["f1"].to_numpy())
    rows = {
        "macro avg": macro,
        "weighted avg": present[list(MEASURES)].mul(present["support"], axis=0).sum()
        / present["support"].sum(),
    }
    return pd.DataFrame(rows).T.assign(support=present["support"].sum())


def summary(
    table: pd.DataFrame,
    classes: list[str],
    f1_intervals: np.ndarray,
    macro_f1_interval: tuple[float, float],
) -> pd.DataFrame:
    """The per-class table with the class names first and the two averages as last rows.

    f1_intervals: of the class F1s, float, shape (classes, 2). They are the columns f1_low and
    f1_high after the measures; the row 'macro avg' has macro_f1_interval, the weighted average
    has none.
    """
    rows = pd.concat([table.set_axis(classes), averages(table)])
    bounds = np.vstack([f1_intervals, macro_f1_interval, (np.nan, np.nan)])
    for place, name in enumerate(BOUNDS):
        rows.insert(len(MEASURES) + place, name, bounds[:, place])
    return rows.rename_axis("class_name").reset_index().astype(dict.fromkeys(COUNTS, "Int64"))


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


def mean_confidence(probabilities: np.ndarray, labels: np.ndarray, *, right: bool) -> float:
    """Mean highest probability of the right answers, or of the wrong ones; NaN without any."""
    chosen = (probabilities.argmax(axis=1) == labels) == right
    return float(probabilities.max(axis=1)[chosen].mean()) if chosen.any() else np.nan


def overconfidence(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean confidence less accuracy, -1 to 1; above 0 the probabilities are too high."""
    right = probabilities.argmax(axis=1) == labels
    return float(probabilities.max(axis=1).astype(float).mean() - right.mean())


def loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-likelihood in nats; probabilities below 1.2e-7 (float32) count as that.

    scikit-learn's log_loss, in float32 as there.
    """
    own = probabilities[np.arange(len(labels)), labels].astype(np.float32)
    tiny = np.finfo(np.float32).eps
    return float(-np.mean(np.log(np.clip(own, tiny, 1 - tiny))))


@dataclass(frozen=True)
class Answers:
    """What formulas read. probabilities, calibrated (with the temperature): float, shape (images,
    classes); labels: int, shape (images,); k: of the top-k accuracy, 1 to classes.
    """

    probabilities: np.ndarray
    calibrated: np.ndarray
    labels: np.ndarray
    k: int

    @cached_property
    def averages(self) -> pd.DataFrame:
        """See averages."""
        matrix = confusion(
            self.labels, self.probabilities.argmax(axis=1), self.probabilities.shape[1]
        )
        return averages(per_class(matrix))

    def average(self, row: str, measure: str) -> float:
        """A cell of `averages`, such as ('macro avg', 'f1')."""
        return float(self.averages.loc[row, measure])

    def confidence(self, *, right: bool) -> float:
        """See mean_confidence."""
        return mean_confidence(self.probabilities, self.labels, right=right)
