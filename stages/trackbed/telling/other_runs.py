"""The other runs of the repository, as it holds them when the page is made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trackbed.problems import Problem
from trackbed.running import experiments, repository, values
from trackbed.telling import previous

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


def listed(path: Path, scores: dict[str, Any], sections: dict[str, Any]) -> list[OtherRun]:
    """The last committed runs, the newest first, then the best experiments of HEAD.

    path: evaluate.json, relative to the current folder. Runs with the scores of this one are
    left out. Experiments are ranked by their validation macro F1. Empty outside a repository.
    """
    try:
        return [
            _told(one, kind, sections)
            for kind, found in (("commit", _committed(path)), ("experiment", _experiments()))
            for one in found
            if one.test and not previous.same(one.test, scores)
        ]
    except Problem:
        return []


def _committed(path: Path) -> list[experiments.Experiment]:
    if path.is_absolute():
        return []
    told = repository.git("log", f"-{COMMITS}", "--format=%H", "--", path.as_posix())
    commits = told.decode("utf-8").split()
    found = {one.commit: one for one in experiments.read({sha[:10]: sha for sha in commits})}
    return [found[sha] for sha in commits if sha in found]


def _experiments() -> list[experiments.Experiment]:
    found = experiments.finished(repository.commit())
    ranked = sorted(found, key=lambda one: -one.validation.get(VALIDATION, -1))
    return ranked[:EXPERIMENTS]


def _told(one: experiments.Experiment, kind: str, sections: dict[str, Any]) -> OtherRun:
    here = values.flat(sections)
    keys = sorted(key for key in one.params if key in here and one.params[key] != here[key])
    changes = [f"{key}={one.params[key]}" for key in keys[:DIFFERENCES]]
    if len(keys) > DIFFERENCES:
        changes.append(f"and {len(keys) - DIFFERENCES} more")
    return OtherRun(one.name, kind, one.validation.get(VALIDATION), one.test, ", ".join(changes))
