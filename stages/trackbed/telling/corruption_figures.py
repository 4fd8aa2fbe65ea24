"""How scores fall as images are spoiled, as inline SVG."""

import pandas as pd
from markupsafe import Markup

from trackbed.telling import canvas, wording
from trackbed.telling.canvas import BLUE, DEEP, MUTED, ORANGE

SIZE = (440, 330)  # CSS pixels
TITLES = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}
# Dashes and marks tell apart what has the same colour.
LINES = [(BLUE, "-", "o"), (ORANGE, "-", "s"), (DEEP, "-", "^")]
LINES += [(MUTED, "--", "o"), (BLUE, "--", "s"), (ORANGE, "--", "^")]


def drawn(table: pd.DataFrame) -> dict[str, Markup]:
    """A figure per score, by name; none where no corruption was asked for.

    table: see judging.robustness.
    """
    if not (table["grade"] > 0).any():
        return {}
    return {f"corrupted_{score}": curves(table, score) for score in TITLES}


@canvas.styled
def curves(table: pd.DataFrame, score: str) -> Markup:
    """A score over the grades, one line per corruption; all begin with the images as they are."""
    figure, axes = canvas.axes(*SIZE)
    clean = table.loc[table["grade"] == 0, score].iloc[0]
    last = []
    spoiled = table[table["grade"] > 0].groupby("corruption", sort=False)
    for (name, rows), (colour, dash, mark) in zip(spoiled, LINES, strict=False):
        values = [clean, *rows.sort_values("grade")[score]]
        axes.plot(values, color=colour, linestyle=dash, marker=mark, markersize=4, label=name)
        last.append(f"{name} {wording.share(values[-1])}")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("grade (0: as they are)")
    axes.set_title(f"{TITLES[score]} on spoiled images", loc="left", pad=44)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderpad=0, columnspacing=1.4)
    said = f"{TITLES[score]} {wording.share(clean)} on clean images; at grade 5: {', '.join(last)}."
    return canvas.inline(figure, f"corrupted_{score}", said)
