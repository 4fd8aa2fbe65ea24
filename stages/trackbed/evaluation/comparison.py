"""Two classifiers on the same test part: the difference, its significance, and the gate."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from trackbed.evaluation import baselines, intervals, metrics
from trackbed.pipeline import params, tables


class GateParams(params.Section):
    """Section `gate`: what `trackbed gate` lets pass."""

    macro_f1_floor: float = Field(ge=0, le=1)
    allowed_drop: float = Field(ge=0, le=1)
    above_baseline: bool = True


@dataclass(frozen=True)
class Comparison:
    """The second classifier against the first, on the same test part.

    macro_f1, accuracy: of both. difference: of macro F1, second less first, with its paired 95 %
    interval over groups (value, low, high). fixed and newly_wrong: rows of the images that only
    the second, only the first has right, with the columns filename, group, record, true, first,
    second and confidence (of the second). p_value: of McNemar's test. classes: per class f1_first,
    f1_second, difference and images.
    """

    images: int
    groups: int
    macro_f1: tuple[float, float]
    accuracy: tuple[float, float]
    difference: tuple[float, float, float]
    fixed: pd.DataFrame
    newly_wrong: pd.DataFrame
    p_value: float
    classes: pd.DataFrame

    @property
    def distinguishable(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return self.difference[1] > 0 or self.difference[2] < 0


def fingerprint(rows: pd.DataFrame, classes: Sequence[str]) -> str:
    """The test part as 12 hexadecimal digits, the `test_part` of evaluate.json.

    rows: of the index, the test part, in any order. It depends on the class names in label order,
    and on the file name, the class and the pixels of every image.
    """
    images = rows[["filename", "class_name", "pixel_hash"]].sort_values("filename")
    content = json.dumps([list(classes), images.to_numpy().tolist()])
    return hashlib.sha256(content.encode("utf-8")).hexdigest()[:12]


def compared(first: pd.DataFrame, second: pd.DataFrame, seed: int = 0) -> Comparison:
    """Compare two tables of predictions (see pipeline.tables), matched by file name.

    Raises ValueError with the reason where they are not of the same test part.
    """
    names = tables.predicted_classes(first)
    both = _matched(first, second)
    labels, before, after = (
        both[column].map({name: label for label, name in enumerate(names)}).to_numpy()
        for column in ("true_first", "predicted_first", "predicted_second")
    )
    groups = both["group_second"].to_numpy()
    class_f1 = [
        metrics.per_class(metrics.confusion(labels, predicted, len(names)))["f1"].to_numpy()
        for predicted in (before, after)
    ]
    rows = _rows(both)
    fixed = (before != labels) & (after == labels)
    newly_wrong = (before == labels) & (after != labels)
    order = {"by": ["confidence", "record"], "ascending": [False, True]}
    return Comparison(
        images=len(both),
        groups=both["group_second"].nunique(),
        macro_f1=tuple(float(metrics.mean_f1(f1)) for f1 in class_f1),
        accuracy=(float((before == labels).mean()), float((after == labels).mean())),
        difference=intervals.macro_f1_difference(labels, (after, before), groups, len(names), seed),
        fixed=rows[fixed].sort_values(**order),
        newly_wrong=rows[newly_wrong].sort_values(**order),
        p_value=mcnemar(int(fixed.sum()), int(newly_wrong.sum())),
        classes=_classes(names, class_f1, labels),
    )


def _matched(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The rows of both tables, one per file name. Raises ValueError, see `compared`."""
    names = [tables.predicted_classes(table) for table in (first, second)]
    if names[0] != names[1]:
        raise ValueError(f"their classes are {names[0]} and {names[1]}")
    both = first.merge(second, on="filename", suffixes=("_first", "_second"))
    if len(both) < max(len(first), len(second)):
        raise ValueError(
            f"their test parts differ: {len(first):,} and {len(second):,} images, "
            f"{len(both):,} of them in both"
        )
    changed = both[both["true_first"] != both["true_second"]]
    if len(changed):
        raise ValueError(
            f"their test parts differ: {len(changed):,} images, such as "
            f"{changed['filename'].iloc[0]}, have another true class"
        )
    return both


def mcnemar(fixed: int, newly_wrong: int) -> float:
    """Two-sided p-value of McNemar's exact test (1947) of as many fixed as newly wrong images.

    It assumes independent images; where groups matter, the interval of the difference counts.
    """
    from scipy.stats import binomtest

    changed = fixed + newly_wrong
    return float(binomtest(fixed, changed).pvalue) if changed else 1.0


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
    scores: Mapping[str, Any], p: GateParams, change: Comparison | None
) -> list[str]:
    """Why the result must not be merged, one sentence each; none if it may.

    scores: of evaluate.json, with macro_f1; where they lack not_above_baseline (evaluations of
    older versions), the baselines are not checked. change: against the base, or None to check the
    scores alone. A drop counts where it is larger than allowed and its interval leaves out 0, so
    that neither noise nor a negligible difference fails the gate.
    """
    found, macro_f1 = [], scores["macro_f1"]
    if macro_f1 < p.macro_f1_floor:
        found.append(f"macro F1 {macro_f1:.4f} is below the floor of {p.macro_f1_floor:.4f}")
    if p.above_baseline and scores.get("not_above_baseline"):
        found.append(
            f"{baselines.shortfall(scores)} (gate.above_baseline: false lets such a model pass)"
        )
    if change is not None:
        value, low, high = change.difference
        if value < -p.allowed_drop and high < 0:
            found.append(
                f"macro F1 fell by {-value:.4f} (95 % interval {-high:.4f} to {-low:.4f}) from "
                f"{change.macro_f1[0]:.4f} to {change.macro_f1[1]:.4f}; {p.allowed_drop:.4f} is "
                "allowed"
            )
    return found
