"""What differs from dvc.lock, where, and how to repair it; from hashes alone."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from trackbed.integrity.dvc_lock import MISSING, FileState
from trackbed.integrity.dvc_repo import Output

WORKSPACE, CACHE, REMOTE = "workspace", "cache", "remote"
REPAIR = "`trackbed verify --repair`"


class Kind(enum.Enum):
    """How serious a finding is."""

    WRONG = "differs"
    AWAY = "not here"  # not pulled; another place holds it, or its stage makes it
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class File:
    """A recorded file: an output, a file in an output folder, or a folder's list."""

    path: str  # in the workspace; of a list: its folder's path, followed by a slash
    name: str  # of its object in cache and remote: the md5, for a list followed by '.dir'
    size: int | None  # bytes; None: not recorded
    output: Output

    @property
    def md5(self) -> str:
        """The recorded hash of its bytes."""
        return self.name.partition(".")[0]

    def matches(self, state: FileState | None) -> bool:
        """Whether a copy has the recorded bytes."""
        return state is not None and state.md5 == self.md5


@dataclass(frozen=True)
class Copies:
    """The copies of a file; None: not checked, or not meant to be there."""

    workspace: FileState | None = None
    cache: FileState | None = None
    remote: FileState | None = None

    def places(self) -> dict[str, FileState]:
        """The checked copies, by place."""
        states = {WORKSPACE: self.workspace, CACHE: self.cache, REMOTE: self.remote}
        return {place: state for place, state in states.items() if state is not None}


@dataclass(frozen=True)
class Checked:
    """A file with its copies."""

    file: File
    copies: Copies
    twin: str | None  # any file in the workspace with the recorded bytes
    output_here: bool  # whether its output is in the workspace at all
    elsewhere: bool  # whether a remote storage that was not checked may hold it
    in_git: bool = False  # looked up only for outputs missing in the workspace

    @property
    def good(self) -> list[str]:
        """The places whose copy is as recorded."""
        places = self.copies.places().items()
        return [place for place, state in places if self.file.matches(state)]

    @property
    def is_held(self) -> bool:
        """Whether any place has its bytes as recorded."""
        return bool(self.good or self.twin)


@dataclass(frozen=True)
class Finding:
    """What is wrong with a file in one place, and what to do about it."""

    kind: Kind
    path: str
    where: str
    problem: str
    remedy: str
    output: str  # the path of its output
    name: str = ""  # of the object outside the workspace; several files may share one


def findings(checked: Sequence[Checked]) -> list[Finding]:
    """All findings; one for an object that several files share."""
    unique: dict[tuple[str, str], Finding] = {}
    for one in checked:
        for finding in _findings(one):
            unique.setdefault((finding.where, finding.name or finding.path), finding)
    return list(unique.values())


def unlisted(path: str, output: Output) -> Finding:
    """The finding for a file in an output folder that the folder's list does not name."""
    meant = f"`dvc repro {output.stage}`" if output.made else f"`dvc add {output.path}`"
    remedy = f"If it belongs there, {meant}; if not, delete it."
    return Finding(Kind.WRONG, path, WORKSPACE, "not listed", remedy, output.path)


def defect(state: FileState, size: int | None) -> str:
    """What is wrong with a copy. size: the recorded bytes; None: not recorded."""
    if state.md5 is None:
        return f"unreadable ({state.error})" if state.error else "missing"
    if size is None:
        return "altered" if state.size else "cut: nothing left of it"
    return f"cut: {state.size:,} of {size:,} bytes" if state.size < size else "altered"


def remake_hint(output: Output) -> str:
    """How to get an output again that no place has as recorded."""
    if output.made:
        return f"`dvc repro -f {output.stage}`"
    return f"restore it from its source and `dvc add {output.path}`"


def _findings(one: Checked) -> list[Finding]:
    absent = _is_absent(one)
    found = [_absence(one)] if absent else []
    for place, state in one.copies.places().items():
        if place in one.good or (absent and place != REMOTE):
            continue
        if place == WORKSPACE and state == MISSING and CACHE not in one.good:
            continue  # the finding for the cache says enough
        remedy, name = _remedy(one, place, state), "" if place == WORKSPACE else one.file.name
        found.append(_finding(one, Kind.WRONG, place, defect(state, _size(one)), remedy, name))
    return found


def _finding(
    one: Checked, kind: Kind, where: str, problem: str, remedy: str, name: str = ""
) -> Finding:
    return Finding(kind, one.file.path, where, problem, remedy, one.file.output.path, name)


def _is_absent(one: Checked) -> bool:
    """Whether it is missing in the workspace and cannot be checked out file by file."""
    if one.copies.workspace != MISSING:
        return False
    return one.copies.cache in (None, MISSING) or (CACHE in one.good and not one.output_here)


def _absence(one: Checked) -> Finding:
    output = one.file.output
    if one.good:
        command = "checkout" if CACHE in one.good else "pull"
        remedy = f"`dvc {command} {output.path}` if it is needed."
        return _finding(one, Kind.AWAY, WORKSPACE, "not here", remedy)
    if not output.cached and output.made and not one.in_git:
        remedy = f"`dvc repro {output.stage}` makes it if it is needed."
        return _finding(one, Kind.AWAY, WORKSPACE, "not here", remedy)
    if not output.cached:
        return _finding(one, Kind.WRONG, WORKSPACE, "missing", _from_git(output))
    if one.elsewhere:
        remedy = f"`dvc pull {output.path}`; `trackbed verify --remote` says whether it is there."
        return _finding(one, Kind.UNKNOWN, WORKSPACE, "neither here nor in the cache", remedy)
    remedy = f"No place has it: {remake_hint(output)}."
    return _finding(one, Kind.WRONG, WORKSPACE, "missing", remedy)


def _remedy(one: Checked, place: str, state: FileState) -> str:
    output = one.file.output
    if not output.cached:
        return _from_git(output)
    if one.is_held and place == REMOTE:
        return "`trackbed verify --repair --remote`."
    if one.is_held and place == WORKSPACE and state != MISSING:
        meant = f"`dvc repro {output.stage}`" if output.made else f"`dvc add {output.path}`"
        return f"If the change is meant, {meant}; if not, {REPAIR}, which keeps a copy."
    if one.is_held:
        return f"{REPAIR}."
    if one.elsewhere:
        return f"{REPAIR} fetches it if the remote storage has it; if not, {remake_hint(output)}."
    # DVC would take the damaged object for what the stage makes, so it has to go first.
    return f"No place has it as recorded: {REPAIR}, then {remake_hint(output)}."


def _from_git(output: Output) -> str:
    return (
        f"`git checkout -- {output.path}` if git has it as recorded; if not, {remake_hint(output)}."
    )


def _size(one: Checked) -> int | None:
    """Bytes of the file, from the record or from a copy that is as recorded."""
    if one.file.size is not None:
        return one.file.size
    states = one.copies.places()
    return next((states[place].size for place in one.good), None)
