"""All findings about one training history, and the scores of its classes."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trackbed.curves import anomalies, best_epoch, convergence, fit, rate_schedule
from trackbed.curves.columns import Column
from trackbed.curves.history import History, loss_pair, robust_deviation
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

FEWEST_EPOCHS = 5
PAUSE = 3.0  # times the median
SLOW, SLOW_DEVIATIONS = 1.25, 5


@dataclass(frozen=True)
class Timing:
    """Seconds. pauses: epochs that took more than three medians, with their seconds; the first
    epoch is no pause but a start (compiling, first reading of files): start. slow: other epochs
    above 1.25 medians and 5 robust deviations. spent: without what pauses took beyond the median.
    waiting: share of the training time without data, 0 to 1, weighted by the time.
    """

    epochs: int
    median: float
    mean: float
    total: float
    spent: float
    start: float | None
    pauses: dict[int, float]
    slow: dict[int, float]
    images_per_second: float | None
    waiting: float | None


def timing(history: History) -> Timing | None:
    """None where the log has no times; extremes need FEWEST_EPOCHS epochs."""
    if history.seconds is None:
        return None
    seconds = history.seconds[np.isfinite(history.seconds) & (history.seconds >= 0)]
    if seconds.empty:
        return None
    median = float(seconds.median())
    later = seconds[seconds.index > 1] if len(seconds) >= FEWEST_EPOCHS else seconds.iloc[:0]
    pauses = later[later > PAUSE * median]
    limit = max(SLOW * median, median + SLOW_DEVIATIONS * robust_deviation(seconds.to_numpy()))
    slow = later[(later > limit) & ~later.index.isin(pauses.index)]
    starts = len(later) and seconds.index[0] == 1 and seconds.iloc[0] > limit
    total = float(seconds.sum())
    return Timing(
        epochs=len(seconds),
        median=median,
        mean=float(seconds.mean()),
        total=total,
        spent=total - float((pauses - median).sum()),
        start=float(seconds.iloc[0]) if starts else None,
        pauses=_by_epoch(pauses),
        slow=_by_epoch(slow),
        images_per_second=_typical(history, "speed"),
        waiting=_waiting(history, seconds),
    )


def _by_epoch(seconds: pd.Series) -> dict[int, float]:
    return {int(epoch): float(value) for epoch, value in seconds.items()}


def _typical(history: History, role: str) -> float | None:
    columns = history.of(role)
    return float(history.finite(columns[0].name).median()) if columns else None


def _waiting(history: History, seconds: pd.Series) -> float | None:
    columns = history.of("waiting")
    if not columns:
        return None
    shares = history.finite(columns[0].name)
    weights = seconds.reindex(shares.index).fillna(0)
    return float(np.average(shares, weights=weights)) if weights.sum() > 0 else None


@dataclass(frozen=True)
class Analysis:
    """The findings of a run; None or empty where the data are missing or too few to say.

    columns: the losses and scores. unknown: columns of no known meaning, kept but not used. parts:
    those with a loss ('train', 'validation', 'test'); comparable_epochs: that have both losses, of
    training and validation. verdicts: of the findings, what matters most
    first; a good fit where there are none; empty where there is too little for a verdict.
    """

    name: str
    kind: str
    epochs: int
    notes: tuple[str, ...]
    columns: tuple[Column, ...]
    unknown: tuple[str, ...]
    parts: tuple[str, ...]
    comparable_epochs: int
    parameters: int | None
    best: best_epoch.Best | None
    others: tuple[best_epoch.Best, ...]
    losses: tuple[convergence.Change, ...]
    milestones: tuple[convergence.Milestones, ...]
    verdicts: tuple[fit.Verdict, ...]
    findings: tuple[fit.Finding, ...]
    fit: fit.Fit | None
    convergence: tuple[convergence.Convergence, ...]
    schedule: rate_schedule.Schedule | None
    anomalies: tuple[anomalies.Anomaly, ...]
    timing: Timing | None

    def values(self) -> dict[str, Any]:
        """Plain lists and dictionaries, as JSON takes them."""
        return asdict(self)


def analysis(
    history: History,
    *,
    monitor: str | None = None,
    patience: int | None = None,
    parameters: int | None = None,
) -> Analysis:
    """Analyse a history.

    monitor: the column that the best epoch goes by; patience: of early stopping, in epochs;
    parameters: of the network; each where the log does not say. Raises UserError for a monitor that
    the history has not.
    """
    monitored = best_epoch.monitored(history, monitor)
    pair = loss_pair(history)
    findings, fitted = fit.findings(history), fit.fit(history)
    verdicts = dict.fromkeys(one.verdict for one in findings)
    return Analysis(
        name=history.name,
        kind=history.kind,
        epochs=len(history.table),
        notes=history.notes,
        columns=(*history.of("loss"), *history.of("metric")),
        unknown=tuple(column.name for column in history.columns if column.role == "other"),
        parts=tuple(dict.fromkeys(column.part for column in history.of("loss"))),
        comparable_epochs=len(pair.train) if pair else 0,
        parameters=parameters if parameters is not None else history.facts.get("parameters"),
        best=best_epoch.best(history, monitored, patience) if monitored else None,
        others=best_epoch.others(history, monitored) if monitored else (),
        losses=convergence.changes(history),
        milestones=convergence.milestones(history),
        verdicts=tuple(verdicts) or ((fitted.verdict,) if fitted else ()),
        findings=findings,
        fit=fitted,
        convergence=convergence.convergence(history, monitored),
        schedule=rate_schedule.schedule(history, monitored),
        anomalies=anomalies.anomalies(history, monitored),
        timing=timing(history),
    )


NAME_COLUMNS = ("class_name", "class", "label", "name")
AVERAGES = {
    "macro avg",
    "weighted avg",
    "micro avg",
    "accuracy",
    "all",
}  # scikit-learn, Ultralytics
CLASS_REMEDY = "Expected one row per class with columns 'class' and 'f1'."


@dataclass(frozen=True)
class ClassScores:
    """best: the classes of the highest F1; worst: the three of the lowest, with it.

    weighted: means weighted by support, by column, where support is known.
    """

    classes: int
    best: tuple[str, ...]
    best_f1: float
    worst: dict[str, float]
    support: int | None
    weighted: dict[str, float]


def read_class_scores(path: Path) -> ClassScores:
    """From a CSV such as plots/evaluation_summary.csv; rows of averages are left out.

    Raises UserError.
    """
    table = tables.read_csv(
        path, CLASS_REMEDY, skipinitialspace=True, dtype=str, keep_default_na=False
    )
    table.columns = [str(name).strip().lower() for name in table.columns]
    key = next((name for name in NAME_COLUMNS if name in table), None)
    if key is None or "f1" not in table:
        raise UserError(
            f"{path}: no scores by class, columns are {list(table.columns)}. {CLASS_REMEDY}"
        )
    table = table[~table[key].str.lower().isin(AVERAGES)].set_index(key)
    numbers = table.apply(pd.to_numeric, errors="coerce")
    if not np.isfinite(numbers["f1"]).any():
        raise UserError(f"{path}: no class has an F1. {CLASS_REMEDY}")
    return class_scores(numbers)


def class_scores(table: pd.DataFrame) -> ClassScores:
    """table: column `f1`, perhaps `support` and others, indexed by class name.

    Ties among the worst keep the order of the table; NaN takes no part.
    """
    f1 = table["f1"].dropna()
    worst = f1.sort_values(kind="stable").head(3)
    weighted, support = {}, None
    if "support" in table:
        counted = table["support"].fillna(0)
        support = int(counted.sum())
        for name in ("accuracy", "precision", "recall", "f1"):
            here = table[name].notna() if name in table else counted < 0
            if counted[here].sum() > 0:
                # The tables of trackbed count both right answers of a class against the rest.
                other = name == "accuracy" and "true_negative" in table
                key = "one-vs-rest accuracy" if other else name
                weighted[key] = float(np.average(table[name][here], weights=counted[here]))
    return ClassScores(
        classes=len(f1),
        best=tuple(f1.index[f1 == f1.max()].astype(str)),
        best_f1=float(f1.max()),
        worst={str(name): float(value) for name, value in worst.items()},
        support=support,
        weighted=weighted,
    )
