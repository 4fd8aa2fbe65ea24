"""Two runs compared, and experiments ranked, as text and as one self-contained HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trackbed.evaluation.comparison import Comparison
from trackbed.experiments import training_runs
from trackbed.experiments.experiment import Experiment
from trackbed.pages import sweep_page
from trackbed.pipeline.errors import UserError
from trackbed.reporting import formatting, html

LONGEST = 40  # characters of a value in the table for the terminal


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
    fixed = formatting.plural(len(change.fixed), "image")
    moved = f"{fixed} fixed and {len(change.newly_wrong)} newly wrong."
    better, other = (second, first) if value > 0 else (first, second)
    if value < 0:
        low, high = -high, -low
    known = np.isfinite(low)
    between = f"95 % interval {low:+.3f} to {high:+.3f}" if known else "95 % interval unknown"
    if change.distinguishable:
        return (
            f"{better} is better than {other}: its macro F1 is higher by {abs(value):.3f} "
            f"({between}). {moved}"
        )
    more = (
        f"{better} has the higher macro F1, by {abs(value):.3f}" if value else "macro F1 is equal"
    )
    reason = "which holds 0" if known else "as all images are of one group"
    return f"{first} and {second} are not distinguishable: {more} ({between}, {reason}). {moved}"


def text(change: Comparison, first: str, second: str) -> str:
    """The comparison for a terminal."""
    classes = change.classes.set_index("class_name")
    table = classes.loc[classes["difference"].abs().sort_values(ascending=False).index]
    return "\n".join(
        [
            verdict(change, first, second),
            f"macro F1 {change.macro_f1[0]:.4f} -> {change.macro_f1[1]:.4f}, accuracy "
            f"{change.accuracy[0]:.4f} -> {change.accuracy[1]:.4f}, McNemar p = "
            f"{change.p_value:.3g}; {change.images} images of {change.groups} groups",
            table.head(10).to_string(float_format="{:.4f}".format, na_rep="-"),
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
    """Write the page, with the pictures of up to `most` fixed and as many newly wrong images."""
    first, second = names
    content = {
        "change": change,
        "first": first,
        "second": second,
        "verdict": verdict(change, first, second),
        "fixed": _changed(change.fixed.head(most), records_path, index),
        "newly_wrong": _changed(change.newly_wrong.head(most), records_path, index),
    }
    html.write_page(path, html.environment(autoescape=True), "comparison.html.j2", content)


def _changed(rows: pd.DataFrame, records_path: Path, index: pd.DataFrame) -> list[Changed]:
    cards = html.cards(records_path, index, rows.assign(predicted=rows["second"]))
    return [
        Changed(card.picture, card.filename, card.true, row.first, row.second, card.confidence)
        for card, row in zip(cards, rows.itertuples(), strict=True)
    ]


def standing(runs: pd.DataFrame, keys: Sequence[str], setting: pd.Series) -> pd.Series:
    """The run that stands for a setting: its first fold and seed."""
    return sweep_page.rows_of(runs, keys, setting).iloc[0]


def ranking_text(
    table: pd.DataFrame,
    runs: pd.DataFrame,
    keys: Sequence[str],
    known: Sequence[Experiment],
    metric: str,
    most: int,
) -> str:
    """The best `most` settings, one line each, with the interval of the score where it is known.

    table and runs: see cross_validation.table. The interval is that over folds; for a test score of
    single runs it is the one of metrics/evaluate.json.
    """
    tests = {one.name: one.test for one in known}
    ranked = table[table["mean"].notna()]
    best = ranked.head(most).rename(columns={"mean": metric}).copy()
    names = [standing(runs, keys, row)["name"] for _, row in ranked.head(most).iterrows()]
    if metric.startswith("test_") and ranked["splits"].max() < 2:
        for end in ("low", "high"):
            key = f"{metric.removeprefix('test_')}_{end}"
            best[end] = [tests[name].get(key, float("nan")) for name in names]
    best["experiment"] = names
    for key in keys:
        best[key] = best[key].map(lambda text: formatting.name(text, LONGEST), na_action="ignore")
    columns = ["rank", metric, "low", "high", "splits", *keys]
    columns += [name for name in ("test_macro_f1",) if name != metric]
    best = best[[*columns, "experiment"]].dropna(axis="columns", how="all")
    lines = [f"{formatting.plural(len(ranked), 'setting')}, ranked by {metric}"]
    lines += [best.to_string(index=False, float_format="{:.4f}".format, na_rep="-")]
    if len(ranked) < len(table):
        others = formatting.plural(len(table) - len(ranked), "setting")
        lines.append(f"{others} not ranked: fewer folds than the others; see --folds.")
    return "\n".join(lines)


def compared(table: pd.DataFrame, runs: pd.DataFrame, keys: Sequence[str], metric: str) -> str:
    """Whether the best setting is significantly better than the runner-up, and how that was tested.

    Over folds where both have several, else on the test predictions of the runs that stand for
    them.
    """
    best = standing(runs, keys, table.iloc[0])["name"]
    ranked = table[table["mean"].notna()]
    if len(ranked) < 2:
        return f"Best: {best}. There is no runner-up."
    first, second = ranked.iloc[0], ranked.iloc[1]
    if min(first["splits"], second["splits"]) > 1:
        return f"Best: {best}. {sweep_page.runner_up(runs, keys, first, second, metric)}"
    rows = [standing(runs, keys, setting) for setting in (second, first)]
    names = [row["name"] for row in rows]
    text = f"Best: {best}. The runner-up is {names[0]}. "
    try:
        change = training_runs.comparison(*(row["commit"] for row in rows))
    except UserError as problem:
        return text + f"The difference cannot be compared with noise: {problem}"
    return text + (
        f"On {change.images} test images of {change.groups} groups, paired: "
        f"{verdict(change, *names)}"
    )
