"""The epoch log of a training run: read, as a table, and as curves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from trackbed.curves import log_folders
from trackbed.curves.analysis import Analysis, analysis
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError
from trackbed.reporting import figure_style, formatting
from trackbed.reporting.figure_style import BLUE, MUTED, ORANGE

FOLDER = "train"  # in the metrics folder
SUMMARY_FILE = "metrics.json"
CURVES = (
    "train/loss",
    "train/accuracy",
    "train/macro_f1",
    "val/loss",
    "val/accuracy",
    "val/macro_f1",
    "learning_rate",
)
REMEDY = "Run `dvc repro -f train`."


@dataclass(frozen=True)
class TrainingLog:
    """What a training run wrote.

    curves: one row per epoch (index `epoch`, from 1), columns as in CURVES; a value that is not a
    finite number in the log (a loss that overflowed) is NaN or infinite. summary: metrics.json
    (best_epoch, epochs, stopped_early, ...), content: its bytes. analysis: the findings about the
    curves.
    """

    curves: pd.DataFrame
    summary: dict[str, Any]
    content: bytes
    analysis: Analysis


def read(folder: Path) -> TrainingLog:
    """Read every curve and the summary once.

    Raises UserError for a file that is missing or broken, and for a curve of other epochs than
    the first.
    """
    files = folder / "plots" / "metrics"
    logged = {path.relative_to(files).with_suffix("").as_posix() for path in files.rglob("*.tsv")}
    series = {name: _curve(files / f"{name}.tsv") for name in sorted(logged | set(CURVES))}
    first = series[CURVES[0]].index
    for name in CURVES:
        if not series[name].index.equals(first):
            raise UserError(
                f"{folder}: curve {name} has other epochs than {CURVES[0]}, {len(series[name])} "
                f"rows against {len(first)}. {REMEDY}"
            )
    summary = tables.metrics(folder / SUMMARY_FILE, REMEDY)
    content = (folder / SUMMARY_FILE).read_bytes()
    history = log_folders.dvclive_history(folder, series, summary)
    return TrainingLog(history.table[list(CURVES)], summary, content, analysis(history))


def _curve(path: Path) -> pd.Series:
    """One curve, indexed by epoch. DVCLive calls the column by the last part of the name."""
    table = tables.read_csv(path, REMEDY, sep="\t")
    if list(table.columns) != ["step", path.stem]:
        raise UserError(
            f"{path}: columns are {list(table.columns)}, expected ['step', '{path.stem}']. {REMEDY}"
        )
    numeric = all(pd.api.types.is_numeric_dtype(table[column]) for column in table)
    if table.empty or not numeric or not table["step"].is_unique:
        raise UserError(
            f"{path}: expected one number per epoch, found {len(table)} rows with "
            f"{table['step'].nunique()} different steps. {REMEDY}"
        )
    return table.set_index("step")[path.stem].astype(float)


COLUMNS = {
    "train/loss": "Training loss",
    "val/loss": "Validation loss",
    "train/accuracy": "Training accuracy",
    "val/accuracy": "Validation accuracy",
    "train/macro_f1": "Training macro F1",
    "val/macro_f1": "Validation macro F1",
    "learning_rate": "Learning rate",
}
LOW_IS_GOOD = ("train/loss", "val/loss")
UNSCORED = ("learning_rate",)
FEW = 15  # up to here all epochs are listed
SPREAD = 8  # of more, about so many at equal distances


@dataclass(frozen=True)
class Epoch:
    """A row: values in the order of COLUMNS, whether each is the best of its column; whether the
    weights of this epoch are kept; whether the collapsed table lists it."""

    number: int
    values: tuple[float, ...]
    best: tuple[bool, ...]
    kept: bool
    listed: bool


def epoch_rows(history: pd.DataFrame, best_epoch: int | None) -> list[Epoch]:
    """All epochs. history: see TrainingLog.curves; of equal best values the first is marked."""
    table = history[list(COLUMNS)]
    marks = {name: best_value_epoch(table[name], low=name in LOW_IS_GOOD) for name in COLUMNS}
    marks |= dict.fromkeys(UNSCORED)
    listed = selected_epochs(table.index, best_epoch, [mark for mark in marks.values() if mark])
    return [
        Epoch(
            number=int(epoch),
            values=tuple(values),
            best=tuple(epoch == mark for mark in marks.values()),
            kept=epoch == best_epoch,
            listed=epoch in listed,
        )
        for epoch, values in zip(table.index, table.to_numpy(), strict=True)
    ]


def best_value_epoch(values: pd.Series, *, low: bool) -> int | None:
    """The epoch of the best finite value, the first of equal ones; None without any."""
    finite = values[np.isfinite(values)]
    if finite.empty:
        return None
    return int(finite.idxmin() if low else finite.idxmax())


def selected_epochs(epochs: pd.Index, best_epoch: int | None, marked: list[int]) -> set[int]:
    """The first, the last, the kept one with its neighbours, the marked, and some in between."""
    if len(epochs) <= FEW:
        return set(epochs)
    places = np.linspace(0, len(epochs) - 1, SPREAD).round().astype(int)
    chosen = {*epochs[places], *marked}
    if best_epoch is not None:
        chosen |= {best_epoch - 1, best_epoch, best_epoch + 1}
    return chosen & set(epochs)


CURVE_SIZE = (400, 270)  # CSS pixels


@figure_style.styled
def curve_figure(history: pd.DataFrame, quantity: str, best_epoch: int | None) -> Markup:
    """Training and validation of a quantity ('loss', 'accuracy', 'macro_f1') over the epochs."""
    figure, axes = figure_style.axes(*CURVE_SIZE)
    training, validation = history[f"train/{quantity}"], history[f"val/{quantity}"]
    marker = "o" if len(history) == 1 else None
    axes.plot(training, color=MUTED, linestyle=(0, (5, 2)), marker=marker, label="training")
    axes.plot(validation, color=BLUE, linewidth=2, marker=marker, label="validation")
    title = {"loss": "Loss", "accuracy": "Accuracy", "macro_f1": "Macro F1"}[quantity]
    description = (
        f"{title} of training and validation over {formatting.plural(len(history), 'epoch')}."
    )
    if best_epoch in history.index:
        _mark_epoch(axes, best_epoch, validation[best_epoch])
        description += (
            f" Best epoch {best_epoch}: validation {formatting.share(validation[best_epoch])}."
        )
    _epochs(axes, len(history))
    figure_style.legend(axes, title)
    return figure_style.inline(figure, f"curve_{quantity}", description)


@figure_style.styled
def learning_rate_figure(history: pd.DataFrame) -> Markup:
    """The learning rate at the end of every epoch, on a logarithmic scale where it varies."""
    figure, axes = figure_style.axes(*CURVE_SIZE)
    rates = history["learning_rate"]
    axes.plot(rates, color=BLUE, linewidth=2, marker="o" if len(rates) == 1 else None)
    if rates.min() > 0 and rates.max() > 2 * rates.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
    # Matplotlib writes powers of ten in mathtext, which is switched off.
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    _epochs(axes, len(history))
    axes.set_title("Learning rate", loc="left")
    first, last = rates.iloc[0], rates.iloc[-1]
    return figure_style.inline(
        figure,
        "learning_rate",
        f"Learning rate: {first:g} in the first epoch, {last:g} in the last.",
    )


def _mark_epoch(axes: Axes, epoch: int, value: float) -> None:
    axes.axvline(epoch, color=ORANGE, linewidth=1, linestyle=":")
    if np.isfinite(value):
        axes.plot(epoch, value, "o", color=ORANGE, label=f"best ({epoch})")


def _epochs(axes: Axes, epochs: int) -> None:
    margin = max(0.5, 0.02 * epochs)
    axes.set_xlim(1 - margin, epochs + margin)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def _plain(value: float, _: int) -> str:
    return f"{value:g}"
