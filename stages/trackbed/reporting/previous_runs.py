"""The last committed run and the other runs of the repository, to compare this one with."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.charts import training_chart
from trackbed.evaluation.comparison import Comparison, compared
from trackbed.experiments import experiment, lineage, param_values, training_runs
from trackbed.integrity import git
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

SAME = 1e-4  # what rounding on another processor may change


@dataclass(frozen=True)
class Previous:
    """The scores of a commit, flat as in evaluate.json."""

    commit: str
    scores: dict[str, Any]

    def difference(self, scores: dict[str, Any], name: str) -> float | None:
        """By how much a score is higher now, or None where one of the two has no value."""
        now, before = scores.get(name), self.scores.get(name)
        return now - before if _number(now) and _number(before) else None


def committed(path: Path, scores: dict[str, Any]) -> Previous | None:
    """The last committed scores of these test images that are not those of this run, or None.

    path: evaluate.json, relative to the current folder. Commits that hold this very run are left
    out: the page that a clone makes after the commit says the same as the one made before it. All
    of the history counts, so a clone without it (`git clone --depth`) finds nothing.
    """
    try:
        commits = _commits(path)
        texts = git.file_contents([(commit, path.as_posix()) for commit in commits])
    except UserError:
        return None
    for commit, text in zip(commits, texts, strict=True):
        before = tables.parsed_metrics(text)
        if comparable(before.get("test_part"), scores) and not same(before, scores):
            return Previous(commit, before)
    return None


def comparable(test_part: str | None, scores: dict[str, Any]) -> bool:
    """Whether a run with this test part was evaluated on the images of these scores."""
    return test_part is not None and test_part == scores.get("test_part")


def apart(first: dict[str, Any], second: dict[str, Any], name: str = "macro_f1") -> bool:
    """Whether the intervals of a score have nothing in common; False where one is missing."""
    bounds = [scores.get(f"{name}_{end}") for scores in (first, second) for end in ("low", "high")]
    if not all(_number(bound) for bound in bounds):
        return False
    low, high, other_low, other_high = bounds
    return high < other_low or other_high < low


@dataclass(frozen=True)
class Change:
    """Of macro F1 since another run; apart: the intervals have nothing in common."""

    value: float
    apart: bool


def change(previous: Previous | None, scores: dict[str, Any]) -> Change | None:
    """The change since the last committed run; None where there is none."""
    value = previous.difference(scores, "macro_f1") if previous else None
    if previous is None or value is None:
        return None
    return Change(value, apart(previous.scores, scores))


def _commits(path: Path) -> list[str]:
    """The commits that changed a file, the newest first. Raises UserError outside a repository."""
    if path.is_absolute():
        return []
    return git.run("log", "--format=%H", "--", path.as_posix()).decode("ascii").split()


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Equal in what both have: a score that is new does not make another run."""
    common = first.keys() & second.keys()
    return bool(common) and all(
        abs(first[name] - second[name]) <= SAME
        if _number(first[name]) and _number(second[name])
        else first[name] == second[name]
        for name in common
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class ImageChanges:
    """This run against a base run, image by image.

    fixed, newly_wrong: rows of predictions.csv, from 0, that only this run, only the base has
    right. comparison: None where DVC's cache lacks the predictions of the base.
    """

    commit: str
    comparison: Comparison | None = None
    fixed: list[int] = field(default_factory=list)
    newly_wrong: list[int] = field(default_factory=list)


def image_changes(previous: Previous | None, predictions: pd.DataFrame) -> ImageChanges | None:
    """The changes since the last committed run; None where there is no such run."""
    if previous is None:
        return None
    try:
        before = training_runs.cached_predictions(previous.commit)
        change = None if before is None else compared(before, predictions)
    except (UserError, ValueError):  # damaged, or of other classes
        change = None
    if change is None:
        return ImageChanges(previous.commit)
    rows = {name: row for row, name in enumerate(predictions["filename"])}
    fixed, newly_wrong = (
        [rows[name] for name in table["filename"]] for table in (change.fixed, change.newly_wrong)
    )
    return ImageChanges(previous.commit, change, fixed, newly_wrong)


COMMITS, EXPERIMENTS = 10, 15  # listed at most
DIFFERENCES = 4  # parameters that are named
VALIDATION = "best.val_macro_f1"


@dataclass(frozen=True)
class OtherRun:
    """A commit or an experiment with scores; changes: its parameters that are others here."""

    name: str
    kind: str  # 'commit' or 'experiment'
    validation: float | None  # macro F1 on the validation fold
    test: dict[str, Any]  # as in evaluate.json
    changes: str
    curves: dict[str, Any] = field(default_factory=dict)  # see charts.training_chart.validation


def listed(path: Path, scores: dict[str, Any], sections: dict[str, Any]) -> list[OtherRun]:
    """The last committed runs, the newest first, then the best experiments.

    path: evaluate.json, relative to the current folder. Runs on other test images, and those with
    the scores of this one, are left out. Experiments are those of commits with HEAD's code and data
    (experiments.lineage), ranked by their validation macro F1.
    Empty outside a repository.
    """
    try:
        found = (("commit", _committed(path), COMMITS), ("experiment", _experiments(), EXPERIMENTS))
    except UserError:
        return []
    chosen = [
        (one, kind)
        for kind, runs, most in found
        for one in [run for run in runs if _is_other(run, scores)][:most]
    ]
    names = [f"val/{name}" for name in training_chart.QUANTITIES]
    curves = experiment.read_curves([one for one, _ in chosen], names)
    return [_other_run(one, kind, sections, curves[one.name]) for one, kind in chosen]


def _is_other(run: experiment.Experiment, scores: dict[str, Any]) -> bool:
    return comparable(run.test_part, scores) and not same(run.test, scores)


def _committed(path: Path) -> list[experiment.Experiment]:
    commits = _commits(path)
    found = {one.commit: one for one in experiment.from_commits({sha[:10]: sha for sha in commits})}
    return [found[sha] for sha in commits if sha in found]


def _experiments() -> list[experiment.Experiment]:
    bases = lineage.with_same_source(git.commit())
    found = [one for base in bases for one in experiment.finished(base)]
    return sorted(found, key=lambda one: -one.validation.get(VALIDATION, -1))


def _other_run(
    one: experiment.Experiment, kind: str, sections: dict[str, Any], curves: dict[str, pd.Series]
) -> OtherRun:
    here = param_values.flattened(sections)
    keys = sorted(key for key in one.params if key in here and one.params[key] != here[key])
    changes = [f"{key}={one.params[key]}" for key in keys[:DIFFERENCES]]
    if len(keys) > DIFFERENCES:
        changes.append(f"and {len(keys) - DIFFERENCES} more")
    return OtherRun(
        name=one.name,
        kind=kind,
        validation=one.validation.get(VALIDATION),
        test=one.test,
        changes=", ".join(changes),
        curves=training_chart.validation(curves),
    )
