"""Experiments of a commit, ranked, and the best compared with the next, as text."""

from collections.abc import Sequence

import pandas as pd

from trackbed.problems import Problem
from trackbed.running import revisions
from trackbed.running.experiments import Experiment
from trackbed.telling import comparison_page, sweep_page, wording


def standing(runs: pd.DataFrame, keys: Sequence[str], setting: pd.Series) -> pd.Series:
    """The run that stands for a setting: its first fold and seed."""
    return sweep_page.rows_of(runs, keys, setting).iloc[0]


def text(
    table: pd.DataFrame,
    runs: pd.DataFrame,
    keys: Sequence[str],
    known: Sequence[Experiment],
    metric: str,
    most: int,
) -> str:
    """The best `most` settings, one line each, with the interval of the score where it is known.

    table and runs: see crossvalidation.table. The interval is that over folds; for a test score of
    single runs it is the one of metrics/evaluate.json.
    """
    tests = {one.name: one.test for one in known}
    ranked = table[table["mean"].notna()]
    shown = ranked.head(most).rename(columns={"mean": metric}).copy()
    names = [standing(runs, keys, row)["name"] for _, row in ranked.head(most).iterrows()]
    if metric.startswith("test_") and ranked["splits"].max() < 2:
        for end in ("low", "high"):
            key = f"{metric.removeprefix('test_')}_{end}"
            shown[end] = [tests[name].get(key, float("nan")) for name in names]
    shown["experiment"] = names
    columns = ["rank", metric, "low", "high", "splits", *keys]
    columns += [name for name in ("test_macro_f1",) if name != metric]
    told = shown[[*columns, "experiment"]].dropna(axis="columns", how="all")
    lines = [f"{wording.plural(len(ranked), 'setting')}, ranked by {metric}"]
    lines += [told.to_string(index=False, float_format="{:.4f}".format, na_rep="-")]
    if len(ranked) < len(table):
        others = wording.plural(len(table) - len(ranked), "setting")
        lines.append(f"{others} without a rank: on fewer folds than the others; see --folds.")
    return "\n".join(lines)


def compared(table: pd.DataFrame, runs: pd.DataFrame, keys: Sequence[str], metric: str) -> str:
    """Whether the best setting beats the runner-up by more than noise, and how that was told.

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
    said = f"Best: {best}. The runner-up is {names[0]}. "
    try:
        change = revisions.comparison(*(row["commit"] for row in rows))
    except Problem as problem:
        return said + f"Whether the difference is noise cannot be told: {problem}"
    return said + (
        f"On {change.images} test images of {change.groups} groups, paired: "
        f"{comparison_page.verdict(change, *names)}"
    )
