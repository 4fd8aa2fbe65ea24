"""Checks before a sweep: the values of its runs, and the state of the repository."""

import difflib
import os
import runpy
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from trackbed.experiments import overrides
from trackbed.experiments.experiment import is_source
from trackbed.experiments.overrides import Setting
from trackbed.experiments.runs import FOLD
from trackbed.integrity import git
from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError

LISTED = 10
# Where the model of a section is, other than of train: in a script of this name below stages/.
SCRIPTS = {"data": "build_tfrecord", "runtime": "build_tfrecord"}
SCRIPTS |= {name: name for name in ("split", "embed", "export", "evaluate", "report")}


def check_settings(settings: Iterable[Setting], sections: dict[str, Any]) -> None:
    """Raises UserError for unknown keys and for values that the stages would refuse.

    sections: params.yaml, see params.sections. Section train is checked as a whole, another one
    where a setting changes it and its script is there.
    """
    models = {"train": section_model("train")}
    for setting in settings:
        for key in setting:
            _check_key(key, sections)
        changed = overrides.applied(sections, setting)
        touched = {overrides.plain_key(key).partition(".")[0] for key in setting}
        for section in sorted(touched | {"train"}):
            if section not in models:
                models[section] = section_model(section)
            _check_section(section, models[section], changed)
        fold = params.checked("train", models["train"], changed["train"]).fold
        check_fold(fold, changed.get("split", {}))


def section_model(section: str) -> type[params.Section] | None:
    """The model of a section of params.yaml; None where the script that has it is missing."""
    from trackbed.evaluation.comparison import GateParams
    from trackbed.training.train_params import TrainParams

    known = {"train": TrainParams, "gate": GateParams}
    script = Path("stages", f"{SCRIPTS.get(section)}.py")
    if section in known or not script.is_file():
        return known.get(section)
    return runpy.run_path(str(script)).get(f"{section.capitalize()}Params")


def _check_section(
    section: str, model: type[params.Section] | None, sections: dict[str, Any]
) -> None:
    values = sections.get(section)
    if not isinstance(values, dict):
        raise UserError(f"-S {section}: must be a section of keys, got {values}.")
    if model is not None:
        params.checked(section, model, values)


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
    check_source(source)
    untracked, modified = git.uncommitted()
    modified = [path for path in modified if path != str(params.PARAMS)]
    if _committed_params() != params.sections():
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


def _committed_params() -> dict[str, Any]:
    """params.yaml of HEAD, see params.sections; {} where there is none.

    Compared by its values: `dvc exp run -S` and line ends of another system change the text alone.
    """
    (content,) = git.file_contents([(git.commit(), str(params.PARAMS))])
    return {} if content is None else params.parsed(content)


def check_source(source: str) -> None:
    """Raises UserError for a data.source that a copy of the repository would not find.

    A relative path out of the repository leads elsewhere from there; an absolute one does not.
    """
    path = Path(source)
    outside = not path.is_absolute() and not Path(os.path.abspath(path)).is_relative_to(git.root())
    if outside or path.parts[:1] == ("~",):
        where = Path(os.path.abspath(path.expanduser()))
        raise UserError(
            f"data.source: the runs take place in copies of the repository, from where {source} "
            f"leads elsewhere. Write {where}, and `dvc repro`; or bring the pictures in with "
            f"`dvc add {where} --out data/{where.name}`."
        )


def check_project(folder: Path = Path()) -> None:
    """Raises UserError where the folder is not the root of a DVC project with a commit."""
    if not (folder / ".dvc").is_dir():
        raise UserError(
            f"{folder.absolute()}: no DVC project. Run from the root of the repository."
        )
    git.commit()


def _check_key(key: str, sections: dict[str, Any]) -> None:
    section, _, inside = overrides.plain_key(key).partition(".")
    name = inside.partition(".")[0]
    if not isinstance(sections.get(section), dict):
        keys = [f"{one}.{name}" for one, inner in sections.items() for name in inner]
        close = [one for one in keys if one.endswith(f".{section}") and not inside]
        hint = f" Did you mean '{close[0]}'?" if close else _suggestion(section, list(sections))
        raise UserError(f"-S {key}: unknown section '{section}'.{hint}")
    if name and name not in sections[section] and not key.startswith("+"):
        raise UserError(
            f"-S {key}: unknown key '{name}'.{_suggestion(name, list(sections[section]))}"
        )


def _suggestion(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{close[0]}'?" if close else f" Known: {', '.join(known)}."


def _listed(paths: Sequence[str]) -> str:
    rest = len(paths) - LISTED
    return ", ".join(paths[:LISTED]) + (f" and {rest} more" if rest > 0 else "")
