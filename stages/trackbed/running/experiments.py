"""Finished experiments of a commit, read from git: parameters, scores, curves.

DVC keeps a finished experiment as a commit that a reference below refs/exps names; one that
failed, waits or runs has none. So nothing here can show a failed run with its parent's scores,
as `dvc exp show` does.
"""

import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml

from trackbed import params
from trackbed.running import repository, values
from trackbed.running.source_files import is_source

TRAINING = "metrics/train/metrics.json"
TEST = "metrics/evaluate.json"
CURVES = "metrics/train/plots/metrics"


@dataclass(frozen=True)
class Experiment:
    """params: canonical values by section.key. validation and test: scores by key, flat."""

    name: str
    commit: str
    params: dict[str, Any]
    validation: dict[str, Any]
    test: dict[str, Any]


def namespace(baseline: str) -> str:
    """Where DVC keeps the references of the experiments of a commit."""
    return f"refs/exps/{baseline[:2]}/{baseline[2:]}"


def finished(baseline: str) -> list[Experiment]:
    """The experiments of a commit (its full hash), sorted by name."""
    place = namespace(baseline)
    found = repository.references(place)
    return read({name.removeprefix(f"{place}/"): commit for name, commit in found.items()})


def read(commits: dict[str, str]) -> list[Experiment]:
    """Experiments from their commits by name; one without readable parameters is left out."""
    paths = (str(params.PARAMS), TRAINING, TEST)
    places = [(commit, path) for commit in commits.values() for path in paths]
    texts = dict(zip(places, repository.contents(places), strict=True))
    made = []
    for name in sorted(commits):
        given, training, test = (texts[commits[name], path] for path in paths)
        if given is not None:
            scores = _scores(training), _scores(test)
            made.append(Experiment(name, commits[name], _params(given), *scores))
    return made


def curves(wanted: Sequence[Experiment], names: Sequence[str]) -> dict[str, dict[str, pd.Series]]:
    """Curves such as 'val/loss' by experiment and name, indexed by epoch; missing ones left out."""
    places = [(one, name) for one in wanted for name in names]
    texts = repository.contents([(one.commit, f"{CURVES}/{name}.tsv") for one, name in places])
    found: dict[str, dict[str, pd.Series]] = {one.name: {} for one in wanted}
    for (one, name), text in zip(places, texts, strict=True):
        curve = None if text is None else _curve(text)
        if curve is not None:
            found[one.name][name] = curve
    return found


def same(
    wanted: dict[str, Any], known: Sequence[Experiment], baseline: str, name: str
) -> Experiment | None:
    """The scored experiment with exactly these parameters (see values.flat) and the commit's code.

    Where there are several, the one of this name.
    """
    for one in sorted(known, key=lambda one: one.name != name):
        if one.params == wanted and one.validation:
            others = set(repository.changed(baseline, one.commit)) - {str(params.PARAMS)}
            if not any(map(is_source, others)):
                return one
    return None


def also_name(one: Experiment, name: str, baseline: str) -> None:
    """Give an experiment a second name."""
    repository.git("update-ref", f"{namespace(baseline)}/{name}", one.commit)


def score(baseline: str, name: str) -> float | None:
    """Validation macro F1 of an experiment, None where it has none."""
    (text,) = repository.contents([(f"{namespace(baseline)}/{name}", TRAINING)])
    return _scores(text).get("best.val_macro_f1")


def _params(text: bytes) -> dict[str, Any]:
    try:
        loaded = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return {}
    return values.flat(loaded) if isinstance(loaded, dict) else {}


def _scores(text: bytes | None) -> dict[str, Any]:
    """Numbers of a metrics file by key, those of nested objects as 'best.val_loss'."""
    try:
        return _numbers(json.loads(text or b"{}"), "")
    except ValueError:
        return {}


def _numbers(value: Any, key: str) -> dict[str, float]:
    if isinstance(value, dict):
        inner = (_numbers(one, f"{key}.{name}" if key else name) for name, one in value.items())
        return {name: number for found in inner for name, number in found.items()}
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    return {key: float(value)} if usable and math.isfinite(value) else {}


def _curve(text: bytes) -> pd.Series | None:
    try:
        table = pd.read_csv(io.BytesIO(text), sep="\t")
        return table.set_index(table.columns[0]).iloc[:, 0].astype(float)
    except (ValueError, IndexError):
        return None
