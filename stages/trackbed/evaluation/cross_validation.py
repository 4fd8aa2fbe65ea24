"""Cross-validation tables: several settings, each run on several folds.

A table of runs has a row per run with the columns `fold`, `seed`, one per parameter that varies
(its value as text), `seconds` of training, and scores such as `val_macro_f1`; `folds` is the number
of folds of the split, of which some may not have run. Folds are what is repeated; a fold's score is
the mean of its seeds. Where there is one fold, seeds are repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.evaluation import intervals, scores

SCORE = "val_macro_f1"
LOSS = "val_loss"
SCORES = ("val_macro_f1", "val_accuracy", LOSS)
LEVEL = 0.95
DIGITS = 12  # a smaller difference of two means is rounding


@dataclass(frozen=True)
class Difference:
    """First less second, with its 95 % interval, over so many folds or seeds (`of`)."""

    value: float
    low: float
    high: float
    count: int
    of: str

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.count > 1 and not self.low <= 0 <= self.high


def repeated(runs: pd.DataFrame) -> str:
    """What is repeated: 'fold', or 'seed' where there is one fold and more than one seed."""
    return "seed" if runs["fold"].nunique() == 1 and runs["seed"].nunique() > 1 else "fold"


def splits(
    runs: pd.DataFrame, keys: Sequence[str], score: str, of_seeds: str = "mean"
) -> pd.DataFrame:
    """A row per setting in the order of the runs, a column per fold (or seed), NaN where none ran.

    of_seeds: what is taken of the seeds of a fold, 'mean', 'min' or 'max'. A fold on which a
    setting lacks a seed that it has on another counts as one that did not run: the mean of fewer
    seeds is another quantity. The index holds the values of `keys`, as tuples.
    """
    named = [tuple(row) for row in runs[list(keys)].to_numpy()]
    settings = pd.Series(named, index=runs.index, dtype=object)
    across = repeated(runs)
    cells = runs[score].groupby([settings, runs[across]], sort=False).agg([of_seeds, "count"])
    most = cells["count"].groupby(level=0).transform("max")
    whole = cells[of_seeds].where(cells["count"] == most)
    order = list(dict.fromkeys(settings))
    columns = sorted(runs[across].unique())
    rows = [[whole.get((setting, column), np.nan) for column in columns] for setting in order]
    index = pd.Index(np.fromiter(order, dtype=object, count=len(order)), tupleize_cols=False)
    return pd.DataFrame(rows, index=index, columns=columns, dtype=float)


def comparable(runs: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The runs on those folds (or seeds) by which settings can be ranked, from any mixture.

    They are those of the setting that has the most; of equally many those that most settings
    have. Settings that lack one of them stay, and get no rank.
    """
    across = repeated(runs)
    groups = runs.groupby(list(keys), sort=False) if keys else [((), runs)]
    sets = [frozenset(rows[across]) for _, rows in groups]
    best = max(sets, key=lambda one: (len(one), sets.count(one), sorted(one, reverse=True)))
    return runs[runs[across].isin(best)].reset_index(drop=True)


def t_interval(
    values: Sequence[float], limits: tuple[float, float] = scores.ANY
) -> tuple[float, float]:
    """95 % interval of the mean by Student's t; (NaN, NaN) for fewer than two values.

    limits: the smallest and the largest possible value. That of a share, 0 to 1, is taken on the
    scale of the log odds, see intervals.logit_t, another one is cut at its limits. It takes the
    values for independent. Scores of folds are not quite, because their training parts overlap,
    and no unbiased estimate of that exists (Bengio and Grandvalet 2004).
    """
    if len(values) < 2:
        return (np.nan, np.nan)
    mean, error = float(np.mean(values)), np.std(values, ddof=1) / np.sqrt(len(values))
    if limits == scores.SHARE and 0 < mean < 1:
        return intervals.logit_t(mean, error, len(values) - 1, LEVEL)
    reach = intervals.t_quantile((1 + LEVEL) / 2, len(values) - 1) * error
    return _within(mean - reach, limits), _within(mean + reach, limits)


def _within(value: float, limits: tuple[float, float]) -> float:
    return float(np.clip(value, *limits))


def table(
    runs: pd.DataFrame, keys: Sequence[str], score: str = SCORE, lower: bool = False
) -> pd.DataFrame:
    """Settings, best first: rank, values, mean, std (of a sample), low, high, min, max, splits,
    scores. min and max are those of single runs, over all folds and seeds.

    Equal means share a rank and are ordered by the lower validation loss, then as in the runs. A
    setting that lacks a fold on which others ran has no mean and comes last: another fold may be
    easier. lower: whether a lower score is better. Other scores of the runs are means.
    """
    values = splits(runs, keys, score)
    means = values.mean(axis=1, skipna=False)
    others = [name for name in _scores(runs) if name != score]
    made = pd.DataFrame(list(values.index), columns=list(keys), index=values.index)
    made.insert(0, "rank", _ranks(means, lower))
    made["mean"], made["std"] = means, values.std(axis=1, ddof=1, skipna=False)
    limits = scores.limits(score)
    made[["low", "high"]] = [t_interval(row, limits) for row in values.to_numpy()]
    for end in ("min", "max"):
        made[end] = splits(runs, keys, score, end).agg(end, axis=1).where(means.notna())
    made["splits"] = values.notna().sum(axis=1)
    for name in others:
        made[name] = splits(runs, keys, name).mean(axis=1, skipna=False)
    ties = [LOSS] if LOSS in made else []
    return made.sort_values(["rank", *ties], kind="stable").reset_index(drop=True)


def cv_results(
    runs: pd.DataFrame, keys: Sequence[str], score: str = SCORE, lower: bool = False
) -> pd.DataFrame:
    """The table as `GridSearchCV.cv_results_` has it, one row per setting in the order of the runs.

    As there, `test` means the validation fold, the standard deviation is that of the population,
    and equal means share the better rank.
    """
    values, times = splits(runs, keys, score), splits(runs, keys, "seconds")
    means = values.mean(axis=1, skipna=False)
    made: dict[str, object] = {"mean_fit_time": times.mean(axis=1, skipna=False).to_numpy()}
    made["std_fit_time"] = times.std(axis=1, ddof=0, skipna=False).to_numpy()
    for place, key in enumerate(keys):
        made[f"param_{key}"] = [setting[place] for setting in values.index]
    for number, column in enumerate(values):
        made[f"split{number}_test_score"] = values[column].to_numpy()
    made["mean_test_score"] = means.to_numpy()
    made["std_test_score"] = values.std(axis=1, ddof=0, skipna=False).to_numpy()
    made["rank_test_score"] = _ranks(means, lower)
    return pd.DataFrame(made)


def marginals(runs: pd.DataFrame, keys: Sequence[str], score: str = SCORE) -> pd.DataFrame:
    """Per value of every parameter: key, value, runs, mean, std, low, high.

    The mean over all settings that have the value. Deviation and interval are those of the folds'
    means, not of the runs: runs on one fold share its images.
    """
    rows = []
    for key in keys:
        for value in dict.fromkeys(runs[key]):
            own = runs[runs[key] == value].dropna(subset=[score])
            means = own.groupby(repeated(runs))[score].mean().to_numpy()
            low, high = t_interval(means, scores.limits(score))
            spread = np.std(means, ddof=1) if len(means) > 1 else np.nan
            mean = means.mean() if len(means) else np.nan
            rows.append((key, value, len(own), mean, spread, low, high))
    names = ["key", "value", "runs", "mean", "std", "low", "high"]
    return pd.DataFrame(rows, columns=names)


def difference(
    runs: pd.DataFrame, keys: Sequence[str], first: tuple, second: tuple, score: str = SCORE
) -> Difference:
    """One setting less another, paired over the folds (or seeds) that both have.

    Over folds the interval is that of the corrected resampled t-test (Nadeau and Bengio 2003):
    the variance of the mean of n differences is (1/n + r) times theirs, with r the images of a
    validation fold divided by those trained on, because training parts overlap. In a split of k
    folds r is 1/(k - 1), however many of them ran. Without r it finds differences where there are
    none. The interval is cut to what a difference can be, -1 to 1 of shares, which changes neither
    its coverage nor whether it leaves out 0.
    """
    across = repeated(runs)
    values = splits(runs, keys, score)
    places = [list(values.index).index(setting) for setting in (first, second)]
    paired = values.iloc[places[0]] - values.iloc[places[1]]
    paired = paired.dropna().to_numpy()
    count = len(paired)
    mean = float(paired.mean()) if count else np.nan
    if count < 2:
        return Difference(mean, np.nan, np.nan, count, across)
    overlap = 1 / (_folds(runs) - 1) if across == "fold" else 0.0
    error = np.sqrt((1 / count + overlap) * paired.var(ddof=1))
    reach = float(intervals.t_quantile((1 + LEVEL) / 2, count - 1) * error)
    least, most = scores.limits(score)
    ends = [_within(end, (least - most, most - least)) for end in (mean - reach, mean + reach)]
    return Difference(mean, *ends, count, across)


def _folds(runs: pd.DataFrame) -> int:
    """The folds of the split; where the runs do not say, as many as ran."""
    ran = runs["fold"].nunique()
    return max(ran, int(runs["folds"].max())) if "folds" in runs else ran


def _scores(runs: pd.DataFrame) -> list[str]:
    names = [name for name in runs if str(name).startswith(("val_", "test_"))]
    return [*names, "seconds"]


def _ranks(means: pd.Series, lower: bool) -> np.ndarray:
    """1 for the best; settings without a mean share the last rank."""
    from scipy.stats import rankdata

    better = means.round(DIGITS).to_numpy() * (1 if lower else -1)
    return rankdata(np.where(np.isnan(better), np.inf, better), method="min").astype(int)
