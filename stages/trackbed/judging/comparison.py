"""Two classifiers on the same images: what one mends and breaks, and whether it is chance."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from trackbed.judging import intervals, predictions, scores


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
    names = predictions.classes(first)
    if names != predictions.classes(second):
        raise ValueError(f"the classes are {names} and {predictions.classes(second)}")
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
    tables = [
        scores.per_class(scores.confusion(labels, said, len(names)))["f1"]
        for said in (before, after)
    ]
    rows = _rows(both)
    mended = (before != labels) & (after == labels)
    broken = (before == labels) & (after != labels)
    return Comparison(
        images=len(both),
        groups=both["group_second"].nunique(),
        left_out=(len(first) - len(both), len(second) - len(both)),
        macro_f1=tuple(float(np.nanmean(table)) for table in tables),
        accuracy=(float((before == labels).mean()), float((after == labels).mean())),
        difference=intervals.macro_f1_difference(labels, (after, before), groups, len(names), seed),
        mended=rows[mended].sort_values(["confidence", "record"], ascending=[False, True]),
        broken=rows[broken].sort_values(["confidence", "record"], ascending=[False, True]),
        p_value=mcnemar(int(mended.sum()), int(broken.sum())),
        classes=_classes(names, tables, labels),
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


def _classes(names: list[str], tables: list[pd.Series], labels: np.ndarray) -> pd.DataFrame:
    before, after = (table.to_numpy() for table in tables)
    return pd.DataFrame(
        {
            "class_name": names,
            "f1_first": before,
            "f1_second": after,
            "difference": after - before,
            "images": np.bincount(labels, minlength=len(names)),
        }
    )
