"""Which trainings of a repository belong together as one cross-validated run."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from trackbed.evaluation import label_errors
from trackbed.experiments import param_values, training_runs
from trackbed.experiments.training_runs import Training
from trackbed.integrity import dvc_lock
from trackbed.pipeline import index, tables
from trackbed.pipeline.errors import UserError

REMEDY = "Run `trackbed sweep --folds all`."


@dataclass(frozen=True)
class Setting:
    """Trainings that differ in fold and seed alone; some may be the same twice."""

    all_runs: tuple[Training, ...]

    @property
    def runs(self) -> list[Training]:
        """One per fold and seed, sorted; every fold with the same seeds.

        The mean of fewer seeds is another quantity, so seeds that lack a fold are left out.
        """
        wanted = set(self.folds)
        seeds = {seed for seed, folds in self._by_seed().items() if wanted <= folds}
        first = {(one.fold, one.seed): one for one in reversed(self.all_runs)}
        return [first[at] for at in sorted(first) if at[0] in wanted and at[1] in seeds]

    @property
    def folds(self) -> list[int]:
        """The folds of the seed that has most of them; of equally many the lowest."""
        sets = [sorted(folds) for folds in self._by_seed().values()]
        return min(sets, key=lambda folds: (-len(folds), folds))

    def _by_seed(self) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for one in self.all_runs:
            found.setdefault(one.seed, set()).add(one.fold)
        return found


def by_setting(known: Sequence[Training]) -> list[Setting]:
    """The trainings by setting, in the order in which the settings first come."""
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
    """The one setting that was validated on every fold, or that of the training of this name.

    folds: how many the split has. partial: whether one that lacks folds will do; then it is the
    one with most. Raises UserError where there is none, with the folds that are missing, and where
    there are several, with their list.
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
    """The predictions for every image of the setting's folds by models that never saw it.

    table: see index.assigned. Columns as in judging.predictions, probabilities being means over
    the seeds, and `fold`; in the order of records. Raises UserError where a table of predictions is
    missing or tells of other images than the fold holds.
    """
    parts = []
    with dvc_lock.repository() as repo:
        for fold in setting.folds:
            runs = [one for one in setting.runs if one.fold == fold]
            told = [
                _checked(training_runs.validation_predictions(repo, one), one, table)
                for one in runs
            ]
            parts.append(label_errors.averaged(told).assign(fold=fold))
    return pd.concat(parts).sort_values("record", ignore_index=True)


def descriptions(known: Sequence[Setting]) -> list[str]:
    """What each setting has for itself: its values where they differ, folds, a run's name."""
    keys = training_runs.varied_params([one.all_runs[0] for one in known])
    return [
        ", ".join(
            f"{key}={param_values.short_text(one.all_runs[0].params.get(key, ''))}" for key in keys
        )
        or "the same parameters, other code or inputs"
        for one in known
    ]


def _checked(told: pd.DataFrame, one: Training, table: pd.DataFrame) -> pd.DataFrame:
    rows = index.training_and_validation(table, one.fold)[1]
    wanted = rows[["record", "filename", "class_name"]].to_numpy().tolist()
    same = told[["record", "filename", "true"]].to_numpy().tolist() == wanted
    if not same or tables.predicted_classes(told) != index.classes(table):
        raise UserError(
            f"{one.name}: {len(told)} predictions for other images or labels than the "
            f"{len(rows)} that fold {one.fold} holds in the workspace. `dvc checkout` brings back "
            "the records and folds of the commit; `dvc repro split` makes them."
        )
    return told


def _incomplete_message(found: Sequence[Setting], most: int, folds: int) -> str:
    lines = ["No cross-validated run: every image needs a model that was not trained on it."]
    nearest = [one for one in found if len(one.folds) == most]
    for one, words in zip(nearest, descriptions(nearest), strict=True):
        missing = sorted(set(range(folds)) - set(one.folds))
        said = f"{one.runs[0].name}: " + (f"{words}, " if len(nearest) > 1 else "")
        lines.append(
            f"  {said}validated on fold {_listed(one.folds)}, missing {_listed(missing)} of {folds}"
        )
    lines.append(f"{REMEDY} Or look at a part of the images with --partial.")
    return "\n".join(lines)


def _ambiguous_message(found: Sequence[Setting]) -> str:
    lines = [f"{len(found)} settings were validated on as many folds; choose one with --setting:"]
    lines += [
        f"  --setting {one.runs[0].name}: {words}"
        for one, words in zip(found, descriptions(found), strict=True)
    ]
    return "\n".join(lines)


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
