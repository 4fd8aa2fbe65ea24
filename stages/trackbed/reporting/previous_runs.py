"""The last committed run and the other runs of the repository, to compare this one with."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trackbed.experiments import experiment, param_values
from trackbed.integrity import git
from trackbed.pipeline.errors import UserError
from trackbed.reporting import provenance

COMMITS = 10  # looked through for other scores
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
    """The last committed scores that are not those of this run; None where there are none.

    path: evaluate.json, relative to the current folder. Where HEAD holds this very run, it is
    compared with the run before: a page made anew after the commit says the same as before it.
    """
    if path.is_absolute():
        return None
    told = provenance.git("log", f"-{COMMITS}", "--format=%H", "--", path.as_posix()) or ""
    for commit in told.split():
        before = _parsed(provenance.git("show", f"{commit}:./{path.as_posix()}"))
        if before and not same(before, scores):
            return Previous(commit, before)
    return None


def apart(first: dict[str, Any], second: dict[str, Any], name: str = "macro_f1") -> bool:
    """Whether the intervals of a score have nothing in common; False where one is missing."""
    bounds = [scores.get(f"{name}_{end}") for scores in (first, second) for end in ("low", "high")]
    if not all(_number(bound) for bound in bounds):
        return False
    low, high, other_low, other_high = bounds
    return high < other_low or other_high < low


def _parsed(text: str | None) -> dict[str, Any]:
    try:
        values = json.loads(text or "")
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


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


COMMITS_LISTED, EXPERIMENTS = 10, 15  # listed at most
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


def listed(path: Path, scores: dict[str, Any], sections: dict[str, Any]) -> list[OtherRun]:
    """The last committed runs, the newest first, then the best experiments of HEAD.

    path: evaluate.json, relative to the current folder. Runs with the scores of this one are
    left out. Experiments are ranked by their validation macro F1. Empty outside a repository.
    """
    try:
        return [
            _other_run(one, kind, sections)
            for kind, found in (("commit", _committed(path)), ("experiment", _experiments()))
            for one in found
            if one.test and not same(one.test, scores)
        ]
    except UserError:
        return []


def _committed(path: Path) -> list[experiment.Experiment]:
    if path.is_absolute():
        return []
    told = git.run("log", f"-{COMMITS_LISTED}", "--format=%H", "--", path.as_posix())
    commits = told.decode("utf-8").split()
    found = {one.commit: one for one in experiment.from_commits({sha[:10]: sha for sha in commits})}
    return [found[sha] for sha in commits if sha in found]


def _experiments() -> list[experiment.Experiment]:
    found = experiment.finished(git.commit())
    ranked = sorted(found, key=lambda one: -one.validation.get(VALIDATION, -1))
    return ranked[:EXPERIMENTS]


def _other_run(one: experiment.Experiment, kind: str, sections: dict[str, Any]) -> OtherRun:
    here = param_values.flattened(sections)
    keys = sorted(key for key in one.params if key in here and one.params[key] != here[key])
    changes = [f"{key}={one.params[key]}" for key in keys[:DIFFERENCES]]
    if len(keys) > DIFFERENCES:
        changes.append(f"and {len(keys) - DIFFERENCES} more")
    return OtherRun(one.name, kind, one.validation.get(VALIDATION), one.test, ", ".join(changes))
