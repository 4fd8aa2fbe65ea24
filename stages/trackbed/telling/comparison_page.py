"""Two runs compared, as text and as one HTML page that needs nothing else."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from trackbed.judging.comparison import Comparison
from trackbed.telling import page, pictures


@dataclass(frozen=True)
class Changed:
    """An image that only one of two classifiers has right; `picture` is a data URI."""

    picture: str
    filename: str
    true: str
    first: str
    second: str
    confidence: float


def verdict(change: Comparison, first: str, second: str) -> str:
    """The difference in a sentence or two."""
    value, low, high = change.difference
    moved = f"{len(change.mended)} images are mended and {len(change.broken)} broken."
    if not change.distinguishable:
        return (
            f"{first} and {second} are not distinguishable: macro F1 differs by {value:+.3f}, and "
            f"its 95 % interval, {low:+.3f} to {high:+.3f}, holds 0. {moved}"
        )
    better, other = (second, first) if value > 0 else (first, second)
    return (
        f"{better} is better than {other}: macro F1 differs by {abs(value):.3f} (95 % interval "
        f"{min(abs(low), abs(high)):.3f} to {max(abs(low), abs(high)):.3f}). {moved}"
    )


def text(change: Comparison, first: str, second: str) -> str:
    """The comparison for a terminal."""
    classes = change.classes.set_index("class_name")
    shown = classes.loc[classes["difference"].abs().sort_values(ascending=False).index]
    return "\n".join(
        [
            verdict(change, first, second),
            f"macro F1 {change.macro_f1[0]:.4f} -> {change.macro_f1[1]:.4f}, accuracy "
            f"{change.accuracy[0]:.4f} -> {change.accuracy[1]:.4f}, McNemar p = "
            f"{change.p_value:.3g}; {change.images} images of {change.groups} groups",
            shown.head(10).to_string(float_format="{:.4f}".format, na_rep="-"),
        ]
    )


def write(
    path: Path,
    change: Comparison,
    names: tuple[str, str],
    records_path: Path,
    index: pd.DataFrame,
    most: int,
) -> None:
    """Write the page, with the pictures of up to `most` mended and as many broken images."""
    first, second = names
    content = {
        "change": change,
        "first": first,
        "second": second,
        "verdict": verdict(change, first, second),
        "mended": _changed(change.mended.head(most), records_path, index),
        "broken": _changed(change.broken.head(most), records_path, index),
    }
    page.write(path, page.environment(autoescape=True), "comparison.html.j2", content)


def _changed(rows: pd.DataFrame, records_path: Path, index: pd.DataFrame) -> list[Changed]:
    cards = pictures.cards(records_path, index, rows.assign(predicted=rows["second"]))
    return [
        Changed(card.picture, card.filename, card.true, row.first, row.second, card.confidence)
        for card, row in zip(cards, rows.itertuples(), strict=True)
    ]
