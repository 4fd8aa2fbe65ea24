"""Finished trainings as dvc.lock records them, and what their models say of the validation fold."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from trackbed.experiments import experiment, param_values, revisions
from trackbed.experiments.runs import FOLD, SEED
from trackbed.integrity import dvc_lock, git
from trackbed.pipeline import tables
from trackbed.pipeline.errors import Damaged, UserError

LOCK = "dvc.lock"
STAGE, MODELS = "train", "models"
VALIDATION = Path(MODELS) / tables.VALIDATION_FILE
DATA = ("data/records", "data/folds")


@dataclass(frozen=True)
class Training:
    """One record of the stage train.

    name: of the experiment, 'HEAD' or 'workspace'; commit: None for the workspace. params:
    canonical values by section.key, without fold and seed. inputs: md5 by path of all that the
    stage read, code included. models: the hash of its output, under which DVC's cache has it.
    """

    name: str
    commit: str | None
    fold: int
    seed: int
    params: dict[str, Any]
    inputs: dict[str, str]
    models: str

    def same_setting(self, other: "Training") -> bool:
        """Whether the two differ in fold and seed alone."""
        return (self.params, self.inputs) == (other.params, other.inputs)

    def data(self) -> dict[str, str | None]:
        """The hashes of the records and the folds it learned from."""
        return {path: self.inputs.get(path) for path in DATA}


def finished(revision: str) -> list[Training]:
    """The trainings of a revision's finished experiments, by name, then its own.

    Of HEAD also that of the workspace. Failed and queued experiments are none. Raises UserError for
    a revision that is none.
    """
    baseline = git.commit(revision)
    place = experiment.references_of(baseline)
    named = {
        name.removeprefix(f"{place}/"): commit
        for name, commit in sorted(git.references(place).items())
    }
    commits = named | {revision: baseline}
    texts = git.file_contents([(commit, LOCK) for commit in commits.values()])
    found = [
        from_lock(text, name, commit)
        for (name, commit), text in zip(commits.items(), texts, strict=True)
    ]
    if baseline == git.commit():
        found.append(from_lock(_workspace(), revisions.WORKSPACE, None))
    return [one for one in found if one is not None]


def from_lock(lock: bytes | None, name: str, commit: str | None) -> Training | None:
    """The training that the text of a dvc.lock records; None where it records none."""
    try:
        stage = yaml.load(lock or b"", Loader=yaml.BaseLoader)["stages"][STAGE]
        params = param_values.flattened(stage["params"]["params.yaml"])
        outputs = {out["path"]: out["md5"] for out in stage["outs"] if "md5" in out}
        return Training(
            name,
            commit,
            int(params.pop(FOLD)),
            int(params.pop(SEED)),
            params,
            {one["path"]: one.get("md5", "") for one in stage["deps"]},
            outputs[MODELS],
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        return None


def workspace_data() -> dict[str, str | None]:
    """The hashes of the records and folds in the workspace, as its dvc.lock has them."""
    try:
        stages = yaml.load(_workspace() or b"", Loader=yaml.BaseLoader)["stages"].values()
        outs = {out["path"]: out.get("md5") for stage in stages for out in stage.get("outs", [])}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        outs = {}
    return {path: outs.get(path) for path in DATA}


def validation_predictions(repo: Any, one: Training) -> pd.DataFrame:
    """What the model said of its validation fold, see judging.predictions.

    repo: see recorded.repository. From DVC's cache, else from its remote. Raises UserError where
    neither has it, Damaged where the cache does not hold what was written.
    """
    named = f"{one.name}:{VALIDATION}"
    content = _of_cache(repo, one, named)
    text = content.decode("utf-8") if content is not None else _fetched(one, named)
    remedy = tables.PREDICTIONS_REMEDIES[VALIDATION.name]
    return tables.parsed_predictions(io.StringIO(text), named, remedy)


def varied_params(trainings: Sequence[Training]) -> list[str]:
    """The parameters in which trainings differ, without fold and seed, sorted."""
    keys = sorted({key for one in trainings for key in one.params})
    return [key for key in keys if len({str(one.params.get(key)) for one in trainings}) > 1]


def _workspace() -> bytes | None:
    try:
        return Path(LOCK).read_bytes()
    except OSError:
        return None


def _of_cache(repo: Any, one: Training, named: str) -> bytes | None:
    listing = _object(repo, one.models)
    if listing is None:
        return None
    files = dvc_lock.parse_listing(listing)
    if VALIDATION.name not in files:
        raise UserError(
            f"{named}: the model was trained by code that did not write it. Commit the present "
            "code and run `trackbed sweep --folds all`."
        )
    return _object(repo, files[VALIDATION.name])


def _object(repo: Any, name: str) -> bytes | None:
    path = Path(repo.cache.local.oid_to_path(name))
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if dvc_lock.hash_bytes(content).md5 != name.removesuffix(dvc_lock.FOLDER):
        raise Damaged(f"{path}: not as DVC wrote it. `trackbed verify --repair` may mend it.")
    return content


def _fetched(one: Training, named: str) -> str:
    if one.commit is None:
        raise UserError(
            f"{named}: DVC's cache does not hold it. `dvc repro -f train` makes it anew."
        )
    try:
        return revisions.text(VALIDATION, one.commit)
    except UserError as problem:
        raise UserError(
            f"{named}: neither DVC's cache nor a remote gave it ({problem}). If it was pushed, "
            "`dvc fetch` or `dvc exp pull` brings it; `trackbed sweep --folds all --force` makes "
            "it anew."
        ) from None
