"""How a run went from epoch to epoch, as inline SVG."""

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from trackbed.telling import canvas, wording
from trackbed.telling.canvas import BLUE, MUTED, ORANGE

CURVE_SIZE = (400, 270)  # CSS pixels


@canvas.styled
def curve(history: pd.DataFrame, quantity: str, best_epoch: int | None) -> Markup:
    """Training and validation of a quantity ('loss', 'accuracy', 'macro_f1') over the epochs."""
    figure, axes = canvas.axes(*CURVE_SIZE)
    training, validation = history[f"train/{quantity}"], history[f"val/{quantity}"]
    marker = "o" if len(history) == 1 else None
    axes.plot(training, color=MUTED, linestyle=(0, (5, 2)), marker=marker, label="training")
    axes.plot(validation, color=BLUE, linewidth=2, marker=marker, label="validation")
    title = {"loss": "Loss", "accuracy": "Accuracy", "macro_f1": "Macro F1"}[quantity]
    said = f"{title} of training and validation over {wording.plural(len(history), 'epoch')}."
    if best_epoch in history.index:
        _mark_epoch(axes, best_epoch, validation[best_epoch])
        said += f" Best epoch {best_epoch}: validation {wording.share(validation[best_epoch])}."
    _epochs(axes, len(history))
    canvas.legend(axes, title)
    return canvas.inline(figure, f"curve_{quantity}", said)


@canvas.styled
def learning_rate(history: pd.DataFrame) -> Markup:
    """The learning rate at the end of every epoch, on a logarithmic scale where it varies."""
    figure, axes = canvas.axes(*CURVE_SIZE)
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
    return canvas.inline(
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
