"""Predictions and scores of revisions, and the finished trainings that dvc.lock records."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.evaluation.comparison import Comparison, compared
from trackbed.experiments import param_values
from trackbed.experiments.runs import FOLD, SEED
from trackbed.integrity import dvc_lock, dvc_repo, git, revisions
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

WORKSPACE = "workspace"
PREDICTIONS = Path("data/evaluation") / tables.PREDICTIONS_TABLE.name
SCORES = Path("metrics/evaluate.json")


def predictions(revision: str) -> pd.DataFrame:
    """predictions.csv of a revision (commit, branch, tag, experiment) or of the workspace.

    Raises UserError if there is no such revision, or the file is in no cache or remote.
    """
    if revision == WORKSPACE:
        return tables.PREDICTIONS_TABLE.read(PREDICTIONS.parent)
    text = revisions.file_text(PREDICTIONS, revision)
    return tables.PREDICTIONS_TABLE.parse(text, f"{revision}:{PREDICTIONS}")


def cached_predictions(commit: str) -> pd.DataFrame | None:
    """predictions.csv of a commit from DVC's cache alone; None where that does not have it."""
    folder = revisions.recorded_outputs(commit).get(PREDICTIONS.parent.as_posix())
    if folder is None:
        return None
    with dvc_repo.repository() as repo:
        listing = dvc_repo.cached_object(repo, folder)
        file = dvc_lock.parse_listing(listing).get(PREDICTIONS.name) if listing else None
        content = dvc_repo.cached_object(repo, file) if file else None
    if content is None:
        return None
    return tables.PREDICTIONS_TABLE.parse(content.decode("utf-8"), f"{commit[:10]}:{PREDICTIONS}")


def comparison(first: str, second: str) -> Comparison:
    """Two revisions compared on their test part.

    Raises UserError where their test parts differ: in file names or classes, or in the fingerprint
    where both have one (evaluations of older versions do not).
    """
    both = predictions(first), predictions(second)
    try:
        change = compared(*both)
    except ValueError as error:
        raise UserError(f"{first} and {second} cannot be compared: {error}.") from None
    parts = [test_part(revision) for revision in (first, second)]
    if all(parts) and parts[0] != parts[1]:
        raise UserError(
            f"{first} and {second} cannot be compared: their test images have the same names but "
            f"other pixels (test_part in {SCORES}: {parts[0]} and {parts[1]})."
        )
    return change


def test_part(revision: str) -> str:
    """Fingerprint of the test part of a revision; '' where its evaluate.json has none."""
    try:
        return str(_scores(revision).get("test_part") or "")
    except (UserError, ValueError):
        return ""


def scores(revision: str) -> dict[str, Any]:
    """metrics/evaluate.json of a revision, with macro_f1 of 0 to 1. Raises UserError."""
    found = _scores(revision)
    if not isinstance(found.get("macro_f1"), int | float):
        raise UserError(f"{SCORES} of {revision}: no macro_f1. Run `dvc repro -f evaluate`.")
    return found


def _scores(revision: str) -> dict[str, Any]:
    if revision == WORKSPACE:
        return tables.metrics(SCORES, "Run `dvc repro evaluate`.")
    return tables.parsed_metrics(revisions.file_text(SCORES, revision).encode("utf-8"))


STAGE, MODELS = "train", "models"
VALIDATION = Path(MODELS) / tables.VALIDATION_TABLE.name
DATA = ("data/records", "data/folds")


@dataclass(frozen=True)
class Training:
    """One recorded run of the stage train.

    name: of the experiment, 'HEAD' or 'workspace'. commit: None for the workspace. params:
    canonical values by section.key, without fold and seed. inputs: MD5 by path of all that the
    stage read, code included. models: the hash of its output, its name in DVC's cache.
    """

    name: str
    commit: str | None
    fold: int
    seed: int
    params: dict[str, Any]
    inputs: dict[str, str]
    models: str

    def same_setting(self, other: "Training") -> bool:
        """Whether the two differ at most in fold and seed."""
        return (self.params, self.inputs) == (other.params, other.inputs)

    def data(self) -> dict[str, str | None]:
        """The hashes of the records and the folds it was trained on."""
        return {path: self.inputs.get(path) for path in DATA}


def finished(revision: str, others: Sequence[str] = ()) -> list[Training]:
    """The trainings of a revision's experiments, sorted by name, then the revision's own.

    For HEAD also that of the workspace. others: full hashes of further commits, whose trainings
    follow, with '@' and the commit in their names. Failed and queued experiments have no record
    and are left out. Raises UserError for an unknown revision.
    """
    baseline = git.commit(revision)
    commits = _experiments(baseline) | {revision: baseline}
    for other in others:
        mark = f"@{other[:7]}"
        commits |= {f"{name}{mark}": commit for name, commit in _experiments(other).items()}
        commits |= {mark: other}
    locks = git.file_contents([(commit, str(dvc_lock.LOCK)) for commit in commits.values()])
    found = [
        from_lock(lock, name, commit)
        for (name, commit), lock in zip(commits.items(), locks, strict=True)
    ]
    if baseline == git.commit():
        found.append(from_lock(dvc_lock.workspace_lock(), WORKSPACE, None))
    return [one for one in found if one is not None]


def _experiments(baseline: str) -> dict[str, str]:
    reference = dvc_repo.experiments_reference(baseline)
    return {
        name.removeprefix(f"{reference}/"): commit
        for name, commit in sorted(git.references(reference).items())
    }


def from_lock(lock: bytes | None, name: str, commit: str | None) -> Training | None:
    """The training recorded in the text of a dvc.lock; None if there is none."""
    record = dvc_lock.stage_records(lock).get(STAGE)
    try:
        params = param_values.flattened(record.params)
        fold, seed = int(params.pop(FOLD)), int(params.pop(SEED))
        return Training(name, commit, fold, seed, params, record.deps, record.outs[MODELS])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def workspace_data() -> dict[str, str | None]:
    """The hashes of the records and folds in dvc.lock of the workspace; None: not recorded."""
    records = dvc_lock.stage_records(dvc_lock.workspace_lock()).values()
    outs = {path: md5 for record in records for path, md5 in record.outs.items()}
    return {path: outs.get(path) for path in DATA}


def validation_predictions(repo: Any, one: Training) -> pd.DataFrame:
    """The model's predictions for its validation fold, see tables.PREDICTION_COLUMNS.

    repo: see dvc_repo.repository. From DVC's cache, else from its remote. Raises UserError where
    neither has the file, Damaged where the cache has other bytes than DVC wrote.
    """
    named = f"{one.name}:{VALIDATION}"
    content = _from_cache(repo, one, named)
    text = content.decode("utf-8") if content is not None else _from_remote(one, named)
    return tables.VALIDATION_TABLE.parse(text, named)


def varied_params(trainings: Sequence[Training]) -> list[str]:
    """The parameters in which trainings differ, without fold and seed, sorted."""
    keys = sorted({key for one in trainings for key in one.params})
    return [key for key in keys if len({str(one.params.get(key)) for one in trainings}) > 1]


def _from_cache(repo: Any, one: Training, named: str) -> bytes | None:
    listing = dvc_repo.cached_object(repo, one.models)
    if listing is None:
        return None
    files = dvc_lock.parse_listing(listing)
    if VALIDATION.name not in files:
        raise UserError(
            f"{named}: the model was trained by code that did not write it. Commit the present "
            "code and run `trackbed sweep --folds all`."
        )
    return dvc_repo.cached_object(repo, files[VALIDATION.name])


def _from_remote(one: Training, named: str) -> str:
    if one.commit is None:
        raise UserError(
            f"{named}: DVC's cache does not hold it. `dvc repro -f train` makes it anew."
        )
    try:
        return revisions.file_text(VALIDATION, one.commit)
    except UserError as error:
        raise UserError(
            f"{named}: neither DVC's cache nor a remote gave it ({error}). If it was pushed, "
            "`dvc fetch` or `dvc exp pull` brings it; `trackbed sweep --folds all --force` makes "
            "it anew."
        ) from None
