"""All figures of the report by name, as inline SVG."""

from typing import Any

import pandas as pd
from markupsafe import Markup

from trackbed.telling import class_figures, curve_figures, heatmap
from trackbed.telling.results import Results


def drawn(
    results: Results, counts: pd.DataFrame, history: pd.DataFrame, training: dict[str, Any]
) -> dict[str, Markup]:
    """counts: see findings.counts; history and training: see curves.read and curves.summary."""
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
    }
