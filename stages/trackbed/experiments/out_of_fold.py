"""Trainings that form one cross-validated run, and their out-of-fold predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from trackbed.evaluation import mistakes
from trackbed.experiments import param_values, training_runs
from trackbed.experiments.training_runs import Training
from trackbed.integrity import dvc_repo
from trackbed.pipeline import index
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.tables import predicted_classes

REMEDY = "Run `trackbed sweep --folds all`."


@dataclass(frozen=True)
class Setting:
    """Trainings that differ at most in fold and seed; some may be repeated."""

    all_runs: tuple[Training, ...]

    @property
    def runs(self) -> list[Training]:
        """One training per fold and seed, sorted; every fold has the same seeds.

        The mean over fewer seeds is another quantity, so seeds that lack a fold are left out.
        """
        wanted = set(self.folds)
        seeds = {seed for seed, folds in self._by_seed().items() if wanted <= folds}
        first = {(one.fold, one.seed): one for one in reversed(self.all_runs)}
        return [first[at] for at in sorted(first) if at[0] in wanted and at[1] in seeds]

    @property
    def folds(self) -> list[int]:
        """The folds of the seed that has the most; among equally many, the lowest folds."""
        sets = [sorted(folds) for folds in self._by_seed().values()]
        return min(sets, key=lambda folds: (-len(folds), folds))

    def _by_seed(self) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for one in self.all_runs:
            found.setdefault(one.seed, set()).add(one.fold)
        return found


def by_setting(known: Sequence[Training]) -> list[Setting]:
    """The trainings by setting, in the order of each setting's first training."""
    found: list[list[Training]] = []
    for one in known:
        own = next((runs for runs in found if runs[0].same_setting(one)), None)
        if own is None:
            found.append([one])
        else:
            own.append(one)
    return [Setting(tuple(runs)) for runs in found]


def select(
    known: Sequence[Training], folds: int, name: str | None = None, partial: bool = False
) -> Setting:
    """The only setting that was validated on every fold, or that of the named training.

    folds: how many the split has. partial: accept a setting that lacks folds, the one with most.
    Raises UserError with the missing folds where there is none, and with a list where there are
    several.
    """
    found = by_setting(known)
    if name is not None:
        found = [one for one in found if name in {run.name for run in one.all_runs}]
        if not found:
            names = ", ".join(sorted({one.name for one in known})) or "none"
            raise UserError(
                f"--setting {name}: no finished training has this name. Known: {names}."
            )
    if not found:
        raise UserError(f"No finished training is known, so no image has a probability. {REMEDY}")
    most = max(len(one.folds) for one in found)
    if most < folds and not partial:
        raise UserError(_incomplete_message(found, most, folds))
    best = [one for one in found if len(one.folds) == most]
    if len(best) > 1:
        raise UserError(_ambiguous_message(best))
    return best[0]


def predictions(setting: Setting, table: pd.DataFrame) -> pd.DataFrame:
    """The prediction for every image of the setting's folds, by models not trained on it.

    table: see index.assigned. Columns as in tables.PREDICTIONS_TABLE, with probabilities averaged
    over the seeds, and `fold`; in the order of records. Raises UserError where a table of
    predictions is missing or has other images than the fold.
    """
    parts = []
    with dvc_repo.repository() as repo:
        for fold in setting.folds:
            runs = [one for one in setting.runs if one.fold == fold]
            tables = [
                _checked(training_runs.validation_predictions(repo, one), one, table)
                for one in runs
            ]
            parts.append(mistakes.averaged(tables).assign(fold=fold))
    return pd.concat(parts).sort_values("record", ignore_index=True)


def descriptions(known: Sequence[Setting]) -> list[str]:
    """The values of each setting in which the settings differ, as text."""
    keys = training_runs.varied_params([one.all_runs[0] for one in known])
    return [
        ", ".join(
            f"{key}={param_values.short_text(one.all_runs[0].params.get(key, ''))}" for key in keys
        )
        or "the same parameters, other code or inputs"
        for one in known
    ]


def _checked(predicted: pd.DataFrame, one: Training, table: pd.DataFrame) -> pd.DataFrame:
    rows = index.training_and_validation(table, one.fold)[1]
    wanted = rows[["record", "filename", "class_name"]].to_numpy().tolist()
    same = predicted[["record", "filename", "true"]].to_numpy().tolist() == wanted
    if not same or predicted_classes(predicted) != index.classes(table):
        raise UserError(
            f"{one.name}: {len(predicted)} predictions for other images or labels than the "
            f"{len(rows)} that fold {one.fold} holds in the workspace. `dvc checkout` brings back "
            "the records and folds of the commit; `dvc repro split` makes them."
        )
    return predicted


def _incomplete_message(found: Sequence[Setting], most: int, folds: int) -> str:
    lines = ["No cross-validated run: every image needs a model that was not trained on it."]
    nearest = [one for one in found if len(one.folds) == most]
    for one, text in zip(nearest, descriptions(nearest), strict=True):
        missing = sorted(set(range(folds)) - set(one.folds))
        start = f"{one.runs[0].name}: " + (f"{text}, " if len(nearest) > 1 else "")
        lines.append(
            f"  {start}validated on fold {_listed(one.folds)}, "
            f"missing {_listed(missing)} of {folds}"
        )
    lines.append(f"{REMEDY} Or look at a part of the images with --partial.")
    return "\n".join(lines)


def _ambiguous_message(found: Sequence[Setting]) -> str:
    lines = [f"{len(found)} settings were validated on as many folds; choose one with --setting:"]
    lines += [
        f"  --setting {one.runs[0].name}: {text}"
        for one, text in zip(found, descriptions(found), strict=True)
    ]
    return "\n".join(lines)


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
