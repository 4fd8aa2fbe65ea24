"""Files and outputs of commits and experiments: from git, DVC's cache, or the remote storage."""

import contextlib
import logging
import posixpath
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from trackbed.integrity import dvc_lock, dvc_repo, git
from trackbed.integrity.dvc_lock import FOLDER, LOCK
from trackbed.integrity.dvc_repo import Output
from trackbed.integrity.storage import Remotes
from trackbed.pipeline.errors import Damaged, UserError

GONE = "it was never pushed or pulled here, or `dvc gc` removed it"


def file_text(path: Path, revision: str) -> str:
    """A UTF-8 file of a commit, branch, tag or experiment. path: below the current folder.

    Raises UserError where there is no such revision, it has no such file, or its content is in
    none of git, DVC's cache and the remote storage.
    """
    with dvc_repo.repository() as repo:
        commit = resolved(repo, revision)
        (content,) = git.file_contents([(commit, path.as_posix())])
        if content is None:
            named = revision[:10] if revision == commit else revision
            content = _output_file(repo, commit, path, named)
    return content.decode("utf-8")


def resolved(repo: Any, revision: str) -> str:
    """The full hash of a revision's commit, which may be the name of an experiment.

    Raises UserError where there is none.
    """
    from dvc.scm import RevError, resolve_rev

    with contextlib.suppress(UserError):
        return git.commit(revision)
    try:
        return resolve_rev(repo.scm, revision)
    except RevError as error:
        ambiguous = "ambiguous" in f"{error}"
        raise UserError(
            f"{revision}: several experiments have this name; give the hash of a commit."
            if ambiguous
            else f"{revision}: no commit, branch, tag or experiment of this name is here. "
            f"`{_fetch_command()}` brings those of the git server, `dvc exp pull` its experiments."
        ) from error


def recorded_outputs(commit: str) -> dict[str, str]:
    """The hash of every output that the DVC files of a commit record, by path.

    Paths are relative to the current folder.
    """
    files = [path for path in git.files(commit) if path.endswith(".dvc") or _is_lock(path)]
    contents = git.file_contents([(commit, path) for path in files])
    found: dict[str, str] = {}
    for file, content in zip(files, contents, strict=True):
        for path, md5 in (_lock_outputs if _is_lock(file) else _added_outputs)(content).items():
            found[posixpath.normpath(f"{posixpath.dirname(file)}/{path}".lstrip("/"))] = md5
    return found


def missing(repo: Any, commit: str) -> dict[str, str]:
    """Of `recorded_outputs`, those that `dvc checkout` of the commit could not bring.

    Neither git nor DVC's cache has them whole. An output that the project does not cache is left
    out: its stage makes it.
    """
    in_git = set(git.files(commit))
    uncached = {output.path for output in dvc_repo.outputs(repo) if not output.cached}
    return {
        path: md5
        for path, md5 in recorded_outputs(commit).items()
        if path not in in_git | uncached and not _is_cached(repo, md5)
    }


def refuse_incomplete(repo: Any, commit: str, name: str) -> None:
    """Raise UserError unless DVC's cache has all outputs of a commit, if need be after a fetch.

    `dvc exp apply` and `dvc checkout` take outputs from the cache alone, and leave the workspace
    half changed where one is missing.
    """
    if missing(repo, commit):
        _fetch(repo, commit)
    if gone := missing(repo, commit):
        raise UserError(
            f"{name}: {', '.join(sorted(gone))} {_nowhere(repo)}. Nothing was changed. "
            "`trackbed verify --repair` takes what the workspace still holds; `dvc push` where "
            f"it was made sends the rest; {remake_command(commit)} makes it."
        )


def refuse_losses(repo: Any) -> None:
    """Raise UserError if an output of HEAD is in the workspace alone, so nothing brings it back."""
    if alone := sorted(path for path in missing(repo, "HEAD") if Path(path).exists()):
        raise UserError(
            f"{', '.join(alone)}: in the workspace, but not in DVC's cache, so it would be lost. "
            "`trackbed verify --repair` puts it there."
        )


def changed_data(repo: Any) -> list[str]:
    """What `dvc add` tracks and the workspace has otherwise than recorded: no stage makes it."""
    status = repo.data_status(granular=False, untracked_files="no")["uncommitted"]
    changed = {path.rstrip("/") for key in ("modified", "added") for path in status.get(key, ())}
    data = (output.path for output in dvc_repo.outputs(repo) if not output.made)
    return sorted(changed.intersection(data))


def _fetch(repo: Any, commit: str) -> None:
    """Copy what the remote storage has of a commit's outputs into DVC's cache."""
    from dvc.exceptions import DvcException

    name = Remotes(repo).default
    if name is None:
        return
    # Else DVC would take the settings of the commit, which may know another storage or none.
    settings = {"core": {"remote": name}, "remote": {name: dict(repo.config["remote"][name])}}
    logging.disable(logging.WARNING)  # the caller names what the storage lacks
    try:
        with contextlib.suppress(DvcException):
            repo.fetch(revs=[commit], workspace=False, config=settings)
    finally:
        logging.disable(logging.NOTSET)


def remake_command(commit: str) -> str:
    """The command that makes the outputs of a commit again."""
    return f"`git checkout {commit[:10]} && dvc repro`"


def _output_file(repo: Any, commit: str, path: Path, revision: str) -> bytes:
    recorded = recorded_outputs(commit)
    name = PurePosixPath(path)
    above = next((one for one in (name, *name.parents) if str(one) in recorded), None)
    if above is None:
        raise UserError(
            f"{path} of {revision}: the revision has none, and its {LOCK} records no run that made "
            f"it. {remake_command(commit)} makes it."
        )
    content = _object(repo, str(above), recorded[str(above)])
    if content is not None and above != name:
        listed = dvc_lock.parse_listing(content).get(name.relative_to(above).as_posix())
        if listed is None:
            raise UserError(
                f"{path} of {revision}: {above} was made by code that did not write it. "
                f"`dvc repro` with the present code writes it."
            )
        content = _object(repo, str(above), listed)
    if content is None:
        raise UserError(
            f"{path} of {revision} {_nowhere(repo)}. `dvc push` where it was made, or "
            f"{remake_command(commit)}."
        )
    return content


def _nowhere(repo: Any) -> str:
    remote = Remotes(repo).default
    if remote is None:
        return f"is not in DVC's cache, and there is no remote storage: {GONE}"
    return f"is neither in DVC's cache nor in the remote storage {remote}: {GONE}"


def _object(repo: Any, path: str, name: str) -> bytes | None:
    """An object from the cache, else from the remote storage; None if neither has it."""
    content = dvc_repo.cached_object(repo, name)
    remotes, known = Remotes(repo), {output.path: output for output in dvc_repo.outputs(repo)}
    output = known.get(path) or Output(path, name, None, "", made=False, cached=True)
    if content is not None or not output.pushed or remotes.name_for(output) is None:
        return content
    remotes.refuse_unreachable([output])
    content = remotes.content(output, name) or None
    if content is not None and not dvc_lock.has_hash(content, name):
        raise Damaged(
            f"remote storage {remotes.name_for(output)}: the object {name} of {path} is damaged. "
            "See `trackbed verify --remote`."
        )
    return content


def _is_cached(repo: Any, name: str) -> bool:
    if not name.endswith(FOLDER):
        return dvc_repo.object_path(repo, name).exists()
    listing = dvc_repo.cached_object(repo, name)
    return listing is not None and all(
        _is_cached(repo, md5) for md5 in dvc_lock.parse_listing(listing).values()
    )


def _fetch_command() -> str:
    shallow = git.line("rev-parse", "--is-shallow-repository") == "true"
    return "git fetch --unshallow" if shallow else "git fetch"


def _is_lock(path: str) -> bool:
    return PurePosixPath(path).name == LOCK.name


def _lock_outputs(content: bytes | None) -> dict[str, str]:
    records = dvc_lock.stage_records(content).values()
    return {path: md5 for record in records for path, md5 in record.outs.items()}


def _added_outputs(content: bytes | None) -> dict[str, str]:
    """The outputs of a .dvc file."""
    try:
        values = yaml.load(content or b"", Loader=yaml.BaseLoader)
        folder = values.get("wdir", ".")
        return {f"{folder}/{out['path']}": out["md5"] for out in values["outs"] if "md5" in out}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}
