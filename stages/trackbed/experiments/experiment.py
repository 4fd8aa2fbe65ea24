"""The finished experiments of a commit, read from git, and their table."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from trackbed.evaluation import scores
from trackbed.experiments import param_values
from trackbed.experiments.runs import FOLD, SEED
from trackbed.integrity import dvc_repo, git
from trackbed.pipeline import measurements, params, tables
from trackbed.pipeline.errors import UserError

TRAINING_METRICS = "metrics/train/metrics.json"
TEST_METRICS = "metrics/evaluate.json"
CURVES_FOLDER = "metrics/train/plots/metrics"
VALIDATION_COLUMNS = {
    "val_macro_f1": "best.val_macro_f1",
    "val_accuracy": "best.val_accuracy",
    "val_loss": "best.val_loss",
    "seconds": "seconds",
}
TEST_COLUMNS = {"test_macro_f1": "macro_f1", "test_accuracy": "accuracy"}
SOURCE_FOLDERS = ("stages", "recipes")
SOURCE_SUFFIXES = (".yaml", ".yml", ".dvc")
SOURCE_FILES = (".dvc/config", ".dvcignore")
# Top-level folders that no stage reads.
UNREAD_FOLDERS = ("benchmarks", "docs", "metrics", "plots", "tests")


@dataclass(frozen=True)
class Experiment:
    """params: canonical values by section.key. validation and test: scores by key, flat.

    validation also has the `seconds` of the training where it was measured in this workspace.
    test_part: fingerprint of the test images, see evaluation.comparison; None if unknown.
    undefined: the keys of scores without a value.
    """

    name: str
    commit: str
    params: dict[str, Any]
    validation: dict[str, Any]
    test: dict[str, Any]
    test_part: str | None = None
    undefined: frozenset[str] = frozenset()


def finished(baseline: str) -> list[Experiment]:
    """The experiments of a commit (its full hash), sorted by name."""
    prefix = dvc_repo.experiments_reference(baseline)
    references = git.references(prefix)
    return from_commits({name.removeprefix(f"{prefix}/"): sha for name, sha in references.items()})


def from_commits(commits: dict[str, str]) -> list[Experiment]:
    """Experiments by {name: commit}, sorted by name; those without a params.yaml are left out."""
    paths = (str(params.PARAMS), TRAINING_METRICS, TEST_METRICS)
    wanted = [(commit, path) for commit in commits.values() for path in paths]
    texts = dict(zip(wanted, git.file_contents(wanted), strict=True))
    found = []
    for name, commit in sorted(commits.items()):
        values, training, test = (texts[commit, path] for path in paths)
        if values is not None:
            both = _validation(training), _scores(test)
            part = tables.parsed_metrics(test).get("test_part")
            missing = _undefined(training) | _undefined(test)
            found.append(Experiment(name, commit, _flat_params(values), *both, part, missing))
    return found


def on_test_part(known: Sequence[Experiment], test_part: str | None) -> list[Experiment]:
    """The experiments; those of another test part without their test scores."""
    without = {"test": {}, "undefined": frozenset()}
    return [one if one.test_part == test_part else replace(one, **without) for one in known]


def read_curves(
    wanted: Sequence[Experiment], names: Sequence[str]
) -> dict[str, dict[str, pd.Series]]:
    """Curves such as 'val/loss' by experiment and name, indexed by epoch; missing ones left out."""
    pairs = [(one, name) for one in wanted for name in names]
    texts = git.file_contents([(one.commit, f"{CURVES_FOLDER}/{name}.tsv") for one, name in pairs])
    found: dict[str, dict[str, pd.Series]] = {one.name: {} for one in wanted}
    for (one, name), text in zip(pairs, texts, strict=True):
        curve = None if text is None else _parse_curve(text)
        if curve is not None:
            found[one.name][name] = curve
    return found


def equivalent(
    wanted: dict[str, Any], known: Sequence[Experiment], baseline: str, name: str
) -> Experiment | None:
    """The experiment with scores that has exactly these parameters and the commit's code.

    wanted: see param_values.flattened. name: the preferred name, where there are several.
    """
    for one in sorted(known, key=lambda one: one.name != name):
        if one.params == wanted and one.validation:
            others = set(git.changed_paths(baseline, one.commit)) - {str(params.PARAMS)}
            if not any(map(is_source, others)):
                return one
    return None


def add_name(one: Experiment, name: str, baseline: str) -> None:
    """Give an experiment a second name."""
    git.run("update-ref", f"{dvc_repo.experiments_reference(baseline)}/{name}", one.commit)


def validation_macro_f1(baseline: str, name: str) -> float | None:
    """Validation macro F1 of an experiment, 0 to 1; None where it has none."""
    reference = f"{dvc_repo.experiments_reference(baseline)}/{name}"
    (text,) = git.file_contents([(reference, TRAINING_METRICS)])
    return _scores(text).get("best.val_macro_f1")


def is_source(path: str) -> bool:
    """Whether a file decides what a run does: code, parameters, pipeline and DVC files."""
    parts = PurePosixPath(path)
    if path in SOURCE_FILES or parts.parts[0] in SOURCE_FOLDERS:
        return True
    hidden = parts.parts[0].startswith(".")  # of CI and tools
    return parts.suffix in SOURCE_SUFFIXES and parts.parts[0] not in UNREAD_FOLDERS and not hidden


def varied_params(known: Sequence[Experiment]) -> list[str]:
    """The parameters in which the experiments differ, without fold and seed, sorted."""
    keys = sorted({key for one in known for key in one.params} - {FOLD, SEED})
    return [
        key
        for key in keys
        if len({param_values.short_text(one.params.get(key, "")) for one in known}) > 1
    ]


def run_table(known: Sequence[Experiment], keys: Sequence[str]) -> pd.DataFrame:
    """One row per experiment: name, commit, fold, seed, folds (of the split), the keys, scores.

    Sorted by the values of the keys, numbers by size, then fold, seed and name.
    """
    rows = [_row(one, keys) for one in known]
    rows.sort(
        key=lambda row: [param_values.sort_key(row[key]) for key in (*keys, "fold", "seed", "name")]
    )
    columns = ["name", "commit", "fold", "seed", "folds", *keys, *VALIDATION_COLUMNS, *TEST_COLUMNS]
    table = pd.DataFrame(rows, columns=columns)
    whole = dict.fromkeys(("fold", "seed", "folds"), int)
    return table.astype(whole | dict.fromkeys((*VALIDATION_COLUMNS, *TEST_COLUMNS), float))


def with_metric(
    runs: pd.DataFrame, known: Sequence[Experiment], metric: str
) -> tuple[pd.DataFrame, str]:
    """The runs with a column for a metric, and the column's name; rows without it are dropped.

    metric: a column of the table, or a key of metrics/train/metrics.json or
    metrics/evaluate.json. Raises UserError where no experiment has it, or it is undefined in all.
    """
    column = metric
    if metric not in runs:
        is_test = any(metric in one.test and metric not in one.validation for one in known)
        column = f"test_{metric}" if is_test else f"val_{metric.removeprefix('val_')}"
        by_name = {one.name: _metric(one, metric) for one in known}
        runs = runs.assign(**{column: runs["name"].map(by_name)})
    left = runs.dropna(subset=[column])
    if left.empty:
        raise UserError(f"--metric {metric}: {_why_missing(metric, known)}")
    return left.reset_index(drop=True), column


def lower_is_better(metric: str) -> bool:
    """Whether a column of the run table is better the lower it is: a loss, an error, a time."""
    score = scores.find(metric.removeprefix("test_")) if metric.startswith("test_") else None
    if score:
        return score.better == scores.LOWER
    return any(word in metric for word in ("loss", "seconds", "waiting", "parameters"))


def without_value(metric: str, known: Sequence[Experiment]) -> list[str]:
    """The names of the experiments in which a score is undefined, see `with_metric`."""
    keys = {metric.removeprefix(part) for part in ("", "val_", "test_")}
    keys |= {f"best.{key}" for key in keys}
    return [one.name for one in known if keys & one.undefined]


def _why_missing(metric: str, known: Sequence[Experiment]) -> str:
    if without_value(metric, known):
        score = scores.find(metric.removeprefix("test_"))
        reason = f": {score.missing}" if score else ""
        return f"undefined in every experiment that has it{reason}."
    names = sorted({key for one in known for key in (*one.validation, *one.test)})
    return f"no experiment has it. Known: {', '.join(names)}."


def _row(one: Experiment, keys: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": one.name, "commit": one.commit}
    for name, key in (("fold", FOLD), ("seed", SEED), ("folds", "split.folds")):
        text = str(one.params.get(key, "0"))
        row[name] = text if text.isdigit() else "0"  # of a run with a params.yaml of its own
    row |= {key: param_values.short_text(one.params.get(key, "")) for key in keys}
    row |= {name: one.validation.get(key, np.nan) for name, key in VALIDATION_COLUMNS.items()}
    return row | {name: one.test.get(key, np.nan) for name, key in TEST_COLUMNS.items()}


def _metric(one: Experiment, metric: str) -> float:
    for found in (one.validation, one.test):
        for key in (metric, f"best.{metric}"):
            if key in found:
                return found[key]
    return float("nan")


def _flat_params(text: bytes) -> dict[str, Any]:
    try:
        return param_values.flattened(params.parsed(text))
    except UserError:
        return {}


def _validation(text: bytes | None) -> dict[str, Any]:
    """Scores of a training and, where they are known, its seconds."""
    scores = _scores(text)
    seconds = measurements.training_seconds(text) if text and scores else None
    return scores if seconds is None else scores | {"seconds": seconds}


def _scores(text: bytes | None) -> dict[str, Any]:
    """Numbers of a metrics file by key, those of nested objects as 'best.val_loss'."""
    return {
        key: float(value)
        for key, value in _flat(tables.parsed_metrics(text))
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _undefined(text: bytes | None) -> frozenset[str]:
    return frozenset(key for key, value in _flat(tables.parsed_metrics(text)) if value is None)


def _flat(values: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _parse_curve(text: bytes) -> pd.Series | None:
    try:
        table = pd.read_csv(io.BytesIO(text), sep="\t")
        return table.set_index(table.columns[0]).iloc[:, 0].astype(float)
    except (ValueError, IndexError):
        return None
