"""All figures of the report by name, as inline SVG and as files."""

from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from trackbed.outputs import replacing_folder
from trackbed.telling import (
    balance_figure,
    canvas,
    class_figures,
    confidence_figures,
    corruption_figures,
    curve_figures,
    heatmap,
)
from trackbed.telling.results import Results


def drawn(
    results: Results,
    counts: pd.DataFrame,
    history: pd.DataFrame,
    training: dict[str, Any],
    reliability: pd.DataFrame,
    coverage: pd.DataFrame,
    corruptions: pd.DataFrame,
) -> dict[str, Markup]:
    """counts: see dataset.counts; history and training: see curves.read and curves.summary;
    reliability: see judging.calibration; coverage: see judging.refusal; corruptions: see
    judging.robustness.
    """
    best_epoch = training.get("best_epoch")
    return {
        "distribution": class_figures.distribution(counts),
        "loss": curve_figures.curve(history, "loss", best_epoch),
        "accuracy": curve_figures.curve(history, "accuracy", best_epoch),
        "macro_f1": curve_figures.curve(history, "macro_f1", best_epoch),
        "learning_rate": curve_figures.learning_rate(history),
        "class_scores": class_figures.class_scores(results.classes),
        "errors": class_figures.errors(results.classes),
        "radar": class_figures.radar(results.averages.loc["macro avg"]),
        "confusion": heatmap.confusion(results.confusion),
        "confusion_shares": heatmap.confusion(results.confusion, percent=True),
        "confidence": confidence_figures.histogram(reliability),
        "reliability": confidence_figures.reliability(reliability),
        "coverage": confidence_figures.coverage(coverage, results.scores),
        "balance": balance_figure.scatter(balance_figure.balance(counts, results.classes)),
        **corruption_figures.drawn(corruptions),
    }


def write(folder: Path, figures: dict[str, Markup]) -> None:
    """Write every figure as NAME.svg into a new folder."""
    with replacing_folder(folder) as written:
        for name, svg in figures.items():
            (written / f"{name}.svg").write_text(canvas.standalone(svg), encoding="utf-8")
