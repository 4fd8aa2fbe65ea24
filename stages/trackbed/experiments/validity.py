"""Checks before a sweep: the values of its runs, and the state of the repository."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from trackbed.experiments import param_values
from trackbed.experiments.experiment import is_source
from trackbed.experiments.runs import FOLD
from trackbed.integrity import git
from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError

LISTED = 10


def check_settings(settings: Iterable[param_values.Setting], sections: dict[str, Any]) -> None:
    """Raises UserError for unknown keys and for values out of bounds.

    sections: params.yaml, see params.sections. Only values of section train are checked here;
    those of other sections are checked by the stage that reads them.
    """
    from trackbed.training.train_params import TrainParams

    for setting in settings:
        for key in setting:
            _check_key(key, sections)
        train = dict(sections.get("train", {}))
        train |= _section_values("train", setting)
        p = params.checked("train", TrainParams, train)
        split = sections.get("split", {}) | _section_values("split", setting)
        check_fold(p.fold, split)


def check_fold(fold: int, split: dict[str, Any]) -> None:
    """Raises UserError for a fold that the split does not have."""
    count = fold_count({"split": split})
    if fold >= count:
        raise UserError(f"{FOLD}: must be below split.folds ({count}), got {fold}.")


def fold_count(sections: dict[str, Any]) -> int:
    """split.folds of params.yaml. Raises UserError if it is not a whole number."""
    text = str(sections.get("split", {}).get("folds", ""))
    if not text.isdigit():
        raise UserError(f"{params.PARAMS}, split.folds: must be a whole number, got {text}.")
    return int(text)


def check_workspace(source: str) -> None:
    """Raises UserError if a run of HEAD would not see what the workspace has.

    source: data.source of params.yaml.
    """
    untracked, modified = git.uncommitted()
    if str(params.PARAMS) in modified:
        raise UserError(
            f"{params.PARAMS}: differs from HEAD (an interrupted `dvc exp run` leaves its values "
            "there). Commit it, or take it back with `git checkout params.yaml`."
        )
    inside = [
        path for path in untracked if PurePosixPath(path).is_relative_to(PurePosixPath(source))
    ]
    if inside:
        raise UserError(
            f"{source}: the runs would not see {_listed(inside)}. Add the pictures to DVC "
            f"(`dvc add {source}`) and commit."
        )
    for paths, what in (
        (untracked, "not tracked by git"),
        (modified, "different from HEAD"),
    ):
        if missed := [path for path in paths if is_source(path)]:
            raise UserError(
                f"The runs take their code from HEAD and would miss what is {what}: "
                f"{_listed(missed)}. Commit first."
            )


def check_project(folder: Path = Path()) -> None:
    """Raises UserError where the folder is not the root of a DVC project with a commit."""
    if not (folder / ".dvc").is_dir():
        raise UserError(
            f"{folder.absolute()}: no DVC project. Run from the root of the repository."
        )
    git.commit()


def _section_values(section: str, setting: param_values.Setting) -> dict[str, Any]:
    return {
        key.partition(".")[2]: param_values.parse_value(value)
        for key, value in setting.items()
        if key.partition(".")[0] == section
    }


def _check_key(key: str, sections: dict[str, Any]) -> None:
    section, _, name = key.partition(".")
    if not isinstance(sections.get(section), dict):
        raise UserError(
            f"-S {key}: unknown section '{section}'.{_suggestion(section, list(sections))}"
        )
    if name not in sections[section]:
        raise UserError(
            f"-S {key}: unknown key '{name}'.{_suggestion(name, list(sections[section]))}"
        )


def _suggestion(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{close[0]}'?" if close else f" Known: {', '.join(known)}."


def _listed(paths: Sequence[str]) -> str:
    rest = len(paths) - LISTED
    return ", ".join(paths[:LISTED]) + (f" and {rest} more" if rest > 0 else "")
