"""Two classifiers on the same images: what one fixes and breaks, chance, and the gate."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.stats import binomtest

from trackbed.evaluation import intervals, metrics
from trackbed.pipeline import params, tables


class GateParams(params.Section):
    """Section `gate`: what `trackbed gate` lets pass."""

    macro_f1_floor: float = Field(ge=0, le=1)
    allowed_drop: float = Field(ge=0, le=1)


@dataclass(frozen=True)
class Comparison:
    """The second classifier against the first, on the images that both have judged.

    left_out: images of the first and of the second table alone. macro_f1: of both. difference:
    second less first, with its paired 95 % interval over groups (value, low, high). mended and
    broken: rows of images that only the second, only the first has right, the columns filename,
    group, record, true, first, second and confidence (of the second). p_value: McNemar's test.
    classes: per class f1_first, f1_second, difference, support and images.
    """

    images: int
    groups: int
    left_out: tuple[int, int]
    macro_f1: tuple[float, float]
    accuracy: tuple[float, float]
    difference: tuple[float, float, float]
    mended: pd.DataFrame
    broken: pd.DataFrame
    p_value: float
    classes: pd.DataFrame

    @property
    def distinguishable(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return not self.difference[1] <= 0 <= self.difference[2]


def compared(first: pd.DataFrame, second: pd.DataFrame, seed: int = 0) -> Comparison:
    """Compare two tables of predictions (see judging.predictions), matched by file name.

    Raises ValueError where they have no image in common, other classes, or another true class
    for an image.
    """
    names = tables.predicted_classes(first)
    if names != tables.predicted_classes(second):
        raise ValueError(f"the classes are {names} and {tables.predicted_classes(second)}")
    both = first.merge(second, on="filename", suffixes=("_first", "_second"))
    if both.empty:
        raise ValueError("they have no test image in common")
    changed = both[both["true_first"] != both["true_second"]]
    if len(changed):
        raise ValueError(
            f"{len(changed)} images, such as {changed['filename'].iloc[0]}, have another true class"
        )
    labels, before, after = (
        both[column].map({name: label for label, name in enumerate(names)}).to_numpy()
        for column in ("true_first", "predicted_first", "predicted_second")
    )
    groups = both["group_second"].to_numpy()
    class_f1 = [
        metrics.per_class(metrics.confusion(labels, labels_by, len(names)))["f1"].to_numpy()
        for labels_by in (before, after)
    ]
    rows = _rows(both)
    mended = (before != labels) & (after == labels)
    broken = (before == labels) & (after != labels)
    return Comparison(
        images=len(both),
        groups=both["group_second"].nunique(),
        left_out=(len(first) - len(both), len(second) - len(both)),
        macro_f1=tuple(float(metrics.mean_f1(table)) for table in class_f1),
        accuracy=(float((before == labels).mean()), float((after == labels).mean())),
        difference=intervals.macro_f1_difference(labels, (after, before), groups, len(names), seed),
        mended=rows[mended].sort_values(["confidence", "record"], ascending=[False, True]),
        broken=rows[broken].sort_values(["confidence", "record"], ascending=[False, True]),
        p_value=mcnemar(int(mended.sum()), int(broken.sum())),
        classes=_classes(names, class_f1, labels),
    )


def mcnemar(mended: int, broken: int) -> float:
    """P-value of McNemar's exact test (1947): were as many images mended as broken but for chance?

    It takes images for independent; where groups matter, the interval of the difference counts.
    """
    return float(binomtest(mended, mended + broken).pvalue) if mended + broken else 1.0


def _rows(both: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "filename": both["filename"],
            "group": both["group_second"],
            "record": both["record_second"],
            "true": both["true_first"],
            "first": both["predicted_first"],
            "second": both["predicted_second"],
            "confidence": both["confidence_second"],
        }
    )


def _classes(names: list[str], class_f1: list[np.ndarray], labels: np.ndarray) -> pd.DataFrame:
    before, after = class_f1
    return pd.DataFrame(
        {
            "class_name": names,
            "f1_first": before,
            "f1_second": after,
            "difference": after - before,
            "images": np.bincount(labels, minlength=len(names)),
        }
    )


def reasons_against(
    macro_f1: float, floor: float, change: Comparison | None, allowed_drop: float
) -> list[str]:
    """Why the result must not be merged, in words; none if it may.

    change: against the base, or None to look at the floor alone. A drop counts if it is larger
    than allowed and its interval leaves out 0: both, so that neither noise nor a difference that
    nobody minds fails the gate.
    """
    found = []
    if macro_f1 < floor:
        found.append(f"macro F1 {macro_f1:.4f} is below the floor of {floor:.4f}")
    if change is not None:
        value, low, high = change.difference
        if value < -allowed_drop and high < 0:
            found.append(
                f"macro F1 fell by {-value:.4f} (95 % interval {-high:.4f} to {-low:.4f}) from "
                f"{change.macro_f1[0]:.4f} to {change.macro_f1[1]:.4f}; {allowed_drop:.4f} is "
                "allowed"
            )
    return found
